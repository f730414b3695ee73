/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 64-bit guests: the PVH note, the entry in 32-bit protected mode without paging (recorded first,
 * untouched), the way to long mode with the first 4 GiB mapped to themselves, and the real-mode
 * trampoline of the other vCPUs. Public header: xen/arch-x86/hvm/start_info.h.
 */
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 8, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad guest_entry

#define CR0_RUN 0x80010031 /* PG WP NE ET PE */
#define CR4_PAE 0x20
#define EFER    0xc0000080
#define EFER_LME_BIT 8

    .section .text.entry, "ax"
    .code32
    .globl guest_entry
guest_entry:
    movl %esp, entry_esp
    movl $entry_pushed_end, %esp
    pushfl
    pushal
    pushl %cs
    pushl %ds
    pushl %es
    pushl %fs
    pushl %gs
    pushl %ss
    movl %cr0, %eax
    pushl %eax
    movl %cr3, %eax
    pushl %eax
    movl %cr4, %eax
    pushl %eax
    movl %dr6, %eax
    pushl %eax
    movl %dr7, %eax
    pushl %eax
    str %ax
    movzwl %ax, %eax
    pushl %eax
    sldt %ax
    movzwl %ax, %eax
    pushl %eax
    sgdt entry_gdtr
    sidt entry_idtr
    movl $EFER, %ecx
    rdmsr
    movl %eax, entry_efer
    movl %edx, entry_efer + 4
    fnstenv entry_fpu

    /* PML4[0] -> PDPT -> four page directories of 2 MiB pages, present, writable, user. */
    movl $boot_pdpt + 7, boot_pml4
    movl $boot_pd + 7, boot_pdpt
    movl $boot_pd + 0x1007, boot_pdpt + 8
    movl $boot_pd + 0x2007, boot_pdpt + 16
    movl $boot_pd + 0x3007, boot_pdpt + 24
    movl $boot_pd, %edi
    movl $0x87, %eax
    movl $2048, %ecx
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    loop 1b

    movl $boot_stack_end, %ebx
    movl $guest_start, %ebp

/* ebx: end of stack, ebp: function that does not return. */
long_mode:
    lgdt boot_gdtr
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $boot_pml4, %eax
    movl %eax, %cr3
    movl $EFER, %ecx
    rdmsr
    btsl $EFER_LME_BIT, %eax
    wrmsr
    movl $CR0_RUN, %eax
    movl %eax, %cr0
    ljmp $0x08, $1f
    .code64
1:  movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    lldt %ax
    movl %ebx, %esp
    movl %ebp, %ebp
    movq %rbp, %rax
    xorl %ebp, %ebp
    call *%rax
    ud2

/* Copied below 1 MiB; a SIPI starts it with cs = its page and ip = 0. */
    .code16
    .globl trampoline, trampoline_end
trampoline:
    movl %edx, %cs:(trampoline_state - trampoline)
    pushfl
    popl %cs:(trampoline_state - trampoline + 4)
    movl %cr0, %eax
    movl %eax, %cs:(trampoline_state - trampoline + 8)
    movl %cr4, %eax
    movl %eax, %cs:(trampoline_state - trampoline + 12)
    cli
    lgdtl %cs:(trampoline_gdtr - trampoline)
    movl $0x11, %eax
    movl %eax, %cr0
    ljmpl $0x18, $ap_entry32
    .balign 8
trampoline_gdtr:
    .word boot_gdt_end - boot_gdt - 1
    .long boot_gdt
    .globl trampoline_state
trampoline_state: /* edx, eflags, cr0, cr4 as the SIPI left them */
    .long 0, 0, 0, 0
trampoline_end:

    .code32
ap_entry32:
    movl $0x20, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl ap_stack_end, %ebx
    movl $ap_start, %ebp
    jmp long_mode

    .code64
/*
 * user_call(fn, arg): runs fn(arg) at CPL 3 on the stack in use, which is mapped for it, and returns
 * its result; the way back is interrupt 0x80.
 */
    .globl user_call, user_return
user_call:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, boot_tss + 4
    movq %rdi, %rax
    movq %rsi, %rdi
    leaq -4096(%rsp), %rcx
    andq $-16, %rcx
    pushq $0x33 /* ss */
    pushq %rcx
    pushq $0x02 /* rflags: interrupts off */
    pushq $0x2b /* cs */
    leaq 1f(%rip), %rcx
    pushq %rcx
    iretq
1:  call *%rax
    int $0x80
user_return: /* handler of 0x80; rsp is below the saved registers */
    movq boot_tss + 4, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/*
 * compat_call(gate, a): runs 32-bit code at `gate` (below 4 GiB) from a 32-bit code segment of long
 * mode with edi = a; it ends with a far return. The stack is below 4 GiB. eax is the result.
 */
    .globl compat_call
compat_call:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rdi, %rax
    movq %rsi, %rdi
    subq $8, %rsp
    movl %eax, (%rsp)
    movl $0x18, 4(%rsp)
    lcall *(%rsp)
    addq $8, %rsp
    movl %eax, %eax
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* Every hypercall goes through this one instruction; guest_start makes it VMCALL where needed. */
    .globl hypercall_insn
    .balign 16
hypercall_insn:
    vmmcall
    ret

    .section .data
    .balign 16
    .globl boot_gdt, boot_tss, ap_stack_end
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 08 64-bit code */
    .quad 0x00cf93000000ffff /* 10 data */
    .quad 0x00cf9b000000ffff /* 18 32-bit code */
    .quad 0x00cf93000000ffff /* 20 data */
    .quad 0x00affb000000ffff /* 28 64-bit code, CPL 3 */
    .quad 0x00cff3000000ffff /* 30 data, CPL 3 */
boot_gdt_tss:
    .quad 0, 0               /* 38 TSS of vCPU 0, filled by trap_init */
boot_gdt_end:
    .globl boot_gdt_tss
    .balign 8
boot_gdtr:
    .word boot_gdt_end - boot_gdt - 1
    .long boot_gdt
    .balign 16
    .long 0 /* so that rsp0 is aligned by 8 */
boot_tss:
    .fill 104, 1, 0
ap_stack_end:
    .quad 0
    .globl entry_pushed, entry_esp, entry_gdtr, entry_idtr, entry_efer, entry_fpu
    .balign 8
entry_pushed:
    .fill 22, 4, 0
entry_pushed_end:
    .globl entry_ebx
    .set entry_ebx, entry_pushed + 17 * 4
entry_esp:
    .long 0
entry_efer:
    .quad 0
entry_gdtr:
    .fill 8, 1, 0
entry_idtr:
    .fill 8, 1, 0
entry_fpu:
    .fill 28, 1, 0

    .section .bss
    .balign 4096
    .globl boot_pml4, boot_pdpt
boot_pml4:
    .skip 4096
boot_pdpt:
    .skip 4096
boot_pd:
    .skip 4 * 4096
    .balign 16384
    .globl boot_stack_start
boot_stack_start:
    .skip 16384
boot_stack_end:
    .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first instructions of each CPU. The boot CPU comes from a boot loader in 32-bit protected
 * mode, unpaged (Multiboot 0.6.96, Multiboot2 2.0, PVH: public arch-x86/hvm/start_info.h), anywhere
 * below 4 GiB on a 2 MiB boundary; it clears bss, makes the tables that map the image, and calls
 * boot_start(magic, info, physical start). Other CPUs come from a SIPI in real mode through a copy
 * of trampoline.. in the page below 1 MiB, use the same tables once, and go on in ap_start(cpu)
 * with their own.
 */
#include "arch/x86/cpu/layout.h"

#define PHYS(symbol) (symbol - IMAGE_VIRT) /* relative to the image's physical start */

#define PTE_TABLE 0x003 /* present, writable */
#define PTE_LARGE 0x083 /* and a 2 MiB leaf */

#define CR0_BOOT 0x80010011 /* PG, WP, ET, PE */
#define CR4_PAE  0x20
#define EFER     0xc0000080
#define EFER_LME_NXE 0x900

/* EAX = CR3; (ESP) = far pointer to 64-bit code. Keeps EBP, ESI, EDI. */
        .macro enter_long_mode
        mov %eax, %cr3
        mov $CR4_PAE, %eax
        mov %eax, %cr4
        mov $EFER, %ecx
        rdmsr
        or $EFER_LME_NXE, %eax
        wrmsr
        mov $CR0_BOOT, %eax
        mov %eax, %cr0
        lretl
        .endm

        .section .head, "ax", @progbits
        .code32

/* Multiboot 1: modules on page boundaries, memory map wanted; addresses are the ELF file's. */
        .balign 4
        .long 0x1badb002, 3, -(0x1badb002 + 3)

/* Multiboot 2 */
        .balign 8
mb2:    .long 0xe85250d6, 0, mb2_end - mb2, -(0xe85250d6 + mb2_end - mb2)
        .short 1, 1             /* information wanted if there: */
        .long 8 + 6 * 4
        .long 1, 3, 6, 8, 14, 15 /* command line, modules, memory map, framebuffer, RSDP old, new */
        .balign 8
        .short 6, 0             /* modules on page boundaries */
        .long 8
        .short 5, 1             /* a framebuffer is welcome; any size */
        .long 20, 0, 0, 32
        .balign 8
        .short 10, 1            /* works at any 2 MiB boundary from 2 MiB, low ones preferred */
        .long 24, 0x200000, 0xffffffff, 0x200000, 1
        .short 0, 0
        .long 8
mb2_end:

        .org 0x100
        .globl start
start:  jmp entry
        .org 0x110
        .globl start_pvh
start_pvh:
        mov $MAGIC_PVH, %eax
        jmp entry
        .org 0x120              /* here image/wrap.S puts the PVH note */
        .skip 20

/* EAX magic, EBX information. The address of the image is found with a call; its stack is one word
 * of the information, which is put back. */
entry:  cld
        cli
        mov %eax, %esi
        mov (%ebx), %ebp
        lea 4(%ebx), %esp
        call 1f
1:      pop %edi
        mov %ebp, (%ebx)
        sub $PHYS(1b), %edi
        mov %edi, %ebp          /* EBP = physical start from here on */

        lea PHYS(bss_start)(%ebp), %edi
        mov $PHYS(image_end), %ecx
        sub $PHYS(bss_start), %ecx
        shr $2, %ecx
        xor %eax, %eax
        rep stosl

        mov %ebx, %esp          /* CPUID overwrites EBX */
        mov $0x80000001, %eax   /* long mode and NX, or stop */
        cpuid
        mov %esp, %ebx
        not %edx
        test $0x20100000, %edx
        jnz no_long_mode

/* The image at IMAGE_VIRT, the device slot, the table itself, and, where it is, the 2 MiB around
 * this code. */
        lea PHYS(boot_l4)(%ebp), %edi
        lea (PTE_TABLE + PHYS(boot_l4))(%ebp), %eax
        mov %eax, SLOT_TABLES * 8(%edi)
        lea (PTE_TABLE + PHYS(image_l3))(%ebp), %eax
        mov %eax, SLOT_IMAGE * 8(%edi)
        lea (PTE_TABLE + PHYS(identity_l3))(%ebp), %eax
        mov %eax, (%edi)
        lea (PTE_TABLE + PHYS(image_l2))(%ebp), %eax
        mov %eax, PHYS(image_l3) + 510 * 8(%ebp)
        lea (PTE_TABLE + PHYS(device_l2))(%ebp), %eax
        mov %eax, PHYS(image_l3) + 511 * 8(%ebp)

        lea PTE_LARGE(%ebp), %eax
        lea PHYS(image_l2) + 8(%ebp), %edi
        mov $(IMAGE_MAX >> 21), %ecx
1:      mov %eax, (%edi)
        add $0x200000, %eax
        add $8, %edi
        loop 1b

        lea (PTE_TABLE + PHYS(identity_l2))(%ebp), %eax
        lea PHYS(identity_l3)(%ebp), %edi
        mov $4, %ecx
1:      mov %eax, (%edi)
        add $4096, %eax
        add $8, %edi
        loop 1b
        mov %ebp, %ecx
        shr $21, %ecx
        lea PTE_LARGE(%ebp), %eax
        mov %eax, PHYS(identity_l2)(%ebp, %ecx, 8)

        lea PHYS(boot_stack_end)(%ebp), %esp
        lea PHYS(boot_gdt)(%ebp), %eax
        push %eax
        pushw $(3 * 8 - 1)
        lgdt (%esp)
        lea PHYS(boot_l4)(%ebp), %eax
        lea PHYS(long_mode)(%ebp), %ecx
        pushl $SEL_CODE
        push %ecx
        mov %ebx, %edi
        enter_long_mode

no_long_mode:
        mov $0x3f8, %dx
        lea PHYS(no_long_mode_text)(%ebp), %esi
1:      lodsb
        test %al, %al
        jz 2f
        out %al, %dx
        jmp 1b
2:      hlt
        jmp 2b
no_long_mode_text:
        .asciz "(KR) this CPU has no 64-bit mode with NX\r\n"

        .code64
long_mode:
        mov $SEL_DATA, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        movabs $high, %rax
        jmp *%rax
high:   lea boot_stack_end(%rip), %rsp
        xor %eax, %eax
        mov %eax, %fs
        mov %eax, %gs
        rdtsc                   /* the stack protector's secret: what little varies by now */
        shl $32, %rax
        xor %rdx, %rax
        movabs $0x9e3779b97f4a7c15, %rcx
        imul %rcx, %rax
        mov %rax, __stack_chk_guard(%rip)
        mov %edi, %ecx
        mov %esi, %edi          /* magic */
        mov %ecx, %esi          /* information */
        mov %ebp, %edx          /* physical start */
        xor %ebp, %ebp
        call boot_start
        ud2

        .balign 8
boot_gdt:
        .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff

/*
 * The trampoline of other CPUs: copied to a page boundary below 1 MiB, entered at CS = page / 16,
 * IP = 0. trampoline_cr3 is below 4 GiB and maps the page to itself; the rest is in the image.
 */
        .code16
        .globl trampoline, trampoline_end, trampoline_cr3, trampoline_cpu
trampoline:
        cli
        cld
        mov %cs, %ax
        mov %ax, %ds
        movzwl %ax, %ebp
        shl $4, %ebp            /* EBP = the page's address */
        mov %ebp, %eax
        add $(trampoline_gdt - trampoline), %eax
        mov %eax, trampoline_gdtr + 2 - trampoline
        mov %ebp, %eax
        add $(1f - trampoline), %eax
        mov %eax, trampoline_far - trampoline
        lgdtl trampoline_gdtr - trampoline
        mov $0x11, %eax
        mov %eax, %cr0
        ljmpl *(trampoline_far - trampoline)

        .code32
1:      mov $SEL_DATA, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        lea trampoline_stack_end - trampoline(%ebp), %esp
        pushl $0x18
        lea 2f - trampoline(%ebp), %eax
        push %eax
        mov trampoline_cr3 - trampoline(%ebp), %eax
        enter_long_mode

        .code64
2:      mov trampoline_cpu - trampoline(%rbp), %edi
        movabs $ap_high, %rax
        jmp *%rax

        .balign 8
trampoline_gdt: /* code 32, data, code 64 */
        .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
trampoline_gdtr:
        .short 4 * 8 - 1
        .long 0
trampoline_far:
        .long 0
        .short SEL_CODE
        .balign 4
trampoline_cr3:
        .long 0
trampoline_cpu:
        .long 0
        .skip 64
trampoline_stack_end:
trampoline_end:

/* EDI = CPU number. Its own top-level table is in ap_cr3[cpu]; its stack is mapped there. */
ap_high:
        mov ap_cr3(, %rdi, 8), %rax
        mov %rax, %cr3
        movabs $(PCPU_MAIN_STACK_END), %rsp
        xor %eax, %eax
        mov %eax, %fs
        mov %eax, %gs
        xor %ebp, %ebp
        call ap_start
        ud2

/* void noreturn cpu_switch_space(uint64_t cr3, void (*fn)(void)): the boot CPU leaves the first
 * tables and stack and goes on in fn on those of CPU 0. */
        .globl cpu_switch_space
cpu_switch_space:
        mov %rdi, %cr3
        movabs $(PCPU_MAIN_STACK_END), %rsp
        xor %ebp, %ebp
        call *%rsi
        ud2

        .section bss.boot, "aw", @nobits
        .balign 4096
        .globl boot_l4, image_l3, image_l2, device_l2, identity_l3, identity_l2, boot_stack
boot_l4:     .skip 4096
image_l3:    .skip 4096
image_l2:    .skip 4096
device_l2:   .skip 4096
identity_l3: .skip 4096
identity_l2: .skip 4 * 4096
boot_stack:  .skip 16384
boot_stack_end:
        .section .note.GNU-stack, "", @progbits

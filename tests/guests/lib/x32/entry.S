/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 32-bit guests: the PVH note and the entry; they stay in 32-bit protected mode without paging
 * unless the test turns it on. Public header: xen/arch-x86/hvm/start_info.h.
 */
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long guest_entry

    .section .text.entry, "ax"
    .globl guest_entry
guest_entry:
    movl %ebx, entry_ebx
    movl $boot_stack_end, %esp
    lgdt boot_gdtr
    ljmp $0x08, $1f
1:  movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    xorl %ebp, %ebp
    call guest_start
    ud2

    .globl hypercall_insn
    .balign 16
hypercall_insn:
    vmmcall
    ret

    .section .data
    .balign 16
boot_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* 08 code */
    .quad 0x00cf93000000ffff /* 10 data */
boot_gdt_end:
    .balign 8
boot_gdtr:
    .word boot_gdt_end - boot_gdt - 1
    .long boot_gdt
    .globl entry_ebx
entry_ebx:
    .long 0

    .section .bss
    .balign 16384
    .skip 16384
boot_stack_end:
    .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupt and exception stubs of 32-bit guests, 16 bytes each, all leading to trap_dispatch(regs).
 */
    .text
    .globl trap_stubs
    .balign 16
trap_stubs:
vector = 0
    .rept 256
    .balign 16
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
    .else
    pushl $0
    .endif
    pushl $vector
    jmp trap_common
vector = vector + 1
    .endr

trap_common:
    pushal
    cld
    movl %esp, %eax
    pushl %eax
    call trap_dispatch
    addl $4, %esp
    popal
    addl $8, %esp
    iretl

    .section .note.GNU-stack, "", @progbits

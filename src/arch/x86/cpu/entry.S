/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry from exceptions and interrupts: a stub for each vector, and the common part that makes a
 * struct trap_frame (trap.h). Krypton runs at CPL 0 only, so there is no stack or GS to switch.
 */
#include "arch/x86/cpu/trap.h"

        .text
        .balign TRAP_STUB_SIZE
        .globl trap_stubs
trap_stubs:
        .set vector, 0
        .rept 256
        .balign TRAP_STUB_SIZE
        /* vectors that push an error code: 8, 10-14, 17, 21, 29, 30 */
        .if vector >= 32
        push $0
        .elseif !((TRAP_ERROR_CODES >> vector) & 1)
        push $0
        .endif
        push $vector
        jmp trap_common
        .set vector, vector + 1
        .endr

trap_common:
        cld
        push %rax
        push %rcx
        push %rdx
        push %rbx
        push %rbp
        push %rsi
        push %rdi
        push %r8
        push %r9
        push %r10
        push %r11
        push %r12
        push %r13
        push %r14
        push %r15
        mov %rsp, %rdi
        mov %rsp, %rbx
        and $-16, %rsp
        call trap_handle
        mov %rbx, %rsp
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %r11
        pop %r10
        pop %r9
        pop %r8
        pop %rdi
        pop %rsi
        pop %rbp
        pop %rbx
        pop %rdx
        pop %rcx
        pop %rax
        add $16, %rsp
        iretq

        .section .note.GNU-stack, "", @progbits

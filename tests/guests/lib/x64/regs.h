/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between 64- and 32-bit guests, 64-bit side: the register frame of trap.S, the
 * hypercall sequence, the names that inline assembler needs. The x32 folder has the other one.
 */
#ifndef GUEST_REGS_H
#define GUEST_REGS_H

#include "lib/types.h"

struct regs {
    unsigned long r15, r14, r13, r12, r11, r10, r9, r8;
    unsigned long di, si, bp, bx, dx, cx, ax;
    unsigned long vector, error;
    unsigned long ip, cs, flags, sp, ss;
};

#define GUEST_BITS    64
#define REG_DI        "%edi"      /* the register that reports a probe's fault, 32-bit name */
#define ASM_CODE_BACK ".code64\n" /* after other code sizes in an asm block */
#define STACK_REG     "rsp"

/* arguments in rdi, rsi, rdx, r10, r8; number and result in rax */
static inline long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
                             unsigned long a4, unsigned long a5)
{
    register unsigned long r10 __asm__("r10") = a4;
    register unsigned long r8 __asm__("r8") = a5;
    long ret;
    __asm__ volatile("call hypercall_insn"
                     : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                     : "0"(nr)
                     : "memory");
    return ret;
}

/* HYPERVISOR_set_timer_op takes its u64 in one register here, in two in a 32-bit guest. */
#define SET_TIMER_ARGS(ns) (ns), 0

/* Linear addresses that name no guest memory. */
#define BAD_POINTERS                                                           \
    {                                                                          \
        0x0000400000000000, 0x8000400000000000, 0xffff800000000000, 0xe0000000 \
    }

#endif

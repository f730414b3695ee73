/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between 64- and 32-bit guests, 32-bit side: the register frame of trap.S, the
 * hypercall sequence, the names that inline assembler needs. The x64 folder has the other one.
 */
#ifndef GUEST_REGS_H
#define GUEST_REGS_H

#include "lib/types.h"

struct regs {
    unsigned long di, si, bp, unused_sp, bx, dx, cx, ax;
    unsigned long vector, error;
    unsigned long ip, cs, flags;
};

#define GUEST_BITS    32
#define REG_DI        "%edi"      /* the register that reports a probe's fault */
#define ASM_CODE_BACK ".code32\n" /* after other code sizes in an asm block */
#define STACK_REG     "esp"

/* arguments in ebx, ecx, edx, esi, edi; number and result in eax */
static inline long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
                             unsigned long a4, unsigned long a5)
{
    long ret;
    __asm__ volatile("call hypercall_insn"
                     : "=a"(ret), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5)
                     : "0"(nr)
                     : "memory");
    return ret;
}

/* HYPERVISOR_set_timer_op takes its u64 in two registers here. */
#define SET_TIMER_ARGS(ns) (uint32_t)(ns), (uint32_t)((uint64_t)(ns) >> 32)

/* Linear addresses that name no guest memory. */
#define BAD_POINTERS           \
    {                          \
        0xe0000000, 0xd0000ffc \
    }

#endif

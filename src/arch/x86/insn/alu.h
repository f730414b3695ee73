/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of insn/exec.c: the eight basic ALU instructions with their flags, conditions, and
 * operands of 1, 2, 4 or 8 bytes in a uint64_t (AMD APM vol. 1, ch. 3; vol. 3, ch. 3).
 */
#ifndef KR_ARCH_X86_INSN_ALU_H
#define KR_ARCH_X86_INSN_ALU_H

#include "lib/types.h"

/* rFLAGS. */
#define CF 0x0001ULL
#define PF 0x0004ULL
#define AF 0x0010ULL
#define ZF 0x0040ULL
#define SF 0x0080ULL
#define DF 0x0400ULL
#define OF 0x0800ULL

/* The numbers of the instructions in opcodes and in ModRM.reg. */
enum alu_op { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

static inline uint64_t zero_extend(uint64_t v, unsigned bytes)
{
    return v & (~0ULL >> (64 - 8 * bytes));
}

static inline uint64_t sign_extend(uint64_t v, unsigned bytes)
{
    unsigned unused = 64 - 8 * bytes;
    return (uint64_t)((int64_t)(v << unused) >> unused);
}

static inline uint64_t swap_bytes(uint64_t v, unsigned bytes)
{
    return __builtin_bswap64(v) >> (64 - 8 * bytes);
}

/*
 * Bit n of `carries` is the carry or borrow out of bit n: CF, AF and OF all come from it. AF of a
 * logical instruction is undefined in the manual and zero on CPUs.
 */
static inline uint64_t alu(enum alu_op op, uint64_t a, uint64_t b, unsigned bytes, uint64_t *flags)
{
    unsigned top = 8 * bytes - 1;
    uint64_t carry = op == ALU_ADC || op == ALU_SBB ? *flags & CF : 0;
    uint64_t carries = 0, r;
    switch (op) {
    case ALU_ADD:
    case ALU_ADC:
        r = a + b + carry;
        carries = (a & b) | ((a | b) & ~r);
        break;
    case ALU_OR:
        r = a | b;
        break;
    case ALU_AND:
        r = a & b;
        break;
    case ALU_XOR:
        r = a ^ b;
        break;
    default:
        r = a - b - carry;
        carries = (~a & b) | ((~a | b) & r);
        break;
    }
    r = zero_extend(r, bytes);
    uint64_t cf = (carries >> top) & 1, below = (carries >> (top - 1)) & 1;
    *flags &= ~(CF | PF | AF | ZF | SF | OF);
    *flags |= (cf ? CF : 0) | (cf != below ? OF : 0) | ((carries >> 3) & 1 ? AF : 0) |
              (r ? 0 : ZF) | ((r >> top) & 1 ? SF : 0) |
              (__builtin_parity((unsigned)r & 0xff) ? 0 : PF);
    return r;
}

static inline bool condition(unsigned cc, uint64_t f)
{
    bool less = !(f & SF) != !(f & OF);
    const bool truth[8] = {f & OF, f & CF, f & ZF, f & (CF | ZF),
                           f & SF, f & PF, less,   less || (f & ZF)};
    return truth[(cc >> 1) & 7] != (cc & 1);
}

#endif

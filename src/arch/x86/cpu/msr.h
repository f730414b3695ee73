/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model-specific registers: access, and the numbers that Krypton itself uses on the host. Names and
 * numbers: AMD APM vol. 2 appendix A, Intel SDM vol. 4.
 */
#ifndef KR_ARCH_X86_CPU_MSR_H
#define KR_ARCH_X86_CPU_MSR_H

#include "lib/types.h"

#define MSR_APIC_BASE         0x0000001b
#define APIC_BASE_BSP         (1ULL << 8)
#define APIC_BASE_X2APIC      (1ULL << 10)
#define APIC_BASE_ENABLE      (1ULL << 11)
#define APIC_BASE_ADDRESS     0x000ffffffffff000ULL
#define MSR_MTRR_CAP          0x000000fe
#define MSR_MTRR_PHYS_BASE0   0x00000200
#define MSR_MTRR_FIX64K       0x00000250
#define MSR_MTRR_FIX16K_80000 0x00000258
#define MSR_MTRR_FIX16K_A0000 0x00000259
#define MSR_MTRR_FIX4K_C0000  0x00000268 /* 8 of them */
#define MSR_PAT               0x00000277
#define MSR_MTRR_DEF_TYPE     0x000002ff
#define MSR_TSC_DEADLINE      0x000006e0
#define MSR_X2APIC_BASE       0x00000800
#define MSR_EFER              0xc0000080
#define EFER_SCE              (1ULL << 0)
#define EFER_LME              (1ULL << 8)
#define EFER_LMA              (1ULL << 10)
#define EFER_NXE              (1ULL << 11)
#define EFER_SVME             (1ULL << 12)
#define MSR_PATCH_LEVEL       0x0000008b
#define MSR_INT_PENDING       0xc0010055 /* AMD families 0Fh-11h: C1E in bits 27, 28 */
#define MSR_SYSCFG            0xc0010010

/* Krypton's PAT: write-back, write-through, UC-, UC, write-combining, write-protect, UC, UC. */
#define PAT_HOST 0x0000050100070406ULL

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
    return ((uint64_t)hi << 32) | lo;
}
static inline void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

/* An instruction at label 1 that may raise #GP; then execution goes on at label 2. */
#define EX_TABLE_1_2                 \
    ".pushsection ex_table, \"a\"\n" \
    ".long 1b - ., 2b - .\n"         \
    ".popsection\n"

/* False, and *v unchanged, when the CPU has no such register. */
static inline bool must_check rdmsr_safe(uint32_t msr, uint64_t *v)
{
    uint32_t lo, hi;
    uint8_t bad = 1;

    __asm__ volatile("1: rdmsr\n"
                     "   movb $0, %2\n"
                     "2:\n" EX_TABLE_1_2
                     : "=a"(lo), "=d"(hi), "+r"(bad)
                     : "c"(msr)
                     : "memory");
    if (!bad)
        *v = ((uint64_t)hi << 32) | lo;
    return !bad;
}
/* False when the CPU refuses the register or the value. */
static inline bool must_check wrmsr_safe(uint32_t msr, uint64_t v)
{
    uint8_t bad = 1;

    __asm__ volatile("1: wrmsr\n"
                     "   movb $0, %0\n"
                     "2:\n" EX_TABLE_1_2
                     : "+r"(bad)
                     : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
                     : "memory");
    return !bad;
}

#endif

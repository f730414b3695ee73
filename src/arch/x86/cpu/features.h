/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the CPU can do (CPUID), read once on the boot CPU, and control registers. Bit numbers: AMD
 * APM vol. 3 appendix E, Intel SDM vol. 2 CPUID. The guests' CPUID policy is elsewhere.
 */
#ifndef KR_ARCH_X86_CPU_FEATURES_H
#define KR_ARCH_X86_CPU_FEATURES_H

#include "lib/types.h"

struct cpuid_regs {
    uint32_t a, b, c, d;
};

static inline struct cpuid_regs cpuid(uint32_t leaf, uint32_t sub)
{
    struct cpuid_regs r;

    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
    return r;
}

enum cpu_word {
    CPU_1_ECX,
    CPU_1_EDX,
    CPU_7_EBX,
    CPU_7_ECX,
    CPU_7_EDX,
    CPU_E1_ECX, /* 0x80000001 */
    CPU_E1_EDX,
    CPU_E7_EDX, /* 0x80000007 */
    CPU_E8_EBX, /* 0x80000008 */
    CPU_EA_EDX, /* 0x8000000a: SVM */
    CPU_WORDS
};

#define CPU_FEATURE(word, bit) ((word)*32u + (bit))
#define CPU_X2APIC             CPU_FEATURE(CPU_1_ECX, 21)
#define CPU_TSC_DEADLINE       CPU_FEATURE(CPU_1_ECX, 24)
#define CPU_XSAVE              CPU_FEATURE(CPU_1_ECX, 26)
#define CPU_RDRAND             CPU_FEATURE(CPU_1_ECX, 30)
#define CPU_MCE                CPU_FEATURE(CPU_1_EDX, 7)
#define CPU_MTRR               CPU_FEATURE(CPU_1_EDX, 12)
#define CPU_PGE                CPU_FEATURE(CPU_1_EDX, 13)
#define CPU_PAT                CPU_FEATURE(CPU_1_EDX, 16)
#define CPU_SMEP               CPU_FEATURE(CPU_7_EBX, 7)
#define CPU_SMAP               CPU_FEATURE(CPU_7_EBX, 20)
#define CPU_UMIP               CPU_FEATURE(CPU_7_ECX, 2)
#define CPU_SVM                CPU_FEATURE(CPU_E1_ECX, 2)
#define CPU_NX                 CPU_FEATURE(CPU_E1_EDX, 20)
#define CPU_PAGE_1G            CPU_FEATURE(CPU_E1_EDX, 26)
#define CPU_RDTSCP             CPU_FEATURE(CPU_E1_EDX, 27)
#define CPU_INVARIANT_TSC      CPU_FEATURE(CPU_E7_EDX, 8)

struct cpu_info {
    char vendor[13], brand[49];
    uint32_t max_leaf, max_extended;
    uint32_t family, model, stepping;
    uint8_t phys_bits; /* physical address width, less what memory encryption takes */
    uint32_t word[CPU_WORDS];
};

extern struct cpu_info cpu_info; /* constant after boot */

static inline bool cpu_has(unsigned int feature)
{
    return (cpu_info.word[feature / 32] >> (feature % 32)) & 1;
}

/* Boot CPU, first. */
void cpu_features_read(void);

/* Every CPU: CR0, CR4, EFER as Krypton wants them, write protection and all safety features. */
void cpu_control_init(void);

#define CR0_PE         (1UL << 0)
#define CR0_MP         (1UL << 1)
#define CR0_TS         (1UL << 3)
#define CR0_ET         (1UL << 4)
#define CR0_NE         (1UL << 5)
#define CR0_WP         (1UL << 16)
#define CR0_AM         (1UL << 18)
#define CR0_PG         (1UL << 31)
#define CR4_PAE        (1UL << 5)
#define CR4_MCE        (1UL << 6)
#define CR4_PGE        (1UL << 7)
#define CR4_OSFXSR     (1UL << 9)
#define CR4_OSXMMEXCPT (1UL << 10)
#define CR4_UMIP       (1UL << 11)
#define CR4_OSXSAVE    (1UL << 18)
#define CR4_SMEP       (1UL << 20)
#define CR4_SMAP       (1UL << 21)

#define CONTROL_REGISTER(n)                                         \
    static inline uint64_t cr##n##_read(void)                       \
    {                                                               \
        uint64_t v;                                                 \
                                                                    \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)::"memory"); \
        return v;                                                   \
    }                                                               \
    static inline void cr##n##_write(uint64_t v)                    \
    {                                                               \
        __asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory");  \
    }
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)

#endif

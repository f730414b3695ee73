/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Privileged instructions, plain and probed. A probe returns 0 or the exception that the
 * instruction raised, FAULT(vector, error code); the instruction then had no effect.
 */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#include "regs.h"

/* In a probe's asm: the instruction may fault; the report arrives in di, which is 0 before. */
#define FAULT(vector, error) (0x80000000u | (unsigned int)(vector) << 16 | (error))
#define FAULT_VECTOR(f)      (((f) >> 16) & 0xff)
#define PROBE(insn)     \
    "1: " insn "\n2:\n" \
    ".pushsection .probe, \"a\"\n.long 1b, 2b\n.popsection\n"
#define GP0              FAULT(13, 0)
#define UD               FAULT(6, 0)

#define MSR_APIC_BASE    0x1bu
#define MSR_PAT          0x277u
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_EFER         0xc0000080u

struct cpuid {
    uint32_t a, b, c, d;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "0"(leaf), "2"(sub));
    return r;
}

static inline uint64_t rdtsc(void)
{
    uint32_t a, d;
    __asm__ volatile("rdtsc" : "=a"(a), "=d"(d)::"memory");
    return a | (uint64_t)d << 32;
}

static inline unsigned int rdmsr_probe(uint32_t msr, uint64_t *value)
{
    unsigned int fault = 0;
    uint32_t a = 0, d = 0;
    __asm__ volatile(PROBE("rdmsr") : "+D"(fault), "+a"(a), "+d"(d) : "c"(msr) : "memory");
    *value = a | (uint64_t)d << 32;
    return fault;
}

static inline unsigned int wrmsr_probe(uint32_t msr, uint64_t value)
{
    unsigned int fault = 0;
    __asm__ volatile(PROBE("wrmsr")
                     : "+D"(fault)
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
    return fault;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t a, d;
    __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(msr) : "memory");
    return a | (uint64_t)d << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline unsigned int xsetbv_probe(uint32_t index, uint64_t value)
{
    unsigned int fault = 0;
    __asm__ volatile(PROBE(".byte 0x0f, 0x01, 0xd1")
                     : "+D"(fault)
                     : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
    return fault;
}

static inline unsigned int xgetbv_probe(uint32_t index, uint64_t *value)
{
    unsigned int fault = 0;
    uint32_t a = 0, d = 0;
    __asm__ volatile(PROBE(".byte 0x0f, 0x01, 0xd0")
                     : "+D"(fault), "+a"(a), "+d"(d)
                     : "c"(index)
                     : "memory");
    *value = a | (uint64_t)d << 32;
    return fault;
}

/* One instruction without operands, or with constant ones. */
#define INSN_PROBE(insn)                                                                   \
    ({                                                                                     \
        unsigned int fault_ = 0;                                                           \
        __asm__ volatile(PROBE(insn) : "+D"(fault_)::"memory", "eax", "ecx", "edx", "cc"); \
        fault_;                                                                            \
    })

#define CR_ACCESS(n)                                                                  \
    static inline unsigned long read_cr##n(void)                                      \
    {                                                                                 \
        unsigned long v;                                                              \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)::"memory");                   \
        return v;                                                                     \
    }                                                                                 \
    static inline unsigned int write_cr##n(unsigned long v)                           \
    {                                                                                 \
        unsigned int fault = 0;                                                       \
        __asm__ volatile(PROBE("mov %1, %%cr" #n) : "+D"(fault) : "a"(v) : "memory"); \
        return fault;                                                                 \
    }
CR_ACCESS(0)
CR_ACCESS(2)
CR_ACCESS(3)
CR_ACCESS(4)

#define PORT_ACCESS(type, suffix, reg)                                          \
    static inline type in##suffix(uint16_t port)                                \
    {                                                                           \
        type v;                                                                 \
        __asm__ volatile("in" #suffix " %1, %" reg "0" : "=a"(v) : "Nd"(port)); \
        return v;                                                               \
    }                                                                           \
    static inline void out##suffix(uint16_t port, type v)                       \
    {                                                                           \
        __asm__ volatile("out" #suffix " %" reg "0, %1" ::"a"(v), "Nd"(port));  \
    }
PORT_ACCESS(uint8_t, b, "b")
PORT_ACCESS(uint16_t, w, "w")
PORT_ACCESS(uint32_t, l, "k")

static inline void cli(void)
{
    __asm__ volatile("cli" ::: "memory");
}
static inline void sti(void)
{
    __asm__ volatile("sti" ::: "memory");
}
/* Interrupts on for this one instruction's sleep. */
static inline void sti_hlt_cli(void)
{
    __asm__ volatile("sti\n hlt\n cli" ::: "memory");
}
static inline void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}
static inline void barrier(void)
{
    __asm__ volatile("" ::: "memory");
}
static inline void invlpg(const void *p)
{
    __asm__ volatile("invlpg (%0)" ::"r"(p) : "memory");
}

/* Atomic bit operations on guest-hypervisor memory; they return the old bit. */
static inline bool bit_test_set(unsigned int bit, volatile void *p)
{
    bool old;
    __asm__ volatile("lock btsl %2, %1\n setc %0"
                     : "=q"(old), "+m"(*(volatile uint32_t *)p)
                     : "r"(bit)
                     : "memory", "cc");
    return old;
}
static inline bool bit_test_clear(unsigned int bit, volatile void *p)
{
    bool old;
    __asm__ volatile("lock btrl %2, %1\n setc %0"
                     : "=q"(old), "+m"(*(volatile uint32_t *)p)
                     : "r"(bit)
                     : "memory", "cc");
    return old;
}
static inline bool bit_test(unsigned int bit, const volatile void *p)
{
    return ((const volatile uint32_t *)p)[bit / 32] >> (bit % 32) & 1;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

#endif

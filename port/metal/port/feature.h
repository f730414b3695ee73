/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the CPU says about itself, for the guests' CPU policy: CPUID, the microcode revision, and
 * XCR0 as it stands. Real hardware; port/host answers from a table that a test fills.
 */
#ifndef KR_PORT_FEATURE_H
#define KR_PORT_FEATURE_H

#include "lib/types.h"

/* out: EAX, EBX, ECX, EDX. Any context. */
static inline void host_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(sub));
}

/* XCR0 of the vCPU that is loaded on this CPU: only a change of vCPU switches it. The CPU must have
 * XSAVE. */
static inline uint64_t host_xcr0(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

/* MSR 0x8b, which every CPU with SVM or VMX has. */
static inline uint64_t host_microcode(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0x8b));
    return (uint64_t)hi << 32 | lo;
}

#endif

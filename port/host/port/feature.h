/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the simulated machine's CPU says about itself: a table that a test may replace. Meaning as
 * in port/metal/port/feature.h.
 */
#ifndef KR_PORT_FEATURE_H
#define KR_PORT_FEATURE_H

#include "lib/types.h"

/* A leaf with its registers EAX, EBX, ECX, EDX; what is not in the table is all zero. */
struct host_cpuid_row {
    uint32_t leaf, sub;
    uint32_t reg[4];
};

extern const struct host_cpuid_row *host_cpuid_table;
extern unsigned int host_cpuid_rows;
extern uint64_t host_microcode_now;

void host_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4]);

/* Of the stepped CPU. */
uint64_t host_xcr0(void);
void host_xcr0_set(uint64_t xcr0);

static inline uint64_t host_microcode(void)
{
    return host_microcode_now;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the CPU policy: what is computed once per domain (rows.c masks, policy.c dependent bits),
 * and what a CPUID exit adds (cpuid.c). Other folders use domain/policy.h.
 */
#ifndef KR_ARCH_X86_POLICY_POLICY_H
#define KR_ARCH_X86_POLICY_POLICY_H

#include "domain/policy.h"

#define POLICY_MAX_BASIC    0xdu
#define POLICY_MAX_EXTENDED 0x80000021u
#define POLICY_NR_EXTENDED  (POLICY_MAX_EXTENDED - 0x80000000u + 1)
#define POLICY_NR_XSTATE    10u /* sub-leaves of 0xD: 0, 1, components 2 to 9 */
#define POLICY_NR_CACHES    4u  /* of 4 and 0x8000001D */
#define POLICY_NR_XEN       6u

struct cpu_policy {
    struct cpuid_leaf basic[POLICY_MAX_BASIC + 1]; /* sub-leaf 0 where there are several */
    struct cpuid_leaf extended[POLICY_NR_EXTENDED];
    struct cpuid_leaf cache[POLICY_NR_CACHES];     /* 4 */
    struct cpuid_leaf feature[2];                  /* 7 */
    struct cpuid_leaf xstate[POLICY_NR_XSTATE];    /* 0xD; EBX of the first two at run time */
    struct cpuid_leaf cache_amd[POLICY_NR_CACHES]; /* 0x8000001D */
    struct cpuid_leaf xen[POLICY_NR_XEN];          /* 0x40000000 onwards, sub-leaf 0 */
    struct cpuid_leaf xen_time[3];                 /* 0x40000003 */
    uint32_t max_basic, max_extended;
    uint64_t cr4, efer, xcr0;
    unsigned int phys_bits;
};

/* The white list: registers of the host that a guest may see, each with the bits that it may. */
struct policy_row {
    uint32_t leaf;
    uint32_t sub;
    uint32_t mask[4]; /* EAX, EBX, ECX, EDX */
};
extern const struct policy_row policy_rows[];
extern const unsigned int policy_nr_rows;

/* Where the policy keeps a leaf; NULL: nowhere. */
struct cpuid_leaf *policy_leaf(struct cpu_policy *p, uint32_t leaf, uint32_t sub);

#endif

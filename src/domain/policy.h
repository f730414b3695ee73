/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CPU a domain sees: CPUID leaves and MSRs, by white list. The x86 side is arch/x86/policy.
 */
#ifndef KR_DOMAIN_POLICY_H
#define KR_DOMAIN_POLICY_H

#include "domain/domain.h"

struct cpuid_leaf {
    uint32_t eax, ebx, ecx, edx;
};

int must_check policy_init(struct domain *d); /* the default policy from the host's */
void policy_fini(struct domain *d);

/* CPUID as v executes it now (run-time bits included): [loaded]. */
void policy_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf, struct cpuid_leaf *out);

/* CR0/CR4/EFER/XCR0 bits that v may set; maxphysaddr. */
uint64_t policy_cr4_valid(const struct domain *d);
uint64_t policy_efer_valid(const struct domain *d);
uint64_t policy_xcr0_valid(const struct domain *d);
unsigned int policy_phys_bits(const struct domain *d);

#endif

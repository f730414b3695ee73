/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's memory type range registers: kept and checked as AMD APM vol. 2, 7.7 says, without an
 * effect (memory of guests is write-back, which is what they are set to at the start).
 */
#ifndef KR_ARCH_X86_DEV_VMTRR_H
#define KR_ARCH_X86_DEV_VMTRR_H

#include "domain/domain.h"

int must_check vmtrr_create(struct vcpu *v);
void vmtrr_destroy(struct vcpu *v);

/* MSRs 0xfe, 0x200-0x20f, 0x250-0x26f, 0x2ff. false: no such register or value: #GP. */
bool must_check vmtrr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
bool must_check vmtrr_write(struct vcpu *v, uint32_t msr, uint64_t value);

/* Is each of the 8 bytes a memory type of the PAT? */
bool vmtrr_pat_valid(uint64_t pat);

#endif

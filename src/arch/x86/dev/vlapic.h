/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local APIC of a vCPU: xAPIC page and x2APIC MSRs, timer, IPIs, INIT/SIPI. Registers are in
 * Krypton's memory (no guest state that must not be seen by others); IRR is atomic because any CPU
 * may set it, all else belongs to the vCPU's own CPU. AMD APM vol. 2 ch. 16.
 */
#ifndef KR_ARCH_X86_DEV_VLAPIC_H
#define KR_ARCH_X86_DEV_VLAPIC_H

#include "domain/domain.h"

#define VLAPIC_BASE 0xfee00000ULL

extern const struct intc_ops vlapic_intc; /* domain/upcall.h */

/* Adds the xAPIC page to the domain's bus. */
int must_check vlapic_domain_init(struct domain *d);

/* The highest requested vector whose class is above that of every vector in service, or -1. The
 * task priority is the caller's matter: it holds back classes up to vlapic_get_tpr(). [loaded] */
int vlapic_pending(struct vcpu *v);
/* That vector is being delivered: IRR -> ISR. */
void vlapic_accept(struct vcpu *v, uint8_t vector);

/* MSRs 0x1b, 0x800-0x8ff, 0x6e0 (TSC deadline). false: #GP. [loaded] */
bool must_check vlapic_read_msr(struct vcpu *v, uint32_t msr, uint64_t *value);
bool must_check vlapic_write_msr(struct vcpu *v, uint32_t msr, uint64_t value);

/* CR8 both ways. */
void vlapic_set_tpr(struct vcpu *v, uint8_t cr8);
uint8_t vlapic_get_tpr(struct vcpu *v);

uint64_t vlapic_base_msr(struct vcpu *v);
uint32_t vlapic_id(struct vcpu *v); /* 2 * vcpu id */
void vlapic_dump(struct vcpu *v);

#endif

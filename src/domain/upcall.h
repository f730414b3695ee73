/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How floor 4 reaches a vCPU's interrupt controller, which is a device of floor 5: an ops table
 * that the device fills. Any CPU; the vCPU may be running elsewhere.
 */
#ifndef KR_DOMAIN_UPCALL_H
#define KR_DOMAIN_UPCALL_H

#include "domain/domain.h"

struct intc_ops {
    int (*create)(struct vcpu *v); /* makes v->lapic */
    void (*destroy)(struct vcpu *v);
    bool (*present)(struct vcpu *v);                 /* base MSR enable: CPUID shows it */
    bool (*enabled)(struct vcpu *v);                 /* base MSR enable and SVR bit 8 */
    void (*request)(struct vcpu *v, uint8_t vector); /* edge into IRR; raises VWORK_EVENT, wakes */
    bool (*has_interrupt)(struct vcpu *v);           /* a vector above PPR is waiting [loaded] */
    void (*reset)(struct vcpu *v);                   /* INIT */
};

extern const struct intc_ops *intc;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HLT and PAUSE. HLT with interrupts off and nothing pending is a vCPU that goes down: this is how
 * a PVH Linux without \_S5 powers off (hypercalls.md S1.1; addendum B1.5).
 */
#include "exit/exit.h"

#include "domain/sched.h"

#define RFLAGS_IF 0x200u

enum verdict ex_hlt(struct vcpu *v, struct vmexit *x)
{
    (void)x;
    if (virt->event_pending(v, NULL) || v->nmi_pending)
        return VERDICT_DONE;
    if (!(v->priv->regs.rflags & RFLAGS_IF)) {
        vcpu_down(v);
        return VERDICT_DONE;
    }
    vcpu_block(v);
    if (vcpu_has_event(v))
        vcpu_wake(v);
    return VERDICT_DONE;
}

enum verdict ex_pause(struct vcpu *v, struct vmexit *x)
{
    (void)x;
    sched_yield_vcpu(v);
    return VERDICT_DONE;
}

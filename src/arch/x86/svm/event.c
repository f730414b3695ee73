/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event delivery into a guest: what was interrupted at an exit, injection at the next entry, the
 * interrupt and NMI windows. AMD APM vol. 2, 15.7.2, 15.20, 15.21. Which event to deliver is
 * decided in exit/work.c.
 */
#include "arch/x86/svm/svm.h"

#define RFLAGS_IF 0x200u
#define VEC_BP    3u
#define VEC_OF    4u

void event_take(struct vcpu *v, uint64_t info)
{
    struct virt_vcpu *vv = v->virt;

    vv->pending = (struct vcpu_event){
        .vector = (uint8_t)info,
        .type = (uint8_t)((info >> 8) & 7),
        .has_error = info & EVENT_HAS_ERROR,
        .error = (uint32_t)(info >> 32),
        .valid = true,
    };
    /* Raised by an instruction that rip still points at: executing it again raises it again. */
    if (vv->pending.type == EVENT_SOFT_INT ||
        (vv->pending.type == EVENT_EXCEPTION &&
         (vv->pending.vector == VEC_BP || vv->pending.vector == VEC_OF)))
        vv->pending.valid = false;
    if (vv->pending.valid && vv->pending.type == EVENT_NMI)
        vv->nmi_blocked = false;
}

uint64_t event_encode(struct vcpu *v)
{
    struct virt_vcpu *vv = v->virt;
    const struct vcpu_event *e = &vv->pending;

    if (e->type == EVENT_NMI) {
        vv->nmi_blocked = true;
        vv->iret_seen = false;
        vv->vmcb->intercept[3] |= ICEPT_IRET;
    }
    return e->vector | (uint64_t)e->type << 8 |
           (e->has_error ? EVENT_HAS_ERROR | (uint64_t)e->error << 32 : 0) | EVENT_VALID;
}

/* IRET ends the blocking of NMIs only when it has completed. */
void event_iret(struct vcpu *v)
{
    v->virt->iret_seen = true;
    v->virt->iret_rip = v->virt->vmcb->rip;
    v->virt->vmcb->intercept[3] &= ~ICEPT_IRET;
}

bool svm_event_ready(struct vcpu *v)
{
    const struct vmcb *c = v->virt->vmcb;

    return (c->rflags & RFLAGS_IF) && !(c->shadow & 1) && !v->virt->pending.valid;
}

bool svm_nmi_ready(struct vcpu *v)
{
    struct virt_vcpu *vv = v->virt;

    if (vv->nmi_blocked && vv->iret_seen && vv->vmcb->rip != vv->iret_rip)
        vv->nmi_blocked = false;
    return !vv->nmi_blocked && !(vv->vmcb->shadow & 1) && !vv->pending.valid;
}

bool svm_event_pending(struct vcpu *v, struct vcpu_event *e)
{
    if (e)
        *e = v->virt->pending;
    return v->virt->pending.valid;
}

void svm_inject(struct vcpu *v, const struct vcpu_event *e)
{
    v->virt->pending = *e;
}

/* An interrupt that the TPR holds back is waited for by CR8 writes: not by V_INTR_PRIO, since QEMU
 * takes a virtual interrupt of the TPR's own class too, which would exit at every entry. */
void svm_window(struct vcpu *v, bool on, uint8_t priority)
{
    struct vmcb *c = v->virt->vmcb;

    c->vintr &= ~(VINTR_IRQ | VINTR_IGN_TPR | 0xfull << VINTR_PRIO_SHIFT);
    c->intercept[3] &= ~ICEPT_VINTR;
    c->intercept[0] &= ~ICEPT_CR_WRITE(8);
    if (!on)
        return;
    if (priority <= (c->vintr & VINTR_TPR_MASK)) {
        c->intercept[0] |= ICEPT_CR_WRITE(8);
        return;
    }
    c->intercept[3] |= ICEPT_VINTR;
    c->vintr |= VINTR_IRQ;
    if (priority > 15)
        c->vintr |= VINTR_IGN_TPR;
    else
        c->vintr |= (uint64_t)priority << VINTR_PRIO_SHIFT;
}

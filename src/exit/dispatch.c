/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a neutral exit record to its handler: counts, traces, calls, and moves rip. A reason
 * without a row ends the domain, with the raw code in the message.
 */
#include "exit/exit.h"

#include "lib/nospec.h"
#include "core/printk.h"
#include "core/trace.h"

#define EFER_LMA (1ULL << 10)

static enum verdict ex_none(struct vcpu *v, struct vmexit *x)
{
    (void)v;
    (void)x;
    return VERDICT_RETRY;
}

static enum verdict ex_window(struct vcpu *v, struct vmexit *x)
{
    (void)x;
    event_settle(v);
    return VERDICT_RETRY;
}

static enum verdict ex_skip(struct vcpu *v, struct vmexit *x)
{
    (void)v;
    (void)x;
    return VERDICT_DONE;
}

static enum verdict ex_undefined(struct vcpu *v, struct vmexit *x)
{
    (void)x;
    vcpu_raise_exception(v, 6, false, 0);
    return VERDICT_FAULT;
}

static enum verdict ex_privileged(struct vcpu *v, struct vmexit *x)
{
    (void)x;
    vcpu_raise_exception(v, 13, true, 0);
    return VERDICT_FAULT;
}

static const exit_handler handler[VMEXIT_NR] = {
    [VMEXIT_NONE] = ex_none,
    [VMEXIT_CPUID] = ex_cpuid,
    [VMEXIT_MSR] = ex_msr,
    [VMEXIT_IO] = ex_io,
    [VMEXIT_NPF] = ex_npf,
    [VMEXIT_HYPERCALL] = ex_call,
    [VMEXIT_HLT] = ex_hlt,
    [VMEXIT_PAUSE] = ex_pause,
    [VMEXIT_RDPMC] = ex_privileged, /* no counters are offered */
    [VMEXIT_WBINVD] = ex_skip,      /* no device memory and no DMA: nothing to write back */
    [VMEXIT_XSETBV] = ex_xsetbv,
    [VMEXIT_CR] = ex_cr,
    [VMEXIT_DR] = ex_dr,
    [VMEXIT_EXCEPTION] = ex_exception,
    [VMEXIT_INTR_WINDOW] = ex_window,
    [VMEXIT_NMI_WINDOW] = ex_none,
    [VMEXIT_TASK_SWITCH] = ex_task_switch,
    [VMEXIT_SHUTDOWN] = ex_shutdown,
    [VMEXIT_UNDEFINED] = ex_undefined,
    [VMEXIT_INVALID] = ex_invalid,
};

/* Bytes of the exiting instruction without prefixes, for CPUs that do not save the next rip. */
static const uint8_t unprefixed_len[VMEXIT_NR] = {
    [VMEXIT_CPUID] = 2, [VMEXIT_MSR] = 2,    [VMEXIT_HYPERCALL] = 3,
    [VMEXIT_HLT] = 1,   [VMEXIT_PAUSE] = 2,  [VMEXIT_RDTSC] = 2,
    [VMEXIT_RDPMC] = 2, [VMEXIT_WBINVD] = 2, [VMEXIT_XSETBV] = 3,
};

static void dispatch_advance(struct vcpu *v, const struct vmexit *x)
{
    struct vcpu_regs *r = &v->priv->regs;

    r->rip += x->len ? x->len : unprefixed_len[x->reason];
    if (unlikely(r->rip >> 32) && virt->mode(v) != MODE_LONG64)
        r->rip &= 0xffffffff;
    virt->clear_shadow(v);
}

void exit_dispatch(struct vcpu *v, struct vmexit *x)
{
    unsigned int reason = (unsigned int)index_nospec(x->reason, VMEXIT_NR);
    exit_handler fn = handler[reason];

    v->exits[reason]++;
    trace(TRACE_EXIT, (uint32_t)x->info, v->priv->regs.rip);
    if (unlikely(!fn)) {
        domain_crash(v->domain, "vCPU %u: exit that nothing handles, code %#lx", v->id, x->info);
        return;
    }
    if (fn(v, x) == VERDICT_DONE)
        dispatch_advance(v, x);
}

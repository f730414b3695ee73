/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPUs: creation, sleep and wake, up and down, pause bits. Which runs when is domain/sched's;
 * register state is the back end's.
 */
#include "lib/string.h"
#include "domain/evtchn.h"
#include "domain/lifecycle.h"
#include "domain/sched.h"
#include "domain/shared.h"
#include "domain/upcall.h"
#include "mem/heap.h"

#include "port/mem.h"

const struct virt_ops *virt;
const struct intc_ops *intc;

static void vcpu_timer_virq(void *arg)
{
    struct vcpu *v = arg;

    evtchn_send_vcpu_virq(v, VIRQ_TIMER);
}

static void vcpu_timer_periodic(void *arg)
{
    struct vcpu *v = arg;

    evtchn_send_vcpu_virq(v, VIRQ_TIMER);
    if (v->period)
        ktimer_start(&v->periodic, v->periodic.expires + v->period, v->cpu);
}

static void vcpu_timer_poll(void *arg)
{
    struct vcpu *v = arg;

    if (READ_ONCE(v->polling)) /* else that poll has ended already */
        vcpu_wake(v);
}

int vcpu_create(struct domain *d, unsigned int id)
{
    struct vcpu *v = kalloc(sizeof(*v));
    int err;

    if (!v)
        return -XEN_ENOMEM;
    v->id = id;
    v->domain = d;
    v->pause = VPAUSE_DOWN | (d->pause_count ? VPAUSE_DOMAIN : 0);
    v->info.mfn = MFN_NONE;
    v->runstate.state = RUNSTATE_offline;
    ktimer_init(&v->singleshot, vcpu_timer_virq, v);
    ktimer_init(&v->periodic, vcpu_timer_periodic, v);
    ktimer_init(&v->poll_timer, vcpu_timer_poll, v);
    d->vcpu[id] = v;
    err = sched_vcpu_init(v);
    if (!err)
        err = intc->create(v);
    if (!err)
        err = virt->vcpu_create(v);
    if (!err)
        virt->set_tsc_offset(v, (uint64_t)d->tsc_offset);
    return err; /* a failed domain is torn down whole */
}

void vcpu_destroy(struct vcpu *v)
{
    virt->vcpu_destroy(v);
    if (v->lapic)
        intc->destroy(v);
    if (v->sched)
        sched_vcpu_fini(v);
    kfree(v);
}

bool vcpu_stopped(const struct vcpu *v)
{
    return READ_ONCE(v->pause) && !READ_ONCE(v->running);
}

void vcpu_pause_set(struct vcpu *v, uint32_t bits)
{
    uint32_t old = __atomic_fetch_or(&v->pause, bits, __ATOMIC_SEQ_CST);

    if (old)
        return;
    sched_runnable_changed(v);
    vcpu_raise(v, VWORK_PAUSE);
}

void vcpu_pause_clear(struct vcpu *v, uint32_t bits)
{
    uint32_t old = __atomic_fetch_and(&v->pause, ~bits, __ATOMIC_SEQ_CST);

    if (old && !(old & ~bits))
        sched_runnable_changed(v);
}

/* The bits come before the look at `running`, as the loop looks the other way round. */
void vcpu_raise(struct vcpu *v, uint32_t work)
{
    __atomic_fetch_or(&v->work, work, __ATOMIC_SEQ_CST);
    if (READ_ONCE(v->running) && READ_ONCE(v->cpu) != this_cpu()->id)
        cpu_kick(READ_ONCE(v->cpu));
}

void vcpu_block(struct vcpu *v)
{
    vcpu_pause_set(v, VPAUSE_BLOCKED);
}

void vcpu_wake(struct vcpu *v)
{
    if (!(READ_ONCE(v->pause) & VPAUSE_BLOCKED))
        return;
    WRITE_ONCE(v->polling, false);
    vcpu_pause_clear(v, VPAUSE_BLOCKED);
}

void vcpu_up(struct vcpu *v)
{
    struct domain *d = v->domain;

    lock(&d->lock);
    if (READ_ONCE(v->pause) & VPAUSE_DOWN) {
        d->online_vcpus++;
        vcpu_pause_clear(v, VPAUSE_DOWN | VPAUSE_BLOCKED);
    }
    unlock(&d->lock);
}

void vcpu_down(struct vcpu *v)
{
    struct domain *d = v->domain;
    bool last = false;

    lock(&d->lock);
    if (!(READ_ONCE(v->pause) & VPAUSE_DOWN)) {
        last = --d->online_vcpus == 0;
        vcpu_pause_set(v, VPAUSE_DOWN);
    }
    unlock(&d->lock);
    if (last)
        domain_shutdown(d, SHUTDOWN_poweroff);
}

static bool vcpu_callback_due(struct vcpu *v)
{
    struct vcpu_info *info;
    bool due = false;

    if (!v->domain->callback_vector || v->upcall_vector)
        return false;
    info = vcpu_info_map(v);
    if (info) {
        due = mem_load8(&info->evtchn_upcall_pending);
        shared_unmap(info);
    }
    return due;
}

bool vcpu_has_event(struct vcpu *v)
{
    if (v->nmi_pending || virt->event_pending(v, NULL))
        return true;
    if (!(v->priv->regs.rflags & 0x200))
        return false;
    return vcpu_callback_due(v) || intc->has_interrupt(v);
}

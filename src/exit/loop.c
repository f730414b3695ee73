/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of a physical CPU: pick a vCPU, settle what is pending, enter it, dispatch the exit,
 * repeat. Nothing else changes which vCPU runs; nothing here or below blocks.
 */
#include "exit/exit.h"

#include "core/clock.h"
#include "core/param.h"
#include "core/printk.h"
#include "core/reclaim.h"
#include "core/task.h"
#include "core/trace.h"
#include "domain/flush.h"
#include "domain/sched.h"
#include "guest/areas.h"
#include "mem/heap.h"
#include "mem/window.h"

#include "port/cpu.h"
#include "port/mmu.h"

static struct pcpu_shared *loop_shared(void)
{
    return &pcpu_shared[this_cpu()->id];
}

void loop_serve(struct domain *d)
{
    struct pcpu *c = this_cpu();
    struct pcpu_shared *s = loop_shared();

    if (s->serving == d)
        return;
    c->served_domid = d ? d->id : FRAME_OWNER_NONE;
    window_serve(c->served_domid);
    WRITE_ONCE(s->serving, d);
    if (d)
        cpumask_set(&d->has_run, c->id);
    smp_mb();
    mmu_domain_part(d ? _mfn(d->part_root) : MFN_NONE);
}

static void loop_unload(struct vcpu *v)
{
    runstate_publish(v);
    virt->unload(v);
    this_cpu()->loaded = NULL;
    sched_release(v);
}

static void loop_load(struct vcpu *v)
{
    loop_serve(v->domain);
    virt->load(v);
    this_cpu()->loaded = v;
    time_publish(v, false);
    runstate_publish(v);
    vcpu_raise(v, VWORK_EVENT); /* interrupts that came while it was not loaded */
}

static void loop_switch(struct vcpu *next)
{
    struct pcpu *c = this_cpu();
    struct vcpu *prev = c->loaded;

    if (next != prev) {
        trace(TRACE_SWITCH, next ? (uint32_t)next->domain->id << 16 | next->id : ~0u,
              prev ? (uint64_t)prev->domain->id << 16 | prev->id : ~0ull);
        if (prev)
            loop_unload(prev);
        if (next)
            loop_load(next);
    }
    c->current = next;
}

/* Scrubs free memory while there is nothing else to do; sleeps when there is none left. */
static void loop_idle(void)
{
    struct pcpu_shared *s = loop_shared();
    struct domain *d = s->serving;

    if (d && READ_ONCE(d->state) >= DOMAIN_DYING)
        loop_serve(NULL);
    if (params.bootscrub != PARAM_SCRUB_OFF && heap_scrub_step())
        return;
    WRITE_ONCE(s->idle, true);
    smp_mb();
    irq_disable();
    if (READ_ONCE(s->work))
        irq_enable();
    else
        cpu_idle_wait();
    WRITE_ONCE(s->idle, false);
}

/* One entry: interrupts are off from the last look at the work bits until the guest runs. */
static void loop_enter(struct vcpu *v, struct pcpu_shared *s)
{
    struct vmexit x;

    irq_disable();
    if (unlikely(READ_ONCE(s->work) | READ_ONCE(v->work))) {
        irq_enable();
        return;
    }
    if (unlikely(flush_check(v))) {
        virt->flush_guest(v);
        window_forget_all();
    }
    virt->run(v, &x);
    irq_enable();
    exit_dispatch(v, &x);
}

void loop_pass(void)
{
    struct pcpu *c = this_cpu();
    struct pcpu_shared *s = c->shared;

    reclaim_quiescent();
    if (unlikely(READ_ONCE(s->work)) && work_cpu())
        loop_switch(sched_pick(c->current));
    if (!c->current)
        loop_idle();
    else if (likely(!READ_ONCE(c->current->work)) || work_settle(c->current))
        loop_enter(c->current, s);
}

void exit_loop(void)
{
    irq_enable();
    for (;;)
        loop_pass();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a domain: waiting until every vCPU has stopped, then giving back what it has, in
 * bounded and idempotent steps of a task. Each phase may be repeated; a phase ends when its step
 * says that nothing is left.
 */
#include "domain/lifecycle.h"

#include "core/printk.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/policy.h"
#include "domain/sched.h"
#include "domain/shared.h"
#include "mem/heap.h"
#include "arch/x86/vcpu/part.h"

#define PAGES_PER_STEP 256u

static bool teardown_vcpus(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v)
        if (v && !vcpu_stopped(v))
            return true;
    return false;
}

/* No CPU's domain part or windows are d's any more. An idle CPU lets go when it looks. */
static bool teardown_serving(struct domain *d)
{
    bool left = false;
    unsigned int cpu;

    for_each_cpu (cpu, &cpus_online)
        if (READ_ONCE(pcpu_shared[cpu].serving) == d) {
            pcpu_raise(cpu, WORK_RESCHED);
            left = true;
        }
    return left;
}

static bool teardown_pages(struct domain *d)
{
    return pages_release_step(d, PAGES_PER_STEP);
}

static bool teardown_grants(struct domain *d)
{
    return d->grants && grant_release_maps_step(d);
}

static bool teardown_events(struct domain *d)
{
    return d->evtchn && evtchn_close_all_step(d);
}

static bool teardown_shared(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v)
        if (v) {
            ktimer_stop_sync(&v->singleshot);
            ktimer_stop_sync(&v->periodic);
            ktimer_stop_sync(&v->poll_timer);
            shared_release(&v->info);
        }
    for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdog); i++)
        ktimer_stop_sync(&d->watchdog[i]);
    if (domain_hooks && domain_hooks->release)
        domain_hooks->release(d);
    return false;
}

/* In this order; each is called until it returns false. */
static bool (*const teardown_phase[])(struct domain *d) = {
    teardown_vcpus,  teardown_serving, teardown_grants, teardown_events,
    teardown_shared, p2m_fini_step,    teardown_pages,
};

static bool teardown_step(struct domain *d)
{
    if (d->kill_phase < ARRAY_SIZE(teardown_phase)) {
        if (!teardown_phase[d->kill_phase](d))
            d->kill_phase++;
        return true;
    }
    d->state = DOMAIN_DEAD;
    if (domain_event_hook && d->built)
        domain_event_hook(d);
    domain_put(d); /* the reference of creation */
    return false;
}

/* One step: of the teardown once DYING, else of a shutdown, which waits for the vCPUs. */
static bool lifecycle_step(struct task *t)
{
    struct domain *d = container_of(t, struct domain, task);
    bool down;

    if (d->state == DOMAIN_DYING)
        return teardown_step(d);
    if (d->state >= DOMAIN_SHUTDOWN)
        return false;
    if (teardown_vcpus(d))
        return true;
    lock(&d->lock);
    down = d->state < DOMAIN_SHUTDOWN; /* it may have been killed meanwhile */
    if (down)
        d->state = DOMAIN_SHUTDOWN;
    unlock(&d->lock);
    if (down && domain_event_hook)
        domain_event_hook(d);
    return d->state == DOMAIN_DYING;
}

void lifecycle_init(struct domain *d)
{
    task_init(&d->task, lifecycle_step);
}

void domain_kill(struct domain *d)
{
    struct vcpu *v;
    bool first;

    lock(&d->lock);
    first = d->state < DOMAIN_DYING;
    if (first) {
        d->state = DOMAIN_DYING;
        for_each_vcpu (d, v)
            if (v)
                vcpu_pause_set(v, VPAUSE_DYING);
    }
    unlock(&d->lock);
    if (first)
        task_queue(&d->task);
}

/* After the grace period: nobody can have found it. */
static void domain_release(struct reclaim *r)
{
    struct domain *d = container_of(r, struct domain, reclaim);
    struct vcpu *v;

    if (d->sched)
        sched_domain_fini(d); /* its timer and its records point at the vCPUs */
    for_each_vcpu (d, v)
        if (v)
            vcpu_destroy(v);
    if (domain_hooks)
        domain_hooks->destroy(d);
    if (d->grants)
        grant_fini(d);
    if (d->evtchn)
        evtchn_fini(d);
    if (d->policy)
        policy_fini(d);
    part_fini(d);
    kfree(d->memory_map);
    kfree(d->vcpu);
    kfree(d);
}

void domain_put(struct domain *d)
{
    if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_SEQ_CST))
        return;
    domain_unpublish(d);
    reclaim_defer(&d->reclaim, domain_release);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The static scheduler: a vCPU that starts takes a CPU that no other vCPU has and keeps it until
 * it is destroyed; one that finds none waits for ever (said once). No time is shared, no slice
 * timer runs.
 */
#include "domain/sched/ops.h"

#include "core/printk.h"

static struct vcpu *owner[MAX_CPUS]; /* [claim] */
static struct spinlock claim = SPINLOCK_INIT(RANK_VCPU);

static unsigned int null_place(struct vcpu *v)
{
    unsigned int cpu, own = MAX_CPUS, found = MAX_CPUS;

    lock(&claim);
    for_each_cpu (cpu, &cpus_online) {
        bool allowed = cpumask_test(&v->sched->hard, cpu);

        if (owner[cpu] == v && !allowed)
            owner[cpu] = NULL;
        else if (owner[cpu] == v)
            own = cpu;
        else if (!owner[cpu] && allowed && found == MAX_CPUS)
            found = cpu;
    }
    if (own == MAX_CPUS && found < MAX_CPUS) {
        own = found;
        owner[own] = v;
    }
    unlock(&claim);
    if (own == MAX_CPUS && !v->sched->key++)
        log_warn("%s: vCPU %u waits: no CPU is free and sched=null shares none", v->domain->name,
                 v->id);
    return own < MAX_CPUS ? own : v->cpu;
}

static void null_domain_fini(struct domain *d)
{
    lock(&claim);
    for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
        if (owner[cpu] && owner[cpu]->domain == d)
            owner[cpu] = NULL;
    unlock(&claim);
}

static bool null_enqueue(struct sched_cpu *q, struct vcpu *v, bool woken)
{
    (void)woken;
    list_add_tail(&q->queue, &v->sched->link);
    v->sched->queued = true;
    q->waiting++;
    return false;
}

static void null_dequeue(struct sched_cpu *q, struct vcpu *v)
{
    list_del(&v->sched->link);
    v->sched->queued = false;
    q->waiting--;
}

static void null_charge(struct sched_cpu *q, struct vcpu *v, nsec_t ran)
{
    (void)q;
    (void)v;
    (void)ran;
}

static struct vcpu *null_pick(struct sched_cpu *q, nsec_t now, nsec_t *until)
{
    struct sched_vcpu *s;

    (void)now;
    (void)until;
    list_for_each_entry (s, &q->queue, link)
        if (owner[this_cpu()->id] == s->vcpu)
            return s->vcpu;
    return NULL;
}

static bool null_ready(const struct vcpu *v)
{
    (void)v; /* its own CPU is told when it starts */
    return false;
}

static void null_balance(unsigned int cpu, const struct vcpu *prev, bool idle)
{
    (void)idle;
    (void)cpu;
    (void)prev;
}

const struct sched_ops sched_null = {
    .name = "null",
    .id = XEN_SCHEDULER_NULL,
    .domain_fini = null_domain_fini,
    .place = null_place,
    .enqueue = null_enqueue,
    .dequeue = null_dequeue,
    .charge = null_charge,
    .pick = null_pick,
    .ready = null_ready,
    .balance = null_balance,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proportional share by virtual runtime, under Xen's name credit2. A domain's weight is divided
 * among its vCPUs that want to run, so that more of them do not lift its share. A vCPU's key
 * advances by the time it ran over its weight; the smallest key runs next. Keys are comparable
 * between CPUs: a CPU takes over a vCPU that waits elsewhere and is far enough behind. A cap is a
 * budget of CPU time per period.
 */
#include "domain/sched/ops.h"

#include "core/clock.h"

/* Keys are ns at weight 256 of a domain with one active vCPU. */
#define WEIGHT_ONE     (256u << 10)

#define PERIOD         MSEC(24) /* every waiting vCPU of a queue runs within about this time */
#define SLICE_MIN      USEC(500)
#define SLICE_ALONE    MSEC(10)             /* until other queues are looked at again */
#define LAG_MAX        ((uint64_t)MSEC(60)) /* how far a vCPU may stay behind the others */
#define LAG_WAKE       ((uint64_t)MSEC(1))  /* what a sleeper keeps of what it did not use */
#define PREEMPT_MARGIN ((uint64_t)USEC(500))
#define BALANCE_MARGIN ((uint64_t)MSEC(4))
#define CAP_PERIOD     MSEC(10)

/* The key that was picked last and highest: the others' progress. Only ever raised. */
static uint64_t share_clock;

static void share_clock_raise(uint64_t key)
{
    uint64_t old = READ_ONCE(share_clock);

    while (key > old && !__atomic_compare_exchange_n(&share_clock, &old, key, false,
                                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

static uint64_t share_weight(const struct vcpu *v)
{
    const struct sched_domain *s = v->domain->sched;

    return ((uint64_t)s->params.weight << 10) / max(READ_ONCE(s->active), 1u) + 1;
}

static bool share_capped(const struct vcpu *v)
{
    const struct sched_domain *s = v->domain->sched;

    return s->params.cap && READ_ONCE(s->budget) <= 0;
}

/* The CPUs on which vCPUs of d wait for a refill look again. */
static void share_refill(void *arg)
{
    struct domain *d = arg;
    struct sched_domain *s = d->sched;
    int64_t quota = CAP_PERIOD * s->params.cap / 100;
    int64_t old = READ_ONCE(s->budget);
    struct vcpu *v;

    if (!s->params.cap)
        return;
    while (!__atomic_compare_exchange_n(&s->budget, &old, min(old + quota, quota), false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    if (old <= 0)
        for_each_vcpu (d, v)
            if (v && v->sched && READ_ONCE(v->sched->queued))
                pcpu_raise(v->cpu, WORK_RESCHED);
    ktimer_start(&s->refill, s->refill.expires + CAP_PERIOD, this_cpu()->id);
}

static int share_domain_init(struct domain *d)
{
    ktimer_init(&d->sched->refill, share_refill, d);
    return 0;
}

static void share_domain_fini(struct domain *d)
{
    d->sched->params.cap = 0;
    ktimer_stop_sync(&d->sched->refill);
}

static int share_adjust(struct domain *d, const struct sched_params *p)
{
    struct sched_domain *s = d->sched;
    bool was_capped = s->params.cap;

    s->params = *p;
    if (p->cap && !was_capped) {
        s->budget = CAP_PERIOD * p->cap / 100;
        ktimer_start(&s->refill, clock_now() + CAP_PERIOD, this_cpu()->id);
    }
    return 0;
}

static unsigned int share_place(struct vcpu *v)
{
    cpumask_t mask = {v->sched->hard.bits & READ_ONCE(cpus_online.bits)};
    unsigned int cpu = sched_idle_cpu(v), best = v->cpu, least = ~0u;

    if (cpu < MAX_CPUS)
        return cpu;
    if (mask.bits & v->sched->soft.bits)
        mask.bits &= v->sched->soft.bits;
    for_each_cpu (cpu, &mask) {
        unsigned int n = 2 * READ_ONCE(sched_queue(cpu)->waiting) + (cpu != v->cpu);

        if (n < least) {
            least = n;
            best = cpu;
        }
    }
    return best;
}

static void share_update_best(struct sched_cpu *q)
{
    WRITE_ONCE(q->best,
               list_empty(&q->queue) ? ~0ULL : list_first(&q->queue, struct sched_vcpu, link)->key);
}

static bool share_enqueue(struct sched_cpu *q, struct vcpu *v, bool woken)
{
    struct sched_vcpu *s = v->sched, *at;
    uint64_t now = READ_ONCE(share_clock), lag = woken ? LAG_WAKE : LAG_MAX;

    if (now > lag && s->key < now - lag)
        s->key = now - lag;
    list_for_each_entry (at, &q->queue, link)
        if (at->key > s->key)
            break;
    list_insert_before(&at->link, &s->link);
    s->queued = true;
    s->weight = share_weight(v);
    q->weight += s->weight;
    q->waiting++;
    share_update_best(q);
    return q->curr && s->key + PREEMPT_MARGIN < q->curr->sched->key && !share_capped(v);
}

static void share_dequeue(struct sched_cpu *q, struct vcpu *v)
{
    struct sched_vcpu *s = v->sched;

    list_del(&s->link);
    s->queued = false;
    s->yielded = false;
    q->weight -= s->weight;
    q->waiting--;
    share_update_best(q);
}

static void share_charge(struct sched_cpu *q, struct vcpu *v, nsec_t ran)
{
    struct sched_domain *s = v->domain->sched;

    (void)q;
    if (ran <= 0)
        return;
    v->sched->key += (uint64_t)ran * WEIGHT_ONE / share_weight(v);
    if (s->params.cap)
        __atomic_fetch_sub(&s->budget, ran, __ATOMIC_RELAXED);
}

static nsec_t share_slice(const struct sched_cpu *q, const struct vcpu *v)
{
    nsec_t slice = SLICE_ALONE;

    if (q->waiting > 1)
        slice = max((nsec_t)((uint64_t)PERIOD * v->sched->weight / q->weight), SLICE_MIN);
    if (v->domain->sched->params.cap)
        slice = min(slice, max((nsec_t)READ_ONCE(v->domain->sched->budget), USEC(50)));
    return slice;
}

/* The first that has budget and did not just yield; of those that yielded the first when there is
 * no other. */
static struct vcpu *share_pick(struct sched_cpu *q, nsec_t now, nsec_t *until)
{
    struct sched_vcpu *s;
    struct vcpu *v = NULL, *yielded = NULL;

    list_for_each_entry (s, &q->queue, link) {
        struct vcpu *w = s->vcpu;

        if (share_capped(w) || (READ_ONCE(w->running) && READ_ONCE(w->cpu) != this_cpu()->id))
            continue;
        if (!s->yielded) {
            v = w;
            break;
        }
        s->yielded = false;
        yielded = yielded ? yielded : w;
    }
    v = v ? v : yielded;
    if (v) {
        share_clock_raise(v->sched->key);
        *until = now + share_slice(q, v);
    }
    return v;
}

/* Moves the best waiting vCPU of `from` that may run on `cpu` and is behind `limit`. */
static bool share_take(unsigned int from, unsigned int cpu, uint64_t limit)
{
    struct sched_cpu *a = sched_queue(from), *b = sched_queue(cpu);
    struct sched_vcpu *s;
    bool taken = false;

    lock_pair(from < cpu ? &a->lock : &b->lock, from < cpu ? &b->lock : &a->lock);
    list_for_each_entry (s, &a->queue, link) {
        struct vcpu *v = s->vcpu;

        if (s->key >= limit)
            break;
        if (READ_ONCE(v->running) || share_capped(v) || !cpumask_test(&s->hard, cpu))
            continue;
        share_dequeue(a, v);
        WRITE_ONCE(v->cpu, cpu);
        (void)share_enqueue(b, v, false);
        taken = true;
        break;
    }
    unlock_pair(from < cpu ? &a->lock : &b->lock, from < cpu ? &b->lock : &a->lock);
    return taken;
}

static void share_balance(unsigned int cpu, uint64_t best)
{
    struct sched_cpu *q = sched_queue(cpu);
    struct vcpu *curr = READ_ONCE(q->curr);
    unsigned int other, from = MAX_CPUS;
    uint64_t behind;

    if (curr && !READ_ONCE(curr->pause) && curr->sched->key < best)
        best = curr->sched->key;
    if (best != ~0ULL)
        best = best > BALANCE_MARGIN ? best - BALANCE_MARGIN : 0;
    behind = best;
    for_each_cpu (other, &cpus_online)
        if (other != cpu && READ_ONCE(sched_queue(other)->best) < behind) {
            behind = READ_ONCE(sched_queue(other)->best);
            from = other;
        }
    if (from < MAX_CPUS)
        (void)share_take(from, cpu, best);
}

const struct sched_ops sched_share = {
    .name = "credit2",
    .id = XEN_SCHEDULER_CREDIT2,
    .domain_init = share_domain_init,
    .domain_fini = share_domain_fini,
    .place = share_place,
    .enqueue = share_enqueue,
    .dequeue = share_dequeue,
    .charge = share_charge,
    .pick = share_pick,
    .balance = share_balance,
    .adjust = share_adjust,
};

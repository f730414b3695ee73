/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proportional share by virtual runtime, under Xen's name credit2. A domain's weight is divided
 * among its vCPUs that want to run, so that more of them do not lift its share. A vCPU's key
 * advances by the time it ran over its weight; the smallest key runs next. Keys are comparable
 * between CPUs: a CPU takes over a vCPU that waits elsewhere and is far enough behind. A CPU whose
 * vCPUs are ahead because nobody else may run there has all their keys set back together. A cap is
 * a budget of CPU time per period.
 */
#include "domain/sched/ops.h"

#include "core/clock.h"

/* Keys are ns at weight 256 of a domain with one active vCPU; they wrap. */
#define WEIGHT_ONE     (256u << 10)

#define PERIOD         MSEC(6) /* every waiting vCPU of a queue runs within about this time */
#define SLICE_MIN      USEC(500)
#define SLICE_ALONE    MSEC(10) /* until other queues are looked at again */
#define LAG_MAX        MSEC(60) /* how far a vCPU may stay behind the others */
#define LAG_WAKE       MSEC(1)  /* what a sleeper keeps of what it did not use */
#define WAIT_MAX       MSEC(80) /* who has run waits about so long at most, share or not */
#define AHEAD_ROUNDS   4u       /* how far a CPU's vCPUs may get ahead of the other CPUs' */
#define PREEMPT_MARGIN USEC(500)
#define STAY_MARGIN    MSEC(2) /* what a cache is worth */
#define BALANCE_TRIES  4u
#define CAP_PERIOD     MSEC(10)
#define CAP_SLICE_MIN  USEC(50)

/* How far everybody has got: the least sched_cpu.clock of the busy CPUs. Only ever raised. */
static uint64_t share_clock;
/* The longest round (share_round()) of the busy CPUs. */
static uint64_t share_longest;

static bool before(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0;
}

static uint64_t share_weight(const struct vcpu *v)
{
    const struct sched_domain *s = v->domain->sched;

    return ((uint64_t)s->params.weight << 10) / max(READ_ONCE(s->active), 1u) + 1;
}

static bool share_ready(const struct vcpu *v)
{
    const struct sched_domain *s = v->domain->sched;

    return !s->params.cap || READ_ONCE(s->budget) > 0;
}

/* -- caps ------------------------------------------------------------------------------------- */

/* The CPUs on which vCPUs of d wait look again. */
static void share_look_again(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v)
        if (v && v->sched && READ_ONCE(v->sched->queued))
            pcpu_raise(READ_ONCE(v->cpu), WORK_RESCHED);
}

/* What was used before is charged first: a budget that is not used up does not grow. */
static void share_refill(void *arg)
{
    struct domain *d = arg;
    struct sched_domain *s = d->sched;
    int64_t quota = CAP_PERIOD * s->params.cap / 100, old;
    struct vcpu *v;

    if (!s->params.cap)
        return;
    for_each_vcpu (d, v)
        if (v && v->sched && READ_ONCE(v->running))
            sched_charge_vcpu(v);
    old = READ_ONCE(s->budget);
    while (!__atomic_compare_exchange_n(&s->budget, &old, min(old + quota, quota), false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    if (old <= 0)
        share_look_again(d);
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
    if (!p->cap && was_capped)
        share_look_again(d);
    return 0;
}

/* -- keys ------------------------------------------------------------------------------------- */

/* What each vCPU of q advances while all of them take one turn. */
static uint64_t share_round(const struct sched_cpu *q)
{
    const struct vcpu *curr = READ_ONCE(q->curr);
    uint64_t weight = READ_ONCE(q->weight) + (curr ? share_weight(curr) : 0);

    return (uint64_t)PERIOD * WEIGHT_ONE / max(weight, (uint64_t)1);
}

/* Looks how far the CPUs have got that run something; `self` does or has. */
static void share_clock_update(unsigned int self)
{
    uint64_t least = sched_queue(self)->clock, longest = 0, old = READ_ONCE(share_clock);
    unsigned int cpu;

    for_each_cpu (cpu, &cpus_online) {
        const struct sched_cpu *q = sched_queue(cpu);
        uint64_t clock = READ_ONCE(q->clock);

        if (!READ_ONCE(q->curr))
            continue;
        longest = max(longest, share_round(q));
        if (before(clock, least))
            least = clock;
    }
    WRITE_ONCE(share_longest, longest);
    while (before(old, least) && !__atomic_compare_exchange_n(&share_clock, &old, least, false,
                                                              __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

/* By how much q is too far ahead; its clock is set back, the keys are the caller's. */
static uint64_t share_set_back(struct sched_cpu *q)
{
    uint64_t limit = READ_ONCE(share_clock) + AHEAD_ROUNDS * READ_ONCE(share_longest), over;

    if (!before(limit, q->clock))
        return 0;
    over = q->clock - limit;
    q->clock = limit;
    return over;
}

static void share_update_best(struct sched_cpu *q)
{
    if (!list_empty(&q->queue))
        WRITE_ONCE(q->best, list_first(&q->queue, struct sched_vcpu, link)->key);
}

static void share_charge(struct sched_cpu *q, struct vcpu *v, nsec_t ran)
{
    struct sched_domain *s = v->domain->sched;

    v->sched->seen = READ_ONCE(share_clock);
    if (ran <= 0)
        return;
    v->sched->key += (uint64_t)ran * WEIGHT_ONE / share_weight(v);
    if (s->params.cap)
        __atomic_fetch_sub(&s->budget, ran, __ATOMIC_RELAXED);
    /* Time that nobody else wanted takes nothing from what is due later. */
    if (!q->waiting) {
        q->clock = v->sched->key;
        v->sched->key -= share_set_back(q);
    }
}

/* -- queues ----------------------------------------------------------------------------------- */

static bool share_enqueue(struct sched_cpu *q, struct vcpu *v, bool woken)
{
    struct sched_vcpu *s = v->sched, *at;
    uint64_t now = READ_ONCE(share_clock), least = now - (uint64_t)(woken ? LAG_WAKE : LAG_MAX);

    /* What it had ahead of its due is not paid by sleep while its domain went on without it. */
    if (woken && before(s->seen, s->key) && READ_ONCE(v->domain->sched->active) > 1)
        s->key += now - s->seen;
    if (before(s->key, least))
        s->key = least;
    if (!q->curr && !q->waiting)
        q->clock = s->key; /* it was idle: its clock stood still */
    list_for_each_entry (at, &q->queue, link)
        if (before(s->key, at->key))
            break;
    list_insert_before(&at->link, &s->link);
    s->queued = true;
    s->weight = share_weight(v);
    q->weight += s->weight;
    q->waiting++;
    share_update_best(q);
    return q->curr && before(s->key + (uint64_t)PREEMPT_MARGIN, q->curr->sched->key) &&
           share_ready(v);
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

static nsec_t share_slice(const struct sched_cpu *q, const struct vcpu *v)
{
    nsec_t slice = SLICE_ALONE;

    if (q->waiting > 1)
        slice = max((nsec_t)((uint64_t)PERIOD * v->sched->weight / q->weight), SLICE_MIN);
    if (v->domain->sched->params.cap)
        slice = min(slice, max((nsec_t)READ_ONCE(v->domain->sched->budget), CAP_SLICE_MIN));
    return slice;
}

/* Brings the keys of q's waiting vCPUs within bounds; the first that may run has key `first`. */
static void share_bound(struct sched_cpu *q, uint64_t first)
{
    uint64_t limit = first + (uint64_t)WAIT_MAX * WEIGHT_ONE / q->weight, over;
    struct list *l;
    struct sched_vcpu *s;

    for (l = q->queue.prev; l != &q->queue; l = l->prev) {
        s = list_entry(l, struct sched_vcpu, link);
        if (!before(limit, s->key))
            break;
        s->key = limit;
    }
    q->clock = first;
    over = share_set_back(q);
    if (over)
        list_for_each_entry (s, &q->queue, link)
            s->key -= over;
}

/* The first that has budget and did not just yield; of those that yielded the first when there is
 * no other. */
static struct vcpu *share_pick(struct sched_cpu *q, nsec_t now, nsec_t *until)
{
    struct vcpu *v = NULL, *first = NULL;
    struct sched_vcpu *s;

    list_for_each_entry (s, &q->queue, link) {
        if (!share_ready(s->vcpu))
            continue;
        first = first ? first : s->vcpu;
        if (!s->yielded) {
            v = s->vcpu;
            break;
        }
        s->yielded = false;
    }
    if (!first)
        return NULL;
    v = v ? v : first;
    share_bound(q, first->sched->key);
    *until = now + share_slice(q, v);
    return v;
}

/* -- placement -------------------------------------------------------------------------------- */

/* An idle CPU; else the one whose vCPU it would preempt, its own first; else the least crowded. */
static unsigned int share_place(struct vcpu *v)
{
    cpumask_t mask = {v->sched->hard.bits & READ_ONCE(cpus_online.bits)};
    unsigned int cpu = sched_claim_idle(v), best = v->cpu, least = ~0u;
    uint64_t most = READ_ONCE(share_clock) - (uint64_t)LAG_WAKE;

    if (cpu < MAX_CPUS)
        return cpu;
    if (before(most, v->sched->key))
        most = v->sched->key;
    most += (uint64_t)PREEMPT_MARGIN;
    if (mask.bits & v->sched->soft.bits)
        mask.bits &= v->sched->soft.bits;
    for_each_cpu (cpu, &mask) {
        struct sched_cpu *q = sched_queue(cpu);
        struct vcpu *curr = READ_ONCE(q->curr);
        unsigned int n = 2 * READ_ONCE(q->waiting) + (cpu != v->cpu);

        if (curr && before(most, curr->sched->key)) {
            most = curr->sched->key + (uint64_t)(cpu == v->cpu ? STAY_MARGIN : 0);
            least = 0;
            best = cpu;
        } else if (n < least) {
            least = n;
            best = cpu;
        }
    }
    return best;
}

/* Is a vCPU with this key, waiting at q, behind *limit by more than its turn explains? */
static bool share_behind(const struct sched_cpu *q, uint64_t key, const uint64_t *limit)
{
    return !limit || before(key + share_round(q), *limit);
}

/* Moves the best waiting vCPU of `from` that may run on `cpu` and is behind *limit (NULL: any). */
static bool share_take(unsigned int from, unsigned int cpu, const uint64_t *limit)
{
    struct sched_cpu *a = sched_queue(from), *b = sched_queue(cpu);
    struct sched_vcpu *s;
    bool taken = false;

    lock_pair(from < cpu ? &a->lock : &b->lock, from < cpu ? &b->lock : &a->lock);
    list_for_each_entry (s, &a->queue, link) {
        struct vcpu *v = s->vcpu;

        if (!share_behind(a, s->key, limit))
            break;
        if (READ_ONCE(v->running) || !share_ready(v) || !cpumask_test(&s->hard, cpu))
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

/* The CPU of `others` with the smallest waiting key that is behind *limit (NULL: any). */
static unsigned int share_most_behind(const cpumask_t *others, const uint64_t *limit)
{
    unsigned int cpu, from = MAX_CPUS;
    uint64_t least = 0;

    for_each_cpu (cpu, others) {
        const struct sched_cpu *q = sched_queue(cpu);
        uint64_t key = READ_ONCE(q->best);

        if (!READ_ONCE(q->waiting) || !share_behind(q, key, limit))
            continue;
        if (from == MAX_CPUS || before(key, least)) {
            least = key;
            from = cpu;
        }
    }
    return from;
}

/* A CPU that has nothing to run asks everybody, any other the few that look worst off. */
static void share_balance(unsigned int cpu, const struct vcpu *prev, bool idle)
{
    const struct sched_cpu *q = sched_queue(cpu);
    cpumask_t others = {READ_ONCE(cpus_online.bits) & ~(1ULL << cpu)};
    bool waiting = READ_ONCE(q->waiting), stays = prev && !READ_ONCE(prev->pause);
    uint64_t limit = waiting ? READ_ONCE(q->best) : 0;
    unsigned int from, tries = idle ? MAX_CPUS : BALANCE_TRIES;

    if (prev)
        share_clock_update(cpu);
    if (stays && (!waiting || before(prev->sched->key, limit)))
        limit = prev->sched->key;
    if (!waiting && !stays && !idle)
        return; /* unless its queue is filled meanwhile it will ask as an idle one */
    while (tries-- && (from = share_most_behind(&others, idle ? NULL : &limit)) < MAX_CPUS &&
           !share_take(from, cpu, idle ? NULL : &limit))
        others.bits &= ~(1ULL << from);
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
    .ready = share_ready,
    .balance = share_balance,
    .adjust = share_adjust,
};

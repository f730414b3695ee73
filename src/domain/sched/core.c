/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every scheduling algorithm shares: queues and their locks, runstates, affinity, the way
 * from "may run" to a queue and to a CPU. Decisions about order and share are the algorithm's.
 */
#include "domain/sched/ops.h"

#include "lib/format.h"
#include "lib/string.h"
#include "core/clock.h"
#include "core/param.h"
#include "core/printk.h"
#include "core/trace.h"
#include "mem/heap.h"

static const struct sched_ops *ops = &sched_share;
static struct sched_cpu queues[MAX_CPUS];

/*
 * CPUs that found nothing to run. A CPU sets its bit and then looks at all queues once more; who
 * puts a vCPU on a queue looks at the bits afterwards: one of the two sees the other. Whoever
 * clears the bit has the CPU look again.
 */
static cpumask_t idle;

static const struct sched_ops *const algorithms[] = {&sched_share, &sched_null};

struct sched_cpu *sched_queue(unsigned int cpu)
{
    return &queues[cpu];
}

const char *sched_name(void)
{
    return ops->name;
}

unsigned int sched_id(void)
{
    return ops->id;
}

static void sched_slice_end(void *arg)
{
    pcpu_raise((unsigned int)((struct sched_cpu *)arg - queues), WORK_RESCHED);
}

int sched_init(void)
{
    int err = -XEN_EINVAL;

    for (unsigned int i = 0; i < ARRAY_SIZE(algorithms); i++)
        if (!strcmp(params.sched, algorithms[i]->name)) {
            ops = algorithms[i];
            err = 0;
        }
    if (err)
        log_warn("sched=%s: no such scheduler, %s is used", params.sched, ops->name);
    idle.bits = ~0ULL;
    for (unsigned int i = 0; i < MAX_CPUS; i++) {
        lock_init(&queues[i].lock, RANK_SCHED);
        list_init(&queues[i].queue);
        ktimer_init(&queues[i].slice, sched_slice_end, &queues[i]);
        pcpu_shared[i].sched = &queues[i];
    }
    return err;
}

int sched_domain_init(struct domain *d)
{
    d->sched = kalloc(sizeof(*d->sched));
    if (!d->sched)
        return -XEN_ENOMEM;
    d->sched->params = (struct sched_params){.weight = 256};
    return ops->domain_init ? ops->domain_init(d) : 0;
}

void sched_domain_fini(struct domain *d)
{
    if (ops->domain_fini)
        ops->domain_fini(d);
    kfree(d->sched);
    d->sched = NULL;
}

int sched_vcpu_init(struct vcpu *v)
{
    v->sched = kalloc(sizeof(*v->sched));
    if (!v->sched)
        return -XEN_ENOMEM;
    v->sched->vcpu = v;
    list_init(&v->sched->link);
    v->sched->hard.bits = v->sched->soft.bits = ~0ULL;
    v->runstate.state_entry_time = (uint64_t)clock_now();
    v->cpu = this_cpu()->id; /* placed when it starts */
    return 0;
}

void sched_vcpu_fini(struct vcpu *v)
{
    kfree(v->sched);
    v->sched = NULL;
}

struct sched_cpu *sched_lock_vcpu(struct vcpu *v)
{
    for (;;) {
        struct sched_cpu *q = &queues[READ_ONCE(v->cpu)];

        lock(&q->lock);
        if (q == &queues[READ_ONCE(v->cpu)])
            return q;
        unlock(&q->lock);
    }
}

/* Queue lock held. */
static void runstate_change(struct vcpu *v, int state, nsec_t now)
{
    struct vcpu_runstate_info *r = &v->runstate;

    if (r->state == state)
        return;
    if ((uint64_t)now > r->state_entry_time)
        r->time[r->state & 3] += (uint64_t)now - r->state_entry_time;
    r->state = state;
    r->state_entry_time = (uint64_t)now;
}

static int runstate_of_pause(uint32_t pause)
{
    if (!pause)
        return RUNSTATE_runnable;
    return pause == VPAUSE_BLOCKED ? RUNSTATE_blocked : RUNSTATE_offline;
}

void sched_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out)
{
    struct sched_cpu *q = sched_lock_vcpu(v);
    uint64_t now = (uint64_t)clock_now();

    *out = v->runstate;
    if (now > out->state_entry_time)
        out->time[out->state & 3] += now - out->state_entry_time;
    unlock(&q->lock);
}

unsigned int sched_claim_idle(const struct vcpu *v)
{
    const struct sched_vcpu *s = v->sched;
    uint64_t free;

    while ((free = READ_ONCE(idle.bits) & READ_ONCE(s->hard.bits) & READ_ONCE(cpus_online.bits))) {
        unsigned int last = READ_ONCE(v->cpu), cpu;

        if (free & READ_ONCE(s->soft.bits))
            free &= READ_ONCE(s->soft.bits);
        cpu = (free >> last) & 1 ? last : (unsigned int)__builtin_ctzll(free);
        if (__atomic_fetch_and(&idle.bits, ~(1ULL << cpu), __ATOMIC_SEQ_CST) & (1ULL << cpu)) {
            pcpu_raise(cpu, WORK_RESCHED);
            return cpu;
        }
    }
    return MAX_CPUS;
}

/* v is on a queue or can be taken from it only now: has an idle CPU come for it. */
static void sched_offer(const struct vcpu *v)
{
    smp_mb();
    if (READ_ONCE(idle.bits) && READ_ONCE(v->sched->queued) && ops->ready(v))
        (void)sched_claim_idle(v);
}

/* The queue's lock is held. */
static void sched_charge(struct sched_cpu *q, nsec_t now)
{
    if (!q->curr)
        return;
    ops->charge(q, q->curr, now - q->curr->sched->since);
    q->curr->sched->since = now;
}

void sched_charge_vcpu(struct vcpu *v)
{
    struct sched_cpu *q = sched_lock_vcpu(v);

    if (q->curr == v)
        sched_charge(q, clock_now());
    unlock(&q->lock);
}

/* The queue's lock is held. Says whether v should run before the CPU's current one. */
static bool sched_enqueue(struct sched_cpu *q, struct vcpu *v)
{
    nsec_t now = clock_now();

    sched_charge(q, now);
    runstate_change(v, RUNSTATE_runnable, now);
    __atomic_fetch_add(&v->domain->sched->active, 1, __ATOMIC_RELAXED);
    return ops->enqueue(q, v, true) || !q->curr;
}

/* v's queue with its lock, after the algorithm has chosen one if v is on none and not loaded:
 * nobody else moves such a vCPU. */
static struct sched_cpu *sched_place(struct vcpu *v)
{
    struct sched_cpu *q = sched_lock_vcpu(v);
    unsigned int cpu;

    if (v->running || v->sched->queued)
        return q;
    unlock(&q->lock);
    cpu = ops->place(v);
    q = sched_lock_vcpu(v);
    if (!v->running && !v->sched->queued && cpu != v->cpu) {
        WRITE_ONCE(v->cpu, cpu);
        unlock(&q->lock);
        q = &queues[cpu];
        lock(&q->lock);
    }
    return q;
}

/* Became able to run: onto a queue. While a CPU still has it loaded it stays with that CPU, or is
 * placed when that has unloaded it. */
static void sched_start(struct vcpu *v)
{
    struct sched_cpu *q = sched_place(v);
    unsigned int cpu = (unsigned int)(q - queues);
    bool start = !v->sched->queued && q->curr != v && !READ_ONCE(v->pause), preempt = false;

    if (start && v->running && !cpumask_test(&v->sched->hard, cpu)) {
        v->sched->displaced = true;
        start = false;
    }
    if (start)
        preempt = sched_enqueue(q, v);
    unlock(&q->lock);
    if (preempt)
        pcpu_raise(cpu, WORK_RESCHED);
    else if (start)
        sched_offer(v);
}

/* Stopped being able to run: off its queue, or off its CPU at the next pick. */
static void sched_stop(struct vcpu *v)
{
    struct sched_cpu *q = sched_lock_vcpu(v);
    uint32_t pause = READ_ONCE(v->pause);
    bool running = q->curr == v;

    if (pause && v->sched->queued) {
        ops->dequeue(q, v);
        __atomic_fetch_sub(&v->domain->sched->active, 1, __ATOMIC_RELAXED);
    }
    if (pause && !running)
        runstate_change(v, runstate_of_pause(pause), clock_now());
    unlock(&q->lock);
    if (running)
        pcpu_raise((unsigned int)(q - queues), WORK_RESCHED);
}

void sched_runnable_changed(struct vcpu *v)
{
    trace(READ_ONCE(v->pause) ? TRACE_BLOCK : TRACE_WAKE, (uint32_t)v->domain->id << 16 | v->id, 0);
    if (READ_ONCE(v->pause))
        sched_stop(v);
    else
        sched_start(v);
}

/* prev leaves the CPU, or goes back to the queue so that the pick compares it with the others. */
static void sched_put_prev(struct sched_cpu *q, struct vcpu *prev, nsec_t now)
{
    uint32_t pause = READ_ONCE(prev->pause);

    sched_charge(q, now);
    q->curr = NULL;
    prev->sched->displaced =
        !pause && !cpumask_test(&prev->sched->hard, (unsigned int)(q - queues));
    if (pause || prev->sched->displaced) {
        runstate_change(prev, runstate_of_pause(pause), now);
        __atomic_fetch_sub(&prev->domain->sched->active, 1, __ATOMIC_RELAXED);
    } else
        (void)ops->enqueue(q, prev, false);
}

/* Others wait here while CPUs are idle. Lock held. */
static void sched_offer_waiting(struct sched_cpu *q)
{
    struct sched_vcpu *s;

    list_for_each_entry (s, &q->queue, link)
        if (READ_ONCE(idle.bits) && !s->vcpu->running && ops->ready(s->vcpu))
            (void)sched_claim_idle(s->vcpu);
}

/* Takes the one to run next off the queue. Lock held. */
static struct vcpu *sched_take_next(struct sched_cpu *q, nsec_t now, nsec_t *until)
{
    struct vcpu *next = ops->pick(q, now, until);

    if (next) {
        ops->dequeue(q, next);
        next->sched->since = now;
        next->running = true;
        runstate_change(next, RUNSTATE_running, now);
    }
    q->curr = next;
    if (next && q->waiting)
        sched_offer_waiting(q);
    return next;
}

/* Nothing was found: from now on others see this CPU as idle, so it looks everywhere once more. */
static struct vcpu *sched_last_look(struct sched_cpu *q, nsec_t now, nsec_t *until)
{
    unsigned int cpu = (unsigned int)(q - queues);
    struct vcpu *next;

    cpumask_set(&idle, cpu);
    ops->balance(cpu, NULL, true);
    lock(&q->lock);
    next = sched_take_next(q, now, until);
    unlock(&q->lock);
    return next;
}

/* This CPU was idle, so somebody may count on it to come for a vCPU that waits elsewhere, and it
 * has found another one: the next goes. */
static void sched_pass_on(unsigned int self)
{
    unsigned int cpu;

    cpumask_clear(&idle, self);
    for_each_cpu (cpu, &cpus_online) {
        struct sched_cpu *q = &queues[cpu];

        if (!READ_ONCE(idle.bits) || cpu == self || !READ_ONCE(q->waiting))
            continue;
        lock(&q->lock);
        sched_offer_waiting(q);
        unlock(&q->lock);
    }
}

struct vcpu *sched_pick(struct vcpu *prev)
{
    unsigned int cpu = this_cpu()->id;
    struct sched_cpu *q = &queues[cpu];
    nsec_t now = clock_now(), until = NSEC_NEVER;
    bool was_idle = !prev;
    struct vcpu *next;

    lock(&q->lock);
    sched_charge(q, now);
    unlock(&q->lock);
    ops->balance(cpu, prev, false);
    lock(&q->lock);
    if (prev)
        sched_put_prev(q, prev, now);
    next = sched_take_next(q, now, &until);
    if (prev && prev->sched->queued)
        runstate_change(prev, RUNSTATE_runnable, now);
    unlock(&q->lock);
    if (!next) {
        was_idle = true;
        next = sched_last_look(q, now, &until);
    }
    if (next && was_idle)
        sched_pass_on(cpu);
    if (until == NSEC_NEVER)
        ktimer_stop(&q->slice);
    else
        ktimer_start(&q->slice, until, cpu);
    return next;
}

void sched_release(struct vcpu *v)
{
    struct sched_cpu *q = sched_lock_vcpu(v);
    bool displaced = v->sched->displaced;

    v->sched->displaced = false;
    v->running = false;
    unlock(&q->lock);
    if (displaced)
        sched_start(v);
    else
        sched_offer(v);
}

void sched_yield_vcpu(struct vcpu *v)
{
    struct sched_cpu *q = &queues[v->cpu];

    if (!READ_ONCE(q->waiting))
        return;
    v->sched->yielded = true;
    pcpu_raise(v->cpu, WORK_RESCHED);
}

int sched_adjust(struct domain *d, const struct sched_params *set, struct sched_params *get)
{
    int err = 0;

    if (set && !set->weight)
        return -XEN_EINVAL;
    if (set)
        err = ops->adjust ? ops->adjust(d, set) : -XEN_EINVAL;
    if (get)
        *get = d->sched->params;
    return err;
}

int sched_set_affinity(struct vcpu *v, const cpumask_t *hard, const cpumask_t *soft)
{
    struct sched_cpu *q;
    bool move;

    if (hard && !(hard->bits & READ_ONCE(cpus_online.bits)))
        return -XEN_EINVAL;
    q = sched_lock_vcpu(v);
    if (hard)
        v->sched->hard = *hard;
    if (soft)
        v->sched->soft = *soft;
    move = !cpumask_test(&v->sched->hard, v->cpu);
    if (move && v->sched->queued) {
        ops->dequeue(q, v);
        __atomic_fetch_sub(&v->domain->sched->active, 1, __ATOMIC_RELAXED);
    }
    unlock(&q->lock);
    if (READ_ONCE(v->pause))
        return 0;
    if (move) {
        pcpu_raise(v->cpu, WORK_RESCHED); /* running there: displaced at the next pick */
        sched_start(v);
    } else
        sched_offer(v);
    return 0;
}

void sched_get_affinity(struct vcpu *v, cpumask_t *hard, cpumask_t *soft)
{
    *hard = v->sched->hard;
    *soft = v->sched->soft;
}

void sched_dump(void)
{
    unsigned int cpu;

    log_info("scheduler: %s", ops->name);
    for_each_cpu (cpu, &cpus_online) {
        struct sched_cpu *q = &queues[cpu];
        struct vcpu *v = READ_ONCE(q->curr);

        if (v)
            log_info("  CPU %u: runs %s vCPU %u, %u waiting", cpu, v->domain->name, v->id,
                     READ_ONCE(q->waiting));
        else
            log_info("  CPU %u: idle, %u waiting", cpu, READ_ONCE(q->waiting));
    }
}

static int sched_fail(char *why, size_t size, unsigned int cpu, const char *what)
{
    format(why, size, "CPU %u: %s", cpu, what);
    return -1;
}

int sched_check(char *why, size_t size)
{
    for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++) {
        struct sched_cpu *q = &queues[cpu];
        struct sched_vcpu *s;
        unsigned int n = 0;
        uint64_t weight = 0;

        list_for_each_entry (s, &q->queue, link) {
            if (!s->queued || s->vcpu->cpu != cpu)
                return sched_fail(why, size, cpu, "a vCPU on the queue does not know of it");
            if (q->curr == s->vcpu)
                return sched_fail(why, size, cpu, "the running vCPU is on the queue");
            weight += s->weight;
            n++;
        }
        if (n != q->waiting || weight != q->weight)
            return sched_fail(why, size, cpu, "the queue's length or weight is not its sum");
        if (q->curr && (q->curr->cpu != cpu || !q->curr->running))
            return sched_fail(why, size, cpu, "the running vCPU does not know of it");
    }
    return 0;
}

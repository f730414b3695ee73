/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU timer queues as pairing heaps: start is O(1), the rest O(log n) amortised. In a heap,
 * `next` links siblings; `prev` is the sibling before, or the parent of a first child.
 */
#include "core/clock.h"
#include "core/pcpu.h"
#include "core/printk.h"

/* Callbacks run in one go; a CPU whose timers keep coming due gets other work done in between. */
#define RUN_MAX 32

static struct ktimer *meld(struct ktimer *a, struct ktimer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->expires < a->expires) {
        struct ktimer *tmp = a;
        a = b;
        b = tmp;
    }
    b->prev = a;
    b->next = a->child;
    if (b->next)
        b->next->prev = b;
    a->child = b;
    return a;
}

/* Melds siblings in pairs, then the pairs from the last to the first. */
static struct ktimer *meld_siblings(struct ktimer *first)
{
    struct ktimer *pairs = NULL, *root = NULL;

    while (first) {
        struct ktimer *a = first, *b = first->next;
        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct ktimer *a = pairs;
        pairs = a->next;
        a->next = NULL;
        root = meld(root, a);
    }
    return root;
}

static void queue_insert(struct timer_queue *q, struct ktimer *t)
{
    q->root = meld(q->root, t);
    t->queued = true;
}

static void queue_remove(struct timer_queue *q, struct ktimer *t)
{
    struct ktimer *children = meld_siblings(t->child);

    if (t == q->root) {
        q->root = children;
    } else {
        if (t->prev->child == t)
            t->prev->child = t->next;
        else
            t->prev->next = t->next;
        if (t->next)
            t->next->prev = t->prev;
        q->root = meld(q->root, children);
    }
    t->child = t->next = t->prev = NULL;
    t->queued = false;
}

static struct timer_queue *queue_of(unsigned int cpu)
{
    return &pcpu_shared[cpu].timers;
}

static struct spinlock *lock_of(unsigned int cpu)
{
    return &pcpu_shared[cpu].timers.lock;
}

static void unlock_queues(unsigned int a, unsigned int b)
{
    unlock_pair(lock_of(min(a, b)), lock_of(max(a, b)));
}

/* Locks the queue that the timer is for, and that of CPU `other` too; returns the former's CPU. */
static unsigned int lock_queues(const struct ktimer *t, unsigned int other)
{
    for (;;) {
        unsigned int cpu = READ_ONCE(t->cpu);
        lock_pair(lock_of(min(cpu, other)), lock_of(max(cpu, other)));
        if (cpu == t->cpu)
            return cpu;
        unlock_queues(cpu, other);
    }
}

/* A deadline too early costs an empty ktimer_run(), so stopping a timer leaves it. */
static void queue_arm(struct timer_queue *q, unsigned int cpu)
{
    if (q->root->expires >= q->armed)
        return;
    q->armed = q->root->expires;
    if (cpu == this_cpu()->id && q->armed > clock_now())
        cpu_timer_set(q->armed);
    else
        pcpu_raise(cpu, WORK_TIMER); /* also what is due: before the CPU's next entry */
}

void timer_queue_init(struct timer_queue *q)
{
    *q = (struct timer_queue){.armed = NSEC_NEVER};
    lock_init(&q->lock, RANK_TIMER);
}

void ktimer_init(struct ktimer *t, void (*fn)(void *), void *arg)
{
    *t = (struct ktimer){.fn = fn, .arg = arg};
}

void ktimer_start(struct ktimer *t, nsec_t expires, unsigned int cpu)
{
    unsigned int old = lock_queues(t, cpu);

    if (t->queued)
        queue_remove(queue_of(old), t);
    t->cpu = cpu;
    t->expires = expires;
    queue_insert(queue_of(cpu), t);
    queue_arm(queue_of(cpu), cpu);
    unlock_queues(old, cpu);
}

bool ktimer_stop(struct ktimer *t)
{
    unsigned int other = READ_ONCE(t->cpu), cpu = lock_queues(t, other);
    bool was_queued = t->queued;

    if (was_queued)
        queue_remove(queue_of(cpu), t);
    unlock_queues(cpu, other);
    return was_queued;
}

/* A callback may have started its timer for another CPU than it runs on: ask all. */
static bool runs_elsewhere(const struct ktimer *t)
{
    for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
        if (cpu != this_cpu()->id && READ_ONCE(queue_of(cpu)->running) == t)
            return true;
    return false;
}

void ktimer_stop_sync(struct ktimer *t)
{
    for (;;) {
        ktimer_stop(t);
        if (!runs_elsewhere(t))
            break;
        cpu_relax();
    }
    /* It may have started itself again between the two looks; nobody runs it now. */
    ktimer_stop(t);
}

void ktimer_migrate(struct ktimer *t, unsigned int cpu)
{
    unsigned int old = lock_queues(t, cpu);

    if (t->queued && old != cpu) {
        queue_remove(queue_of(old), t);
        t->cpu = cpu;
        queue_insert(queue_of(cpu), t);
        queue_arm(queue_of(cpu), cpu);
    }
    unlock_queues(old, cpu);
}

void ktimer_run(void)
{
    unsigned int cpu = this_cpu()->id;
    struct timer_queue *q = queue_of(cpu);
    nsec_t now = clock_now();

    lock(&q->lock);
    for (int n = 0; q->root && q->root->expires <= now && n < RUN_MAX; n++) {
        struct ktimer *t = q->root;
        queue_remove(q, t);
        q->running = t;
        unlock(&q->lock);
        t->fn(t->arg);
        lock(&q->lock);
        WRITE_ONCE(q->running, NULL);
    }
    /* The hardware's deadline has passed, so it is armed anew even for the same time. */
    q->armed = q->root ? q->root->expires : NSEC_NEVER;
    cpu_timer_set(q->armed);
    unlock(&q->lock);
}

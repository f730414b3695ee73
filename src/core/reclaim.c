/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grace periods in batches. At most one batch waits for the CPUs; what is deferred meanwhile makes
 * up the next. Every CPU is asked for a pass (WORK_RECLAIM leaves the guest or wakes the idle), the
 * last one to pass has the batch run.
 */
#include "core/pcpu.h"
#include "core/reclaim.h"

/* Callbacks run in one go. */
#define RUN_MAX 32

/* [lock] singly linked: deferred since the waiting batch began, waiting, due. */
static struct spinlock reclaim_lock = SPINLOCK_INIT(RANK_TASK);
static struct reclaim *incoming, *waiting, *due;
/* CPUs that have not passed since the batch began; a CPU clears its own bit. */
static uint64_t awaited;

void reclaim_defer(struct reclaim *r, void (*fn)(struct reclaim *r))
{
    r->fn = fn;
    lock(&reclaim_lock);
    r->next = incoming;
    incoming = r;
    unlock(&reclaim_lock);
    pcpu_raise(this_cpu()->id, WORK_RECLAIM);
}

void reclaim_quiescent(void)
{
    uint64_t own = 1ULL << this_cpu()->id;

    if (likely(!(READ_ONCE(awaited) & own)))
        return;
    if (__atomic_and_fetch(&awaited, ~own, __ATOMIC_SEQ_CST) == 0)
        pcpu_raise(this_cpu()->id, WORK_RECLAIM);
}

/* The next batch, if none waits; returns the CPUs to ask for a pass. [reclaim_lock] */
static cpumask_t batch_begin(void)
{
    if (waiting || !incoming)
        return (cpumask_t){0};
    waiting = incoming;
    incoming = NULL;
    __atomic_store_n(&awaited, cpus_online.bits, __ATOMIC_SEQ_CST);
    return cpus_online;
}

void reclaim_run(void)
{
    unsigned int cpu;

    for (int n = 0; n < RUN_MAX; n++) {
        lock(&reclaim_lock);
        if (!due && READ_ONCE(awaited) == 0) {
            due = waiting;
            waiting = NULL;
        }
        cpumask_t ask = batch_begin();
        struct reclaim *r = due;
        if (r)
            due = r->next;
        unlock(&reclaim_lock);
        for_each_cpu (cpu, &ask)
            if (cpu != this_cpu()->id)
                pcpu_raise(cpu, WORK_RECLAIM);
        if (!r)
            return;
        r->fn(r);
    }
    pcpu_raise(this_cpu()->id, WORK_RECLAIM);
}

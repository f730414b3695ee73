/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spinlocks, fair (ticket). Interrupt handlers take none, so they are held with interrupts on.
 * A lock has a rank: locks are taken in rising rank; two of the same rank only through
 * lock_pair(). Debug builds stop on a violation.
 */
#ifndef KR_CORE_LOCK_H
#define KR_CORE_LOCK_H

#include "lib/types.h"

/* The order in which locks nest, outermost first. docs/locking.md explains each. */
enum lock_rank {
    RANK_CONTROL = 1,   /* numbers for new domains */
    RANK_DOMAIN,        /* a domain's life: state, vCPU set, pause counts, parameters */
    RANK_PHYSMAP,       /* a domain's add_to_physmap calls, one at a time */
    RANK_GUEST_CONSOLE, /* a guest's console */
    RANK_GRANT,         /* a grant table; two by domain id */
    RANK_EVTCHN,        /* a domain's event channel table; two by domain id */
    RANK_EVTQ,          /* a FIFO queue; two by address */
    RANK_P2M,           /* a p2m's tables and pool */
    RANK_DOMLIST,       /* the table of domains */
    RANK_PAGELIST,      /* a domain's page list and counts */
    RANK_VCPU,          /* a vCPU's sleep/wake state */
    RANK_SCHED,         /* a CPU's run queue; two by CPU number */
    RANK_HEAP,          /* buddy heap */
    RANK_SLAB,          /* small objects */
    RANK_TIMER,         /* a CPU's timer queue */
    RANK_TASK,          /* deferred work list */
    RANK_TERMINAL,      /* lines on the terminal and who has it */
    RANK_CONSOLE,       /* console output and rings: the last, so that anything may print */
};

struct spinlock {
    uint16_t next, owner;
    uint8_t rank;
};

#define SPINLOCK_INIT(r) \
    {                    \
        .rank = (r)      \
    }

static inline void lock_init(struct spinlock *l, enum lock_rank rank)
{
    *l = (struct spinlock){.rank = (uint8_t)rank};
}

void lock(struct spinlock *l);
void unlock(struct spinlock *l);
bool must_check try_lock(struct spinlock *l);

/* Two locks of one rank, in the order given: the caller decides by domain id, CPU or address.
 * a == b is allowed and taken once. */
void lock_pair(struct spinlock *a, struct spinlock *b);
void unlock_pair(struct spinlock *a, struct spinlock *b);

/* True while any CPU holds it; for assertions. */
static inline bool lock_is_held(const struct spinlock *l)
{
    return READ_ONCE(l->next) != READ_ONCE(l->owner);
}

#endif

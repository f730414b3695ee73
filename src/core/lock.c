/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticket locks. The order of ranks is checked before waiting, so that a debug build stops with the
 * culprit's stack and not in a deadlock.
 */
#include "core/lock.h"
#include "core/pcpu.h"
#include "core/printk.h"

static bool ranks_checked(void)
{
    return KR_DEBUG && pcpus_ready && !panicking;
}

static void rank_check(const struct spinlock *l, bool second_of_pair)
{
    if (!ranks_checked())
        return;
    struct pcpu *c = this_cpu();
    BUG_ON(l->rank == 0);
    for (int i = 0; i < c->held_locks; i++)
        if (c->held_ranks[i] > l->rank || (c->held_ranks[i] == l->rank && !second_of_pair))
            panic("lock of rank %u taken while rank %u is held", l->rank, c->held_ranks[i]);
}

static void rank_push(const struct spinlock *l)
{
    if (!ranks_checked())
        return;
    struct pcpu *c = this_cpu();
    BUG_ON((size_t)c->held_locks == ARRAY_SIZE(c->held_ranks));
    c->held_ranks[c->held_locks++] = l->rank;
}

static void rank_pop(const struct spinlock *l)
{
    if (!ranks_checked())
        return;
    struct pcpu *c = this_cpu();
    int i = c->held_locks - 1;
    while (i >= 0 && c->held_ranks[i] != l->rank)
        i--;
    BUG_ON(i < 0);
    for (; i < c->held_locks - 1; i++)
        c->held_ranks[i] = c->held_ranks[i + 1];
    c->held_locks--;
}

static void acquire(struct spinlock *l)
{
    uint16_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
        cpu_relax();
    rank_push(l);
}

void lock(struct spinlock *l)
{
    rank_check(l, false);
    acquire(l);
}

void unlock(struct spinlock *l)
{
    ASSERT(lock_is_held(l));
    rank_pop(l);
    __atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
}

bool try_lock(struct spinlock *l)
{
    uint16_t owner = READ_ONCE(l->owner);

    if (!__atomic_compare_exchange_n(&l->next, &owner, (uint16_t)(owner + 1), false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return false;
    rank_push(l);
    return true;
}

void lock_pair(struct spinlock *a, struct spinlock *b)
{
    lock(a);
    if (b == a)
        return;
    rank_check(b, true);
    acquire(b);
}

void unlock_pair(struct spinlock *a, struct spinlock *b)
{
    if (b != a)
        unlock(b);
    unlock(a);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buddy heap. A free block is wholly clean (zero) or wholly dirty, and merges only with a buddy
 * of its own kind, so that freeing one page does not make a clean gigabyte dirty; scrubbing brings
 * the kinds together, and so does an allocation that would fail otherwise.
 */
#include "core/lock.h"
#include "core/printk.h"
#include "mem/heap.h"
#include "mem/window.h"

#include "port/mem.h"

/* A scrub step: one page, for a wake-up of the idle CPU waits for its end. */
#define SCRUB_ORDER 0u

enum zone { HIGH, LOW, ZONES }; /* LOW: below 4 GiB */
enum kind { CLEAN, DIRTY, KINDS };

/* [lock] first block by order, 0 = none; a bit in `orders` for each list that is not empty. */
struct free_lists {
    uint32_t head[HEAP_MAX_ORDER + 1];
    uint32_t orders;
};

static struct spinlock heap_lock = SPINLOCK_INIT(RANK_HEAP);
static struct free_lists lists[ZONES][KINDS];
static uint64_t free_pages, total_pages;

static enum zone zone_of(uint64_t mfn)
{
    return mfn < GIB(4) >> PAGE_SHIFT ? LOW : HIGH;
}

static enum kind kind_of(const struct page *pg)
{
    return page_flags(pg) & PAGE_DIRTY ? DIRTY : CLEAN;
}

static void push(uint64_t mfn, unsigned int order, enum kind kind)
{
    struct free_lists *l = &lists[zone_of(mfn)][kind];
    struct page *pg = page_of(_mfn(mfn));

    WRITE_ONCE(pg->state,
               page_state(FRAME_OWNER_FREE, kind == DIRTY ? PAGE_BUDDY | PAGE_DIRTY : PAGE_BUDDY,
                          order, 0));
    pg->prev = 0;
    pg->next = l->head[order];
    if (pg->next)
        page_of(_mfn(pg->next))->prev = (uint32_t)mfn;
    l->head[order] = (uint32_t)mfn;
    l->orders |= 1u << order;
}

static void pull(uint64_t mfn, unsigned int order, enum kind kind)
{
    struct free_lists *l = &lists[zone_of(mfn)][kind];
    struct page *pg = page_of(_mfn(mfn));

    if (pg->next)
        page_of(_mfn(pg->next))->prev = pg->prev;
    if (pg->prev)
        page_of(_mfn(pg->prev))->next = pg->next;
    else
        l->head[order] = pg->next;
    if (!l->head[order])
        l->orders &= ~(1u << order);
    WRITE_ONCE(pg->state, page_state(FRAME_OWNER_FREE, 0, 0, 0));
}

static bool is_free_block(uint64_t mfn, unsigned int order)
{
    if (!frame_valid(_mfn(mfn)))
        return false;
    const struct page *pg = page_of(_mfn(mfn));
    return page_owner(pg) == FRAME_OWNER_FREE && page_flags(pg) & PAGE_BUDDY &&
           (uint8_t)(pg->state >> 32) == order;
}

/* Puts a block on its list, after merging it with the buddies that are free and alike. */
static void merge(uint64_t mfn, unsigned int order, enum kind kind)
{
    for (; order < HEAP_MAX_ORDER; order++) {
        uint64_t buddy = mfn ^ (1ULL << order);
        if (!is_free_block(buddy, order) || kind_of(page_of(_mfn(buddy))) != kind)
            break;
        pull(buddy, order, kind);
        mfn &= buddy;
    }
    push(mfn, order, kind);
}

/* Takes a block from the lists of one kind, splitting a larger one; 0 when there is none. */
static uint64_t take(enum zone zone, enum kind kind, unsigned int order)
{
    uint32_t fits = lists[zone][kind].orders >> order;

    if (!fits)
        return 0;
    unsigned int have = order + (unsigned int)__builtin_ctz(fits);
    uint64_t mfn = lists[zone][kind].head[have];
    pull(mfn, have, kind);
    while (have-- > order)
        push(mfn + (1ULL << have), have, kind);
    free_pages -= 1ULL << order;
    return mfn;
}

/* Declares clean blocks dirty where their buddies are, to get larger ones. */
static void merge_kinds(enum zone zone, unsigned int below)
{
    for (unsigned int order = 0; order < below; order++)
        for (uint64_t mfn = lists[zone][CLEAN].head[order], next; mfn; mfn = next) {
            next = page_of(_mfn(mfn))->next;
            if (!is_free_block(mfn ^ (1ULL << order), order))
                continue;
            pull(mfn, order, CLEAN);
            merge(mfn, order, DIRTY);
        }
}

static uint64_t take_any(unsigned int order, unsigned int flags, enum kind *kind)
{
    enum kind first = flags & ALLOC_NO_SCRUB ? DIRTY : CLEAN, second = KINDS - 1 - first;

    for (enum zone z = flags & ALLOC_BELOW_4G ? LOW : HIGH; z < ZONES; z++) {
        uint64_t mfn = take(z, *kind = first, order);
        if (!mfn)
            mfn = take(z, *kind = second, order);
        if (mfn)
            return mfn;
    }
    for (enum zone z = flags & ALLOC_BELOW_4G ? LOW : HIGH; z < ZONES; z++) {
        merge_kinds(z, order);
        uint64_t mfn = take(z, *kind = DIRTY, order);
        if (mfn)
            return mfn;
    }
    return 0;
}

mfn_t heap_take(unsigned int order, unsigned int flags, bool *dirty)
{
    enum kind kind = CLEAN;
    uint64_t mfn;

    if (order > HEAP_MAX_ORDER || mem_alloc_fails())
        return MFN_NONE;
    do {
        lock(&heap_lock);
        mfn = take_any(order, flags, &kind);
        unlock(&heap_lock);
    } while (!mfn && kpage_drain());
    *dirty = kind == DIRTY;
    return mfn ? _mfn(mfn) : MFN_NONE;
}

mfn_t heap_alloc(unsigned int order, unsigned int flags)
{
    bool dirty;
    mfn_t mfn = heap_take(order, flags, &dirty);

    if (mfn.v != FRAME_NONE && dirty && !(flags & ALLOC_NO_SCRUB))
        for (uint64_t i = 0; i < 1ULL << order; i++)
            window_zero(mfn_add(mfn, i));
    return mfn;
}

static void give(uint64_t mfn, unsigned int order, enum kind kind)
{
    lock(&heap_lock);
    free_pages += 1ULL << order;
    merge(mfn, order, kind);
    unlock(&heap_lock);
}

void heap_free(mfn_t mfn, unsigned int order)
{
    const struct page *pg = page_of(mfn);

    BUG_ON(page_owner(pg) != FRAME_OWNER_FREE || page_refs(pg) || page_flags(pg) & PAGE_BUDDY);
    give(mfn.v, order, DIRTY);
}

void heap_add(mfn_t start, mfn_t end)
{
    uint64_t at = max(start.v, (uint64_t)1); /* frame 0 ends lists */

    for (uint64_t i = at; i < end.v; i++)
        page_of(_mfn(i))->state = page_state(FRAME_OWNER_FREE, 0, 0, 0);
    while (at < end.v) {
        unsigned int order = min((unsigned int)__builtin_ctzll(at), HEAP_MAX_ORDER);
        while (order && at + (1ULL << order) > end.v)
            order--;
        give(at, order, DIRTY);
        total_pages += 1ULL << order;
        at += 1ULL << order;
    }
}

uint64_t heap_free_pages(void)
{
    return READ_ONCE(free_pages);
}

uint64_t heap_total_pages(void)
{
    return total_pages;
}

/* One CPU at a time: several would mostly wait for each other, and with them whoever frees. */
bool heap_scrub_step(void)
{
    static bool busy;
    uint64_t mfn = 0;
    unsigned int order = 0;

    if (__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE))
        return false;
    lock(&heap_lock);
    for (enum zone z = HIGH; z < ZONES && !mfn; z++) {
        uint32_t orders = lists[z][DIRTY].orders;
        if (!orders)
            continue;
        order = min(31u - (unsigned int)__builtin_clz(orders), SCRUB_ORDER);
        mfn = take(z, DIRTY, order);
    }
    unlock(&heap_lock);
    for (uint64_t i = 0; mfn && i < 1ULL << order; i++)
        window_zero(_mfn(mfn + i));
    if (mfn)
        give(mfn, order, CLEAN);
    __atomic_store_n(&busy, false, __ATOMIC_RELEASE);
    return mfn;
}

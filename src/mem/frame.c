/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame table. Rules of page.state: owner and references change together by compare-and-swap;
 * nobody gets a reference when there is none, so who drops the last one has the frame alone.
 */
#include "abi/xen.h"
#include "core/printk.h"
#include "mem/frame.h"
#include "mem/heap.h"

#define RANGES_MAX 64

uint64_t frame_limit;
void (*page_release_hook)(struct page *pg);

/* RAM, as it was added: written at boot, one CPU. */
static struct {
    uint64_t start, end;
} range[RANGES_MAX];
static unsigned int nr_ranges;

bool frame_valid(mfn_t mfn)
{
    for (unsigned int i = 0; i < nr_ranges; i++)
        if (mfn.v - range[i].start < range[i].end - range[i].start)
            return true;
    return false;
}

static bool state_change(struct page *pg, uint64_t *old, uint64_t new)
{
    return __atomic_compare_exchange_n(&pg->state, old, new, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

bool page_get_any(struct page *pg, unsigned int *owner)
{
    unsigned int seen;

    /* The owner changes only between references: a few rounds at most. */
    do {
        seen = page_owner(pg);
        if (page_get(pg, seen)) {
            *owner = seen;
            return true;
        }
    } while (page_owner(pg) != seen);
    return false;
}

static void release(struct page *pg)
{
    unsigned int owner = page_owner(pg);

    if (owner < DOMID_FIRST_RESERVED && page_release_hook)
        page_release_hook(pg);
    WRITE_ONCE(pg->state, page_state(FRAME_OWNER_FREE, 0, 0, 0));
    heap_free(page_mfn(pg), 0);
}

void page_put_last(struct page *pg)
{
    uint64_t s = READ_ONCE(pg->state);

    do {
        BUG_ON((uint32_t)s == 0);
        /* A Krypton-owned frame has to leave the linear map first. */
        if (unlikely((uint32_t)s == 1 && s >> 48 == FRAME_OWNER_KRYPTON)) {
            kpage_free(mfn_kva(page_mfn(pg)), 0);
            return;
        }
    } while (unlikely(!state_change(pg, &s, s - 1)));
    if (unlikely((uint32_t)s == 1))
        release(pg);
}

void page_put_many(struct page *pg, uint32_t n)
{
    uint64_t s = READ_ONCE(pg->state);

    do {
        BUG_ON((uint32_t)s <= n);
    } while (unlikely(!state_change(pg, &s, s - n)));
}

void page_set_flags(struct page *pg, unsigned int set, unsigned int clear)
{
    uint64_t s = READ_ONCE(pg->state), new;

    do {
        new = (s & ~((uint64_t)clear << 40)) | (uint64_t)set << 40;
    } while (!state_change(pg, &s, new));
}

void page_assign(struct page *pg, unsigned int owner, unsigned int flags)
{
    BUG_ON(page_owner(pg) != FRAME_OWNER_FREE || page_refs(pg) || page_flags(pg) & PAGE_BUDDY);
    pg->next = pg->prev = 0;
    __atomic_store_n(&pg->state, page_state(owner, flags, 0, 1), __ATOMIC_RELEASE);
}

int frame_table_add(mfn_t start, mfn_t end)
{
    const uint64_t size = sizeof(struct page);

    if (nr_ranges == RANGES_MAX || start.v >= end.v)
        return -XEN_EINVAL;
    int err = mmu_frame_table_map(start.v * size, end.v * size);
    if (err)
        return err;
    for (uint64_t f = start.v; f < end.v; f++)
        page_of(_mfn(f))->state = page_state(FRAME_OWNER_NONE, 0, 0, 0);
    range[nr_ranges].start = start.v;
    range[nr_ranges++].end = end.v;
    frame_limit = max(frame_limit, end.v);
    return 0;
}

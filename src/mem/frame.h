/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame table: one `struct page` per machine frame of RAM, sparse over holes. It says who owns
 * a frame and how many references it has; both are in one word that changes by compare-and-swap
 * only. A frame with references is never reused. Owners are domain ids as plain numbers: this
 * floor knows no domains.
 */
#ifndef KR_MEM_FRAME_H
#define KR_MEM_FRAME_H

#include "lib/types.h"

#include "port/mmu.h"

/* Owner values beside real domain ids (0..0x7fef). */
#define FRAME_OWNER_FREE    0xffffu /* in the heap, or leaving/entering it */
#define FRAME_OWNER_KRYPTON 0xfffeu /* Krypton's own: has a linear address (mem/heap.h) */
#define FRAME_OWNER_PRIVATE 0xfffdu /* Krypton's, guest state (domain part): no linear address */
#define FRAME_OWNER_NONE    0xfffcu /* a boot module's frame, firmware's, device's */

/* page.state: owner [63:48], flags [47:40], order of a free block [39:32], references [31:0] */
static inline uint64_t page_state(unsigned int owner, unsigned int flags, unsigned int order,
                                  uint32_t refs)
{
    return (uint64_t)(owner << 16 | flags << 8 | order) << 32 | refs;
}

#define PAGE_DIRTY (1u << 0) /* content unknown: scrub before a guest sees it */
#define PAGE_SPECIAL                                                                              \
    (1u << 1)                 /* shared_info, grant frames: not counted in tot_pages, never given \
                                 back by the guest */
#define PAGE_LISTED (1u << 2) /* on its owner's page list */
#define PAGE_BUDDY  (1u << 3) /* head of a free block */

struct page {
    uint64_t state;
    uint32_t next, prev; /* frame numbers, 0 ends: heap free list or the owner's page list, under
                            that list's lock; free for the owner's use when not PAGE_LISTED */
};
BUILD_BUG_ON(sizeof(struct page) != 16);

/* The table is at FRAME_TABLE_VIRT and virtually contiguous; parts without RAM are not mapped: ask
 * frame_valid() before page_of() for a frame number that came from outside. */
#define frame_table ((struct page *)FRAME_TABLE_VIRT)
extern uint64_t frame_limit; /* one more than the highest RAM frame */

bool frame_valid(mfn_t mfn);
static inline struct page *page_of(mfn_t mfn)
{
    return &frame_table[mfn.v];
}
static inline mfn_t page_mfn(const struct page *pg)
{
    return _mfn((uint64_t)(pg - frame_table));
}
static inline unsigned int page_owner(const struct page *pg)
{
    return (unsigned int)(READ_ONCE(pg->state) >> 48);
}
static inline uint32_t page_refs(const struct page *pg)
{
    return (uint32_t)READ_ONCE(pg->state);
}
static inline unsigned int page_flags(const struct page *pg)
{
    return (unsigned int)(READ_ONCE(pg->state) >> 40) & 0xff;
}

/* Takes one reference if the frame is owned by `owner` and has references already (never from
 * zero, never past 2^31). False otherwise. Any context. */
static inline bool must_check page_get(struct page *pg, unsigned int owner)
{
    uint64_t s = READ_ONCE(pg->state);

    do {
        if (unlikely(s >> 48 != owner || (uint32_t)s - 1 >= (1u << 31) - 1))
            return false;
    } while (unlikely(!__atomic_compare_exchange_n(&pg->state, &s, s + 1, false, __ATOMIC_SEQ_CST,
                                                   __ATOMIC_RELAXED)));
    return true;
}
/* As above, whoever the owner is; *owner says who. */
bool must_check page_get_any(struct page *pg, unsigned int *owner);
/* page_put()'s way when one reference is left, or none: a bug. */
void page_put_last(struct page *pg);
/* Drops one; the last one gives the frame back to the heap, a domain's after page_release_hook.
 * Not from interrupt handlers, nor with a lock held that ranks at or above RANK_HEAP. */
static inline void page_put(struct page *pg)
{
    uint64_t s = READ_ONCE(pg->state);

    while (likely((uint32_t)s > 1))
        if (likely(__atomic_compare_exchange_n(&pg->state, &s, s - 1, false, __ATOMIC_SEQ_CST,
                                               __ATOMIC_RELAXED)))
            return;
    page_put_last(pg);
}
/* n references at once: never below one left. */
void page_put_many(struct page *pg, uint32_t n);

/* Called with a domain's frame when its last reference goes, before it returns to the heap; owner
 * still set. Floor 4 removes it from the owner's list and counts there. Filled from above. */
extern void (*page_release_hook)(struct page *pg);

/* Sets or clears flags atomically. */
void page_set_flags(struct page *pg, unsigned int set, unsigned int clear);
/* Makes a frame just allocated (owner FREE, no references) owned, with one reference. */
void page_assign(struct page *pg, unsigned int owner, unsigned int flags);

/* Boot: describes [start, end) as RAM that exists, owner NONE; maps the table's part for it. */
int must_check frame_table_add(mfn_t start, mfn_t end);

#endif

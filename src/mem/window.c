/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window cache. A frame is looked for in PROBES slots from its hash on; empty slots in between
 * do not end the search. When all of those are in use the window goes to any free slot, where it
 * will not be found again: a second window of the same frame is harmless. What is not present is
 * not in the TLB, so filling an empty slot invalidates nothing.
 */
#include "core/pcpu.h"
#include "core/printk.h"
#include "mem/frame.h"
#include "mem/window.h"

#include "port/mem.h"

#define SLOTS  WINDOW_CACHE_SLOTS
#define PROBES 8u

static inline void *slot_va(unsigned int slot)
{
    return (void *)(WINDOW_VIRT + slot * PAGE_SIZE);
}

/* Other frames than the served domain's are not to stay in sight. PRIVATE frames neither: their own
 * domain is served through the domain part. */
static bool is_transient(const struct pcpu *c, mfn_t mfn)
{
    return !frame_valid(mfn) || page_owner(page_of(mfn)) != c->served_domid;
}

static void slot_drop(struct pcpu *c, unsigned int slot)
{
    if (!c->window[slot].transient)
        c->window_epoch++;
    c->window[slot].mfn = 0;
    c->windows_used[slot / 64] &= ~(1ULL << (slot % 64));
    mmu_window_set(slot, MFN_NONE);
}

/* An empty slot among the probes, else an unused one, else an unused one anywhere. */
static unsigned int choose_slot(const struct pcpu *c, unsigned int first)
{
    unsigned int best = SLOTS;

    for (unsigned int i = 0; i < SLOTS; i++) {
        unsigned int slot = (first + i) % SLOTS;
        if (i == PROBES && best != SLOTS)
            break;
        if (!c->window[slot].mfn)
            return slot;
        if (best == SLOTS && !c->window[slot].refs)
            best = slot;
    }
    BUG_ON(best == SLOTS);
    return best;
}

static void *map_miss(struct pcpu *c, mfn_t mfn, unsigned int first)
{
    for (unsigned int i = 1; i < PROBES; i++) {
        unsigned int slot = (first + i) % SLOTS;
        if (c->window[slot].mfn == mfn.v) {
            c->window[slot].refs++;
            return slot_va(slot);
        }
    }
    unsigned int slot = choose_slot(c, first);
    bool replaces = c->window[slot].mfn;
    if (replaces)
        c->window_epoch++;
    c->window[slot] =
        (struct window_slot){.mfn = (uint32_t)mfn.v, .refs = 1, .transient = is_transient(c, mfn)};
    c->windows_used[slot / 64] |= 1ULL << (slot % 64);
    mmu_window_set(slot, mfn);
    if (replaces)
        mmu_invalidate(slot_va(slot));
    return slot_va(slot);
}

void *window_map(mfn_t mfn)
{
    struct pcpu *c = this_cpu();
    unsigned int slot = window_hash(mfn);

    ASSERT(mfn.v && mfn.v <= UINT32_MAX);
    if (unlikely(c->window[slot].mfn != mfn.v))
        return map_miss(c, mfn, slot);
    c->window[slot].refs++;
    return slot_va(slot);
}

void window_unmap(const void *va)
{
    struct pcpu *c = this_cpu();
    unsigned int slot = (unsigned int)(((uintptr_t)va - WINDOW_VIRT) >> PAGE_SHIFT);
    struct window_slot *w = &c->window[slot];

    ASSERT(slot < SLOTS && w->refs);
    if (likely(--w->refs || !w->transient))
        return;
    slot_drop(c, slot);
    mmu_invalidate(slot_va(slot));
}

void window_serve(unsigned int owner)
{
    struct pcpu *c = this_cpu();

    for (unsigned int word = 0; word < ARRAY_SIZE(c->windows_used); word++)
        while (c->windows_used[word]) {
            unsigned int slot = word * 64 + (unsigned int)__builtin_ctzll(c->windows_used[word]);
            ASSERT(!c->window[slot].refs);
            slot_drop(c, slot);
        }
    c->served_domid = (uint16_t)owner;
}

void window_forget_all(void)
{
    struct pcpu *c = this_cpu();

    for (unsigned int word = 0; word < ARRAY_SIZE(c->windows_used); word++)
        for (uint64_t used = c->windows_used[word]; used; used &= used - 1) {
            unsigned int slot = word * 64 + (unsigned int)__builtin_ctzll(used);
            if (c->window[slot].refs)
                continue;
            slot_drop(c, slot);
            mmu_invalidate(slot_va(slot));
        }
}

void window_zero(mfn_t mfn)
{
    void *va = window_map(mfn);

    mem_zero_page(va);
    window_unmap(va);
}

void window_copy(mfn_t dst, mfn_t src)
{
    void *to = window_map(dst), *from = window_map(src);

    mem_copy_page(to, from);
    window_unmap(from);
    window_unmap(to);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Map windows: the way to a frame that has no address in Krypton. Each CPU has a small cache of
 * page windows keyed by frame; a hit writes and invalidates nothing. A window of the served
 * domain's frame (or of a PRIVATE frame of it) stays until its slot is needed or the CPU serves
 * another domain; any other frame's goes at its last unmap. The caller holds a reference on the
 * frame from map to unmap (or only reads, and looks afterwards whether it may believe that), stays
 * on its CPU (it does: nothing blocks), and uses port/mem.h to touch what it maps. Never from
 * interrupt, NMI or #MC handlers.
 */
#ifndef KR_MEM_WINDOW_H
#define KR_MEM_WINDOW_H

#include "core/pcpu.h"
#include "lib/types.h"

#include "port/mmu.h"

/* Nesting: at most WINDOW_DEPTH maps are open at a time on a CPU; a mapping never fails. */
#define WINDOW_DEPTH 16u

void *must_check window_map(mfn_t mfn);
void window_unmap(const void *va); /* any address inside the page */

static inline unsigned int window_hash(mfn_t mfn)
{
    return (uint32_t)mfn.v * 0x9e3779b1u >> 24;
}
BUILD_BUG_ON(WINDOW_CACHE_SLOTS != 256 || WINDOW_SLOTS < WINDOW_CACHE_SLOTS);

/* The address of a frame whose window is at hand, NULL otherwise: until the next call of any other
 * function here, or, if window_stays(), as long as this_cpu()->window_epoch is what it is. */
static inline void *must_check window_peek(mfn_t mfn)
{
    unsigned int slot = window_hash(mfn);

    if (likely(this_cpu()->window[slot].mfn == (uint32_t)mfn.v))
        return (void *)(WINDOW_VIRT + slot * PAGE_SIZE);
    return NULL;
}

static inline bool window_stays(const void *va)
{
    return !this_cpu()->window[((uintptr_t)va - WINDOW_VIRT) >> PAGE_SHIFT].transient;
}

/* The calling CPU is about to serve `owner` (FRAME_OWNER_NONE: nobody): forgets every window.
 * None is open. The caller then switches the domain part, which flushes the TLB. */
void window_serve(unsigned int owner);
/* Forgets all unused windows, invalidating; after a p2m change that another CPU made. */
void window_forget_all(void);

/* One whole frame: zero it, or copy between two. */
void window_zero(mfn_t mfn);
void window_copy(mfn_t dst, mfn_t src);

#endif

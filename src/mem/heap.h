/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation. Frames come from a buddy heap (orders 0..18). A frame for a guest has no address in
 * Krypton; a frame that Krypton owns (kpage_*) has a linear address which exists only while it is
 * owned. Small objects (kalloc) are cut from Krypton-owned frames. Nothing here waits or panics:
 * when memory is out the answer is MFN_NONE or NULL.
 */
#ifndef KR_MEM_HEAP_H
#define KR_MEM_HEAP_H

#include "lib/types.h"
#include "mem/frame.h"

#define HEAP_MAX_ORDER 18u

/* heap_alloc() flags */
#define ALLOC_BELOW_4G (1u << 0) /* whole block below 4 GiB */
#define ALLOC_NO_SCRUB (1u << 1) /* the caller overwrites all of it before anybody sees it */

/*
 * Takes 2^order frames, naturally aligned, owner FREE and no references: page_assign() each.
 * Without ALLOC_NO_SCRUB they are all zero (free memory is scrubbed ahead of need by idle CPUs,
 * otherwise here: 512 stores a page). Memory below 4 GiB goes last. No lock held that ranks at or
 * above RANK_HEAP.
 */
mfn_t must_check heap_alloc(unsigned int order, unsigned int flags);
/* As above, for callers that zero by themselves: *dirty says whether there is need. */
mfn_t must_check heap_take(unsigned int order, unsigned int flags, bool *dirty);
/* Gives back frames whose last reference has gone (owner FREE). Their content counts as dirty. */
void heap_free(mfn_t mfn, unsigned int order);
/* Adds a range at boot; content unknown. */
void heap_add(mfn_t start, mfn_t end);

uint64_t heap_free_pages(void);
uint64_t heap_total_pages(void);

/* Scrubs one dirty free block if there is one: an idle CPU's occupation. False: none left. */
bool heap_scrub_step(void);

/* 2^order zeroed Krypton-owned frames with a linear address, or NULL. */
void *kpage_alloc(unsigned int order);
/* The frames, whose only reference this is, leave the linear map; they return to the heap after a
 * flush round on all CPUs, one round for many frees. */
void kpage_free(void *va, unsigned int order);
/* Has every other CPU drop its TLB and waits: filled from above (domain/flush.h). NULL while one
 * CPU runs. */
extern void (*kpage_flush_hook)(void);
/* Has the round now: what was freed is in the heap afterwards. False: nothing was waiting. */
bool kpage_drain(void);

/* Zeroed memory, 16-byte aligned (64 when size >= 64), any size up to 64 KiB; NULL when out. */
void *kalloc(size_t size) __attribute__((malloc));
#define kalloc_array(n, size) ((n) > 65536 / (size) ? NULL : kalloc((n) * (size)))
void kfree(void *p);

/* Frame number of a Krypton-owned address, and back. */
mfn_t kva_mfn(const void *va);
void *mfn_kva(mfn_t mfn);

#endif

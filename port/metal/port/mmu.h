/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calling CPU's own page tables, as far as floors above boot change them: its map windows, the
 * linear addresses of Krypton-owned frames, and the domain part. Policy (which slot, when to
 * flush) is in mem/; these only write entries and invalidate. Real hardware: arch/x86/cpu/mmu.c.
 */
#ifndef KR_PORT_MMU_H
#define KR_PORT_MMU_H

#include "lib/types.h"

/* Per-CPU windows: WINDOW_SLOTS pages at WINDOW_VIRT, each CPU has its own. */
#define WINDOW_VIRT  0xffffff0040000000UL
#define WINDOW_SLOTS 256u

/* Krypton-owned frame n, while it is owned, is at KVA_VIRT + n * PAGE_SIZE on every CPU. */
#define KVA_VIRT 0xffff900000000000UL

/* Writes window slot's entry: writable, no-execute, write-back; MFN_NONE makes it not present.
 * Does not invalidate. */
void mmu_window_set(unsigned int slot, mfn_t mfn);

/* INVLPG of one address on the calling CPU. */
void mmu_invalidate(const void *va);

/* Makes [mfn, mfn + 2^order) present at its linear address (write-back, writable, no-execute) or
 * not present. Adding needs no flush; after removing, the caller runs a flush round on all CPUs
 * before a frame is used for anything else. -XEN_ENOMEM when a table page is missing.
 * Calls are serialised by a lock of RANK_HEAP. */
int must_check mmu_kva_map(mfn_t mfn, unsigned int order);
void mmu_kva_unmap(mfn_t mfn, unsigned int order);

/* The frame table (mem/frame.h) is an array of struct page at this address. */
#define FRAME_TABLE_VIRT 0xffffa00000000000UL

/* Boot, one CPU: makes the pages that hold bytes [start, end) of the frame table present and zero
 * where they are not yet (neighbouring ranges may share a page). -XEN_ENOMEM. */
int must_check mmu_frame_table_map(uint64_t start, uint64_t end);

/* Drops all non-global entries of the calling CPU's TLB (windows, domain part), or all. */
void mmu_flush_local(void);
void mmu_flush_all(void);

/* The domain part: DOMAIN_VIRT onwards, one top-level slot. `root` is the L3 table's frame of the
 * domain to serve, MFN_NONE for none. Writes CR3, so all non-global entries are dropped. */
#define DOMAIN_VIRT 0xfffffe8000000000UL
void mmu_domain_part(mfn_t root);

/* Where a page of the domain part is seen while its domain is served: `va` itself; on the host the
 * frame's place in the arena. */
static inline void *mmu_part_address(unsigned long va, mfn_t mfn)
{
    (void)mfn;
    return (void *)va;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables v1: what a domain lets others map or copy, and what it has mapped (handles). The
 * rules are addendum B1.12's. Arguments are plain values; permission is checked by the caller.
 */
#ifndef KR_DOMAIN_GRANT_H
#define KR_DOMAIN_GRANT_H

#include "domain/domain.h"

int must_check grant_init(struct domain *d, unsigned int max_frames, unsigned int max_maptrack);
/* Releases every handle that d holds; bounded steps, true while more is left. The state is DYING
 * already; afterwards nobody looks into d's shared frames any more, so that they can go. */
bool grant_release_maps_step(struct domain *d);
/* Frees the tables; the shared frames are on the domain's page list and go with that. */
void grant_fini(struct domain *d);

/* Status is GNTST_*, written into op; nothing else is returned. */
void grant_map(struct domain *d, struct gnttab_map_grant_ref *op);

/* Unmaps in batches: clears the entries of ops[0..n), one flush, then drops references. */
#define GRANT_UNMAP_BATCH 32u
void grant_unmap(struct domain *d, struct gnttab_unmap_grant_ref *op, unsigned int n);

/* One copy operation; `cache` keeps the pins of the previous one in the same call (start with a
 * zeroed cache, end with grant_copy_end()). */
struct grant_copy_cache {
    struct grant_copy_side {
        bool valid, is_ref, write;
        domid_t domid;
        uint32_t ref;
        uint64_t gfn;
        struct domain *d;  /* owned reference */
        struct page *page; /* reference held */
    } src, dst;
};
void grant_copy(struct domain *d, struct gnttab_copy *op, struct grant_copy_cache *cache);
void grant_copy_end(struct domain *d, struct grant_copy_cache *cache);

/* Exchanges two of d's own entries; a status. */
int16_t grant_swap(struct domain *d, uint32_t a, uint32_t b);

int grant_set_version(struct domain *d, uint32_t *version);
void grant_query_size(struct domain *d, struct gnttab_query_size *op);
/* The frame to put at a gfn for add_to_physmap space 1; grows the table to idx + 1. A reference
 * is taken. -XEN_EINVAL beyond the maximum, -XEN_ENOMEM. */
int grant_frame(struct domain *d, uint32_t idx, mfn_t *mfn);
/* add_to_physmap has put frame idx at gfn (GFN_NONE: nowhere). Returns where it was put before; it
 * may have been replaced there since, so use p2m_replace() to take it away. The caller serialises
 * its moves. */
gfn_t grant_frame_moved(struct domain *d, uint32_t idx, gfn_t gfn);
/* setup_table: frame numbers are gfns, ~0 where a frame is at none. `frames` has room for
 * op->nr_frames, unless that is above the maximum. Status in op->status. */
void grant_setup_table(struct domain *d, struct gnttab_setup_table *op, uint64_t *frames);

int grant_check(struct domain *d, char *why, size_t size);
void grant_dump(struct domain *d);

#endif

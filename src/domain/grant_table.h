/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the grant*.c files: a domain's grant table. One half says what it lets others use: the
 * frames that it shares with Krypton, and a private record per entry that is in use (pins). The
 * other half (maptrack) says what the domain has mapped itself: one handle per mapping. Not for
 * other files.
 */
#ifndef KR_DOMAIN_GRANT_TABLE_H
#define KR_DOMAIN_GRANT_TABLE_H

#include "domain/grant.h"
#include "lib/nospec.h"
#include "mem/frame.h"

#define GRANT_MAX_FRAMES   2048u
#define GRANT_MAX_MAPTRACK 4096u

/* What is in use of one entry. While a pin is held it is this record that counts, whatever the
 * guest writes into the shared entry. */
struct grant_active {
    uint32_t mfn;
    uint16_t domid : 15; /* who uses it */
    uint16_t frozen : 1; /* the granting domain may not write that frame itself */
    uint8_t readers, writers;
};
#define GRANT_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
BUILD_BUG_ON(GRANT_PER_FRAME * sizeof(struct grant_active) != PAGE_SIZE);

struct grant_frame {
    mfn_t mfn;
    gfn_t gfn; /* where it was put last */
    struct grant_active *active;
};

enum grant_kind { GRANT_MAP_FREE, GRANT_MAP_RO, GRANT_MAP_RW };

/* A mapping holds a pin of the granting domain's entry and a reference on the page. */
struct grant_map {
    uint32_t ref; /* free: next free handle + 1, 0 ends */
    uint32_t mfn;
    uint64_t gfn : 46;
    uint64_t kind : 2;
    uint64_t domid : 16; /* who granted it */
};
#define GRANT_MAPS_PER_PAGE (PAGE_SIZE / sizeof(struct grant_map))
BUILD_BUG_ON(sizeof(struct grant_map) != 16);

static inline enum p2m_type grant_p2m_type(unsigned int kind)
{
    return kind == GRANT_MAP_RW ? P2M_GRANT : P2M_GRANT_RO;
}

/* All guarded by its lock. */
struct grant_table {
    struct spinlock lock;
    unsigned int max_frames, nr_frames; /* (c), [lock] */
    struct grant_frame *frame;          /* array of max_frames */
    unsigned int max_pages, nr_pages;   /* of handles: (c), [lock] */
    struct grant_map **page;            /* array of max_pages, made at the first mapping */
    uint32_t free;                      /* free handle + 1 */
    uint32_t used;                      /* handles in use */
    uint32_t cursor;                    /* handles below it have been released (death) */
};

static inline void grant_lock_both(struct domain *a, struct domain *b)
{
    if (a->id <= b->id)
        lock_pair(&a->grants->lock, &b->grants->lock);
    else
        lock_pair(&b->grants->lock, &a->grants->lock);
}
static inline void grant_unlock_both(struct domain *a, struct domain *b)
{
    unlock_pair(&a->grants->lock, &b->grants->lock);
}

/* A ref's record; ref < nr_frames * GRANT_PER_FRAME. Lock held. */
static inline struct grant_active *grant_active(struct grant_table *gt, uint32_t ref)
{
    return &gt->frame[ref / GRANT_PER_FRAME].active[ref % GRANT_PER_FRAME];
}

static inline uint32_t grant_handles(const struct grant_table *gt)
{
    return (uint32_t)(gt->nr_pages * GRANT_MAPS_PER_PAGE);
}
/* A handle's record; handle < grant_handles(). Lock held. */
static inline struct grant_map *grant_handle_at(struct grant_table *gt, uint64_t handle)
{
    return &gt->page[handle / GRANT_MAPS_PER_PAGE][handle % GRANT_MAPS_PER_PAGE];
}

/* Pins entry `ref` of r for the domain `by`: GNTST_okay with a reference on the page, or a status
 * and nothing done. r's lock held. */
int16_t must_check grant_pin(struct domain *r, uint32_t ref, domid_t by, bool write, bool mapping,
                             struct page **page);
/* Takes back one such pin; the reference is the caller's to drop. r's lock held. */
void grant_unpin(struct domain *r, uint32_t ref, bool write);

#endif

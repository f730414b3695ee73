/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest-physical map of a domain: one walker, the entry format (NPT, EPT) behind p2m_format
 * (arch/x86/p2m). Tables are Krypton-owned pages charged to the domain's pool. Changing an entry
 * never frees the frame that was there: the caller flushes (domain/flush.h), then drops its
 * reference. Reads take no lock.
 */
#ifndef KR_DOMAIN_P2M_H
#define KR_DOMAIN_P2M_H

#include "lib/types.h"
#include "core/pcpu.h"

struct domain;
struct page;

/* Kinds of entries (addendum B1.9). P2M_HOLE is "nothing here": accesses are emulated. */
enum p2m_type {
    P2M_HOLE,
    P2M_RAM,      /* read, write, execute */
    P2M_RAM_RO,   /* writes are discarded */
    P2M_LOGDIRTY, /* read, execute; a write makes it RAM (later) */
    P2M_GRANT,    /* another domain's frame, by grant: read, write */
    P2M_GRANT_RO,
    P2M_FOREIGN, /* by toolstack mapping: read, write */
    P2M_MMIO,    /* device memory, uncached (later) */
    P2M_MODULE,  /* a boot module's bytes for the loader: read-only, Krypton's */
    P2M_TYPES,
};

struct p2m {
    struct spinlock lock;
    mfn_t root;          /* (c); MFN_NONE once torn down */
    uint64_t generation; /* (a) raised after each change that takes rights away; no two p2ms ever
                            have the same one */
    uint64_t pool_pages; /* [lock] tables in use */
    uint64_t pool_limit; /* [lock] */
    uint64_t entries[P2M_TYPES]; /* [lock] 4K entries by type, holes not counted */
    uint64_t max_gfn;            /* [lock] highest gfn ever set */
    uint8_t bits;                /* (c) guest-physical address width */
};

/* How the hardware wants a table and each type's rights. Common to all formats: bit 0 is set in
 * whatever is present, bit 7 marks a superpage, the frame is in bits 12..51, and bits 52..55 are
 * software's and hold the type. */
struct p2m_format {
    uint64_t table;
    uint64_t leaf[P2M_TYPES];
};
/* NPT unless the back end sets another at boot, before any domain. */
extern const struct p2m_format *p2m_format;

struct p2m_entry {
    mfn_t mfn;
    enum p2m_type type;
    unsigned int order; /* of the leaf, or of the hole: 0, 9, 18, 27 */
};

int must_check p2m_init(struct domain *d, uint64_t pool_limit);
/* Frees the tables after a grace period, resumable: true while more is left. All entries are gone
 * already or are of kinds that hold no reference; no vCPU runs any more. */
bool p2m_fini_step(struct domain *d);

/* Lock-free, no reference taken: a hint unless the p2m lock is held. */
struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn);

/* Writes 2^order entries (order 0, 9 or 18, both numbers aligned). Splits superpages in the way
 * and frees tables that a superpage covers. *old (may be NULL; order 0 only) is what was there.
 * Rights taken away are counted in `generation`: flush before references are dropped.
 * -XEN_ENOMEM: pool or heap; -XEN_EINVAL: gfn beyond `bits`. Takes the lock itself. */
int must_check p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order,
                       enum p2m_type type, struct p2m_entry *old);
/* As above only when the entry still is `expect` (same frame and type): else -XEN_EAGAIN. */
int must_check p2m_replace(struct domain *d, gfn_t gfn, const struct p2m_entry *expect, mfn_t mfn,
                           enum p2m_type type);

/* The frame at gfn with a reference, for reading (`write` false: RAM, RAM_RO, LOGDIRTY, GRANT*,
 * FOREIGN) or writing (RAM, GRANT, FOREIGN). NULL: no such memory. This is what the door to guest
 * memory uses; hot: goes through the calling CPU's look-aside. */
struct page *must_check p2m_get_page(struct domain *d, gfn_t gfn, bool write);
/* As above, but only the domain's own RAM (grants, foreign and special kinds refused). */
struct page *must_check p2m_get_own_page(struct domain *d, gfn_t gfn, bool write);

/* Calls fn for each leaf in [start, end) in order until it returns non-zero, which it returns; for
 * teardown, debug keys and invariants. The first leaf may begin before start: gfn and e->mfn are
 * start's then. Lock held by the caller; fn may not change the tables. */
int p2m_walk(struct domain *d, gfn_t start, gfn_t end,
             int (*fn)(void *ctx, gfn_t gfn, const struct p2m_entry *e), void *ctx);

static inline struct p2m_look *p2m_look_slot(gfn_t gfn)
{
    return &this_cpu()->look[gfn.v % P2M_LOOK_SLOTS];
}
mfn_t p2m_peek_miss(struct p2m *p2m, gfn_t gfn);

/* The frame at gfn for a read that costs no reference; FRAME_NONE as p2m_get_page(). Map it, read,
 * unmap; what was read counts only if `generation` was the p2m's before and still is. */
static inline mfn_t must_check p2m_peek(struct p2m *p2m, gfn_t gfn, uint64_t generation)
{
    const struct p2m_look *l = p2m_look_slot(gfn);

    if (likely(l->gfn == gfn.v && l->generation == generation))
        return _mfn(l->mfn);
    return p2m_peek_miss(p2m, gfn);
}

#endif

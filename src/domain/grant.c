/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables v1: life and size of the table, and the pinning of entries, which maps (grant_map.c)
 * and copies (grant_copy.c) share. xen/grant_table.h, addendum B1.12. The entries lie in pages that
 * the guest writes at any time.
 */
#include "domain/grant_table.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "mem/window.h"

#include "port/mem.h"

#define PIN_TRIES 5

/* Makes the table `n` frames long; -XEN_EINVAL beyond the maximum or dying. Lock held. */
static int grow(struct domain *d, unsigned int n)
{
    struct grant_table *gt = d->grants;

    if (n > gt->max_frames || d->state >= DOMAIN_DYING)
        return -XEN_EINVAL;
    while (gt->nr_frames < n) {
        struct grant_frame *f = &gt->frame[gt->nr_frames];

        if (!f->active)
            f->active = kalloc(PAGE_SIZE);
        if (!f->active)
            return -XEN_ENOMEM;
        f->mfn = domain_alloc_special(d);
        if (mfn_eq(f->mfn, MFN_NONE))
            return -XEN_ENOMEM;
        f->gfn = GFN_NONE;
        gt->nr_frames++;
    }
    return 0;
}

int grant_init(struct domain *d, unsigned int max_frames, unsigned int max_maptrack)
{
    struct grant_table *gt;

    if (max_frames < 1 || max_frames > GRANT_MAX_FRAMES)
        return -XEN_EINVAL;
    gt = kalloc(sizeof(*gt));
    if (!gt)
        return -XEN_ENOMEM;
    d->grants = gt;
    lock_init(&gt->lock, RANK_GRANT);
    gt->max_frames = max_frames;
    gt->max_pages = min(max_maptrack, GRANT_MAX_MAPTRACK);
    gt->frame = kalloc_array(max_frames, sizeof(*gt->frame));
    if (!gt->frame || grow(d, 1) != 0) {
        grant_fini(d);
        return -XEN_ENOMEM;
    }
    return 0;
}

void grant_fini(struct domain *d)
{
    struct grant_table *gt = d->grants;

    if (!gt)
        return;
    for (unsigned int i = 0; gt->frame && i < gt->max_frames; i++)
        kfree(gt->frame[i].active);
    for (unsigned int i = 0; i < gt->nr_pages; i++)
        kfree(gt->page[i]);
    kfree(gt->page);
    kfree(gt->frame);
    kfree(gt);
    d->grants = NULL;
}

/* -- pins ------------------------------------------------------------------------------------- */

/* The shared entry, mapped; window_unmap() afterwards. */
static struct grant_entry_v1 *map_entry(struct grant_table *gt, uint32_t ref)
{
    struct grant_entry_v1 *e = window_map(gt->frame[ref / GRANT_PER_FRAME].mfn);

    return e + ref % GRANT_PER_FRAME;
}

static bool grant_pinned(struct grant_table *gt, uint32_t ref)
{
    const struct grant_active *act = grant_active(gt, ref);

    return act->readers || act->writers;
}

/* Tells the guest by the entry's flags that it is in use; the guest may change it meanwhile. Flags
 * and domid are one word, seen and changed together. */
static int16_t mark_used(struct grant_entry_v1 *e, bool pinned, domid_t by, bool write,
                         bool mapping)
{
    for (unsigned int i = 0; i < PIN_TRIES; i++) {
        uint32_t w = mem_load32(&e->flags);

        if (!pinned && ((w & GTF_type_mask) != GTF_permit_access || w >> 16 != by ||
                        (mapping && (w & GTF_sub_page))))
            return GNTST_general_error;
        if (write && (w & GTF_readonly))
            return GNTST_general_error;
        if (mem_cmpxchg32(&e->flags, w, w | GTF_reading | (write ? GTF_writing : 0)) == w)
            return GNTST_okay;
    }
    return GNTST_general_error;
}

/* Takes back those flags that no pin stands for. */
static void mark_unused(struct grant_entry_v1 *e, const struct grant_active *act)
{
    unsigned int bits = 0;

    if (!act->writers)
        bits |= GTF_writing;
    if (!act->writers && !act->readers)
        bits |= GTF_reading;
    if (bits)
        mem_fetch_and16(&e->flags, (uint16_t)~bits);
}

/* The first pin: finds the page that the entry names. */
static int16_t find_page(struct domain *r, struct grant_entry_v1 *e, struct grant_active *act,
                         bool write, struct page **page)
{
    gfn_t gfn = _gfn(mem_load32(&e->frame));

    act->frozen = 0;
    *page = p2m_get_own_page(r, gfn, true);
    if (!*page && !write) {
        *page = p2m_get_own_page(r, gfn, false);
        act->frozen = 1;
    }
    if (!*page)
        return GNTST_bad_page;
    act->mfn = (uint32_t)page_mfn(*page).v;
    return GNTST_okay;
}

int16_t grant_pin(struct domain *r, uint32_t ref, domid_t by, bool write, bool mapping,
                  struct page **page)
{
    struct grant_table *gt = r->grants;
    uint64_t refs = gt->nr_frames * GRANT_PER_FRAME;
    int16_t status = GNTST_okay;
    struct grant_entry_v1 *e;
    struct grant_active *act;
    bool pinned;

    if (ref >= refs)
        return GNTST_bad_gntref;
    ref = (uint32_t)index_nospec(ref, refs);
    act = grant_active(gt, ref);
    pinned = act->readers || act->writers;
    /* The shared frames of a dying domain may be gone. */
    if (r->state >= DOMAIN_DYING || (pinned && act->domid != by) ||
        (write ? act->writers : act->readers) == UINT8_MAX || (pinned && write && act->frozen))
        return GNTST_general_error;

    if (pinned) {
        *page = page_of(_mfn(act->mfn));
        if (!page_get(*page, r->id))
            return GNTST_general_error;
        if (!write || act->writers)
            goto count;
    }
    e = map_entry(gt, ref);
    status = mark_used(e, pinned, by, write, mapping);
    if (status == GNTST_okay && !pinned) {
        status = find_page(r, e, act, write, page);
        if (status != GNTST_okay)
            mark_unused(e, act);
    } else if (status != GNTST_okay && pinned) {
        page_put(*page);
    }
    window_unmap(e);
    if (status != GNTST_okay)
        return status;
count:
    act->domid = by & 0x7fffu;
    if (write)
        act->writers++;
    else
        act->readers++;
    return GNTST_okay;
}

void grant_unpin(struct domain *r, uint32_t ref, bool write)
{
    struct grant_active *act = grant_active(r->grants, ref);
    struct grant_entry_v1 *e;

    if (write)
        act->writers--;
    else
        act->readers--;
    if ((write ? act->writers : act->readers + act->writers) || r->state >= DOMAIN_DYING)
        return;
    e = map_entry(r->grants, ref);
    mark_unused(e, act);
    window_unmap(e);
}

static int16_t swap_locked(struct domain *d, uint32_t a, uint32_t b)
{
    struct grant_table *gt = d->grants;
    uint64_t refs = gt->nr_frames * GRANT_PER_FRAME, first;
    struct grant_entry_v1 *ea, *eb;

    BUILD_BUG_ON(sizeof(*ea) != sizeof(first));
    if (a >= refs || b >= refs || d->state >= DOMAIN_DYING)
        return GNTST_bad_gntref;
    a = (uint32_t)index_nospec(a, refs);
    b = (uint32_t)index_nospec(b, refs);
    if (grant_pinned(gt, a) || grant_pinned(gt, b))
        return GNTST_eagain;
    ea = map_entry(gt, a);
    eb = map_entry(gt, b);
    first = mem_load64(ea);
    mem_store64(ea, mem_load64(eb));
    mem_store64(eb, first);
    window_unmap(eb);
    window_unmap(ea);
    return GNTST_okay;
}

int16_t grant_swap(struct domain *d, uint32_t a, uint32_t b)
{
    int16_t status;

    lock(&d->grants->lock);
    status = swap_locked(d, a, b);
    unlock(&d->grants->lock);
    return status;
}

/* -- size and version ------------------------------------------------------------------------- */

int grant_set_version(struct domain *d, uint32_t *version)
{
    uint32_t asked = *version;

    (void)d;
    *version = 1;
    if (asked == 1)
        return 0;
    return asked == 2 ? -XEN_ENOSYS : -XEN_EINVAL;
}

void grant_query_size(struct domain *d, struct gnttab_query_size *op)
{
    lock(&d->grants->lock);
    op->nr_frames = d->grants->nr_frames;
    op->max_nr_frames = d->grants->max_frames;
    unlock(&d->grants->lock);
    op->status = GNTST_okay;
}

int grant_frame(struct domain *d, uint32_t idx, mfn_t *mfn)
{
    struct grant_table *gt = d->grants;
    int rc = idx < gt->max_frames ? 0 : -XEN_EINVAL;

    if (rc)
        return rc;
    idx = (uint32_t)index_nospec(idx, gt->max_frames);
    lock(&gt->lock);
    rc = grow(d, idx + 1);
    if (!rc && !page_get(page_of(gt->frame[idx].mfn), d->id))
        rc = -XEN_EINVAL;
    if (!rc)
        *mfn = gt->frame[idx].mfn;
    unlock(&gt->lock);
    return rc;
}

gfn_t grant_frame_moved(struct domain *d, uint32_t idx, gfn_t gfn)
{
    struct grant_table *gt = d->grants;
    gfn_t old = GFN_NONE;

    lock(&gt->lock);
    if (idx < gt->nr_frames) {
        idx = (uint32_t)index_nospec(idx, gt->nr_frames);
        old = gt->frame[idx].gfn;
        gt->frame[idx].gfn = gfn;
    }
    unlock(&gt->lock);
    return old;
}

void grant_setup_table(struct domain *d, struct gnttab_setup_table *op, uint64_t *frames)
{
    struct grant_table *gt = d->grants;
    int rc;

    lock(&gt->lock);
    rc = op->nr_frames ? grow(d, op->nr_frames) : 0;
    op->status = rc ? GNTST_general_error : GNTST_okay;
    for (unsigned int i = 0; !rc && i < op->nr_frames; i++) {
        const struct grant_frame *f = &gt->frame[i];
        struct p2m_entry at = p2m_lookup(d, f->gfn);

        frames[i] = at.type == P2M_RAM && mfn_eq(at.mfn, f->mfn) ? f->gfn.v : FRAME_NONE;
    }
    unlock(&gt->lock);
}

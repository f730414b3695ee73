/* SPDX-License-Identifier: Apache-2.0 */
/* Changing what is at a gfn: see physmap.h. */
#include "guest/hypercall/physmap.h"

#include "domain/flush.h"
#include "domain/grant.h"
#include "domain/policy.h"
#include "mem/frame.h"

#define RELEASE_BATCH 32u

static bool gfn_ok(const struct domain *d, gfn_t gfn, unsigned int order)
{
    uint64_t limit = 1ULL << (policy_phys_bits(d) - PAGE_SHIFT), n = 1ULL << order;

    return gfn.v < limit && n <= limit - gfn.v && IS_ALIGNED(gfn.v, n);
}

/* RAM of d's own, not shared_info or a grant frame. */
static bool is_own_ram(const struct domain *d, const struct p2m_entry *e)
{
    const struct page *pg;

    if (e->type != P2M_RAM)
        return false;
    pg = page_of(e->mfn);
    return page_owner(pg) == d->id && !(page_flags(pg) & PAGE_SPECIAL);
}

static bool all_holes(struct domain *d, gfn_t gfn, unsigned int order)
{
    for (uint64_t i = 0; i < 1ULL << order;) {
        struct p2m_entry e = p2m_lookup(d, gfn_add(gfn, i));

        if (e.type != P2M_HOLE)
            return false;
        i += 1ULL << min(e.order, order);
    }
    return true;
}

/*
 * Of a frame that was taken out of the map just now, and flushed: ordinary memory goes. Asked only
 * now, because between an earlier look at the entry and its replacement another vCPU may have given
 * that frame back, got it again as a special page and placed it at the same gfn. A special page
 * belongs to shared_info or the grant table still: it is only unhooked.
 */
static void physmap_give_back(struct domain *d, mfn_t mfn)
{
    struct page *pg = page_of(mfn);

    if (!(page_flags(pg) & PAGE_SPECIAL))
        domain_put_page(d, pg);
}

bool physmap_populate(struct domain *d, gfn_t gfn, unsigned int order)
{
    struct p2m_entry old;
    mfn_t mfn;

    if (!gfn_ok(d, gfn, order) || (order != 0 && order != 9 && order != 18))
        return false;
    old = p2m_lookup(d, gfn);
    if (order ? !all_holes(d, gfn, order) : old.type != P2M_HOLE && !is_own_ram(d, &old))
        return false;
    mfn = domain_alloc_pages(d, order, 0);
    if (mfn_eq(mfn, MFN_NONE))
        return false;
    if (order ? p2m_set(d, gfn, mfn, order, P2M_RAM, NULL)
              : p2m_replace(d, gfn, &old, mfn, P2M_RAM)) {
        for (uint64_t i = 0; i < 1ULL << order; i++)
            domain_put_page(d, page_of(mfn_add(mfn, i)));
        return false;
    }
    if (!order && old.type == P2M_RAM) {
        flush_domain(d);
        physmap_give_back(d, old.mfn);
    }
    return true;
}

/* Takes up to RELEASE_BATCH pages out of the map, flushes once, lets them go. */
static unsigned int decrease_batch(struct domain *d, gfn_t gfn, unsigned int n, bool *ok)
{
    mfn_t mfn[RELEASE_BATCH];
    unsigned int got = 0;

    for (*ok = true; *ok && got < n; got++) {
        struct p2m_entry e = p2m_lookup(d, gfn_add(gfn, got));

        *ok = is_own_ram(d, &e) && !p2m_replace(d, gfn_add(gfn, got), &e, MFN_NONE, P2M_HOLE);
        if (!*ok)
            break;
        mfn[got] = e.mfn;
    }
    if (got)
        flush_domain(d);
    for (unsigned int i = 0; i < got; i++)
        physmap_give_back(d, mfn[i]);
    return got;
}

bool physmap_decrease(struct domain *d, gfn_t gfn, unsigned int order)
{
    uint64_t n = 1ULL << order;
    bool ok = gfn_ok(d, gfn, order) || (order && gfn_ok(d, gfn, 0));

    for (uint64_t i = 0; ok && i < n;)
        i += decrease_batch(d, gfn_add(gfn, i), (unsigned int)min(n - i, (uint64_t)RELEASE_BATCH),
                            &ok);
    return ok;
}

/* Makes way at gfn for a page that is placed there. RAM that was there is given back; a special
 * page is only unhooked. */
static int physmap_clear(struct domain *d, gfn_t gfn)
{
    struct p2m_entry e = p2m_lookup(d, gfn);
    int err;

    switch (e.type) {
    case P2M_HOLE:
        return 0;
    case P2M_RAM:
        break;
    case P2M_MMIO:
    case P2M_MODULE:
        return -XEN_EPERM;
    default:
        return -XEN_ENXIO;
    }
    err = p2m_replace(d, gfn, &e, MFN_NONE, P2M_HOLE);
    if (err)
        return err;
    flush_domain(d);
    physmap_give_back(d, e.mfn);
    return 0;
}

/* Takes `mfn` away from where it was placed before, if it is there still. */
static void physmap_unhook(struct domain *d, gfn_t gfn, mfn_t mfn)
{
    const struct p2m_entry e = {.mfn = mfn, .type = P2M_RAM};

    if (!gfn_eq(gfn, GFN_NONE) && !p2m_replace(d, gfn, &e, MFN_NONE, P2M_HOLE))
        flush_domain(d);
}

static int physmap_place(struct domain *d, gfn_t gfn, mfn_t mfn)
{
    int err = physmap_clear(d, gfn);

    return err ? err : p2m_set(d, gfn, mfn, 0, P2M_RAM, NULL);
}

static int physmap_add_shared_info(struct domain *d, uint64_t idx, gfn_t gfn)
{
    int err;

    if (idx)
        return -XEN_EINVAL;
    physmap_unhook(d, _gfn(d->shared_info_gfn), d->shared_info.mfn);
    d->shared_info_gfn = FRAME_NONE;
    err = physmap_place(d, gfn, d->shared_info.mfn);
    if (!err)
        d->shared_info_gfn = gfn.v;
    return err;
}

static int physmap_add_grant_frame(struct domain *d, uint64_t idx, gfn_t gfn)
{
    mfn_t mfn;
    int err;

    if (idx > UINT32_MAX)
        return -XEN_EINVAL;
    err = grant_frame(d, (uint32_t)idx, &mfn);
    if (err)
        return err;
    physmap_unhook(d, grant_frame_moved(d, (uint32_t)idx, GFN_NONE), mfn);
    err = physmap_place(d, gfn, mfn);
    if (!err)
        (void)grant_frame_moved(d, (uint32_t)idx, gfn);
    page_put(page_of(mfn)); /* grant_frame()'s; the table keeps its own */
    return err;
}

static int physmap_move(struct domain *d, uint64_t idx, gfn_t gfn)
{
    struct p2m_entry e;
    int err;

    if (!gfn_ok(d, _gfn(idx), 0))
        return -XEN_EINVAL;
    e = p2m_lookup(d, _gfn(idx));
    if (!is_own_ram(d, &e))
        return -XEN_EINVAL;
    if (idx == gfn.v)
        return 0;
    err = p2m_replace(d, _gfn(idx), &e, MFN_NONE, P2M_HOLE);
    if (err)
        return -XEN_EINVAL;
    flush_domain(d);
    err = physmap_place(d, gfn, e.mfn);
    if (err && p2m_set(d, _gfn(idx), e.mfn, 0, P2M_RAM, NULL))
        return -XEN_ENOMEM; /* the page stays the domain's, at no address */
    return err;
}

int physmap_add(struct domain *d, unsigned int space, uint64_t idx, gfn_t gfn)
{
    int err;

    if (!gfn_ok(d, gfn, 0))
        return -XEN_EINVAL;
    lock(&d->physmap_lock);
    switch (space) {
    case XENMAPSPACE_shared_info:
        err = physmap_add_shared_info(d, idx, gfn);
        break;
    case XENMAPSPACE_grant_table:
        err = physmap_add_grant_frame(d, idx, gfn);
        break;
    case XENMAPSPACE_gmfn:
        err = physmap_move(d, idx, gfn);
        break;
    default:
        err = -XEN_EINVAL;
        break;
    }
    unlock(&d->physmap_lock);
    return err;
}

int physmap_remove(struct domain *d, gfn_t gfn)
{
    struct p2m_entry e;

    if (!gfn_ok(d, gfn, 0))
        return -XEN_ENOENT;
    e = p2m_lookup(d, gfn);
    if (e.type != P2M_RAM && e.type != P2M_FOREIGN)
        return -XEN_ENOENT;
    if (p2m_replace(d, gfn, &e, MFN_NONE, P2M_HOLE))
        return -XEN_ENOENT;
    flush_domain(d);
    if (e.type == P2M_FOREIGN)
        page_put(page_of(e.mfn));
    return 0;
}

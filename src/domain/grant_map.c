/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping other domains' granted pages into a domain, taking the mappings away again, and the
 * records of both (maptrack). Rules: addendum B1.12. A page's reference and the entry's pin outlive
 * the mapping until no CPU can use it any more.
 */
#include "domain/grant_table.h"
#include "core/printk.h"
#include "domain/flush.h"
#include "mem/heap.h"

#define RELEASE_STEP 4096u /* handles looked at per step */

/* -- handles: d's lock held ------------------------------------------------------------------- */

static bool grow_handles(struct grant_table *gt)
{
    uint32_t first = grant_handles(gt);
    struct grant_map *m;

    if (gt->nr_pages == gt->max_pages)
        return false;
    if (!gt->page)
        gt->page = kalloc_array(gt->max_pages, sizeof(void *));
    m = gt->page ? kalloc(PAGE_SIZE) : NULL;
    if (!m)
        return false;
    for (uint32_t i = 0; i < GRANT_MAPS_PER_PAGE; i++)
        m[i].ref = first + i + 2;
    m[GRANT_MAPS_PER_PAGE - 1].ref = gt->free;
    gt->page[gt->nr_pages++] = m;
    gt->free = first + 1;
    return true;
}

/* -- map -------------------------------------------------------------------------------------- */

/* Puts the frame at gfn, where nothing or ordinary memory is. *was: what the entry held. */
static bool map_place(struct domain *d, gfn_t gfn, mfn_t mfn, enum p2m_type type,
                      struct p2m_entry *was)
{
    *was = p2m_lookup(d, gfn);
    switch (was->type) {
    case P2M_HOLE:
    case P2M_RAM:
    case P2M_RAM_RO:
    case P2M_LOGDIRTY:
        return p2m_replace(d, gfn, was, mfn, type) == 0;
    default:
        return false;
    }
}

/* Both locks held. *stale: d's old translation of that gfn must be flushed. */
static int16_t map_locked(struct domain *d, struct domain *r, struct gnttab_map_grant_ref *op,
                          bool *stale)
{
    struct grant_table *gt = d->grants;
    bool write = !(op->flags & GNTMAP_readonly);
    unsigned int kind = write ? GRANT_MAP_RW : GRANT_MAP_RO;
    gfn_t gfn = _gfn(op->host_addr >> PAGE_SHIFT);
    struct p2m_entry was;
    struct page *page;
    struct grant_map *m;
    uint32_t handle;
    int16_t status;

    if (d->state >= DOMAIN_DYING)
        return GNTST_general_error;
    if (!gt->free && !grow_handles(gt))
        return GNTST_no_space;
    status = grant_pin(r, op->ref, d->id, write, true, &page);
    if (status != GNTST_okay)
        return status;
    if (!map_place(d, gfn, page_mfn(page), grant_p2m_type(kind), &was)) {
        grant_unpin(r, op->ref, write);
        page_put(page);
        return GNTST_general_error;
    }
    *stale = was.type != P2M_HOLE;

    handle = gt->free - 1;
    m = grant_handle_at(gt, handle);
    gt->free = m->ref;
    gt->used++;
    *m = (struct grant_map){.ref = op->ref,
                            .mfn = (uint32_t)page_mfn(page).v,
                            .gfn = gfn.v & ((1ULL << 46) - 1),
                            .kind = kind & 3,
                            .domid = r->id};
    op->handle = handle;
    op->dev_bus_addr = mfn_to_hpa(page_mfn(page)).v;
    return GNTST_okay;
}

void grant_map(struct domain *d, struct gnttab_map_grant_ref *op)
{
    struct domain *r;
    bool stale = false;

    if (!(op->flags & (GNTMAP_device_map | GNTMAP_host_map))) {
        op->status = GNTST_bad_gntref;
        return;
    }
    if (op->flags & ~(uint32_t)(GNTMAP_host_map | GNTMAP_readonly)) {
        op->status = GNTST_general_error;
        return;
    }
    r = domain_get(op->dom);
    if (!r) {
        op->status = GNTST_bad_domain;
        return;
    }
    grant_lock_both(d, r);
    op->status = map_locked(d, r, op, &stale);
    grant_unlock_both(d, r);
    if (stale)
        flush_domain(d);
    domain_put(r);
}

/* -- unmap ------------------------------------------------------------------------------------ */

/* A mapping that is out of the p2m, but perhaps not out of every TLB. */
struct unmapped {
    struct page *page;
    uint32_t ref;
    domid_t domid;
    bool write;
};

/* Frees the handle; what it held is in *u. d's lock held. */
static void unmap_take(struct grant_table *gt, struct grant_map *m, uint32_t handle,
                       struct unmapped *u)
{
    *u = (struct unmapped){page_of(_mfn(m->mfn)), m->ref, (domid_t)m->domid,
                           m->kind == GRANT_MAP_RW};
    m->kind = GRANT_MAP_FREE;
    m->ref = gt->free;
    gt->free = handle + 1;
    gt->used--;
}

/* Makes the gfn a hole, if it holds exactly that mapping. d's lock held. */
static bool unmap_entry(struct domain *d, const struct grant_map *m)
{
    struct p2m_entry is = {_mfn(m->mfn), grant_p2m_type(m->kind), 0};

    return p2m_replace(d, _gfn(m->gfn), &is, MFN_NONE, P2M_HOLE) == 0;
}

/* d's lock held; u->page stays NULL when nothing was unmapped. */
static int16_t unmap_locked(struct domain *d, const struct gnttab_unmap_grant_ref *op,
                            struct unmapped *u)
{
    uint32_t n = grant_handles(d->grants);
    struct grant_map *m;

    if (op->handle >= n)
        return GNTST_bad_handle;
    m = grant_handle_at(d->grants, index_nospec(op->handle, n));
    if (m->kind == GRANT_MAP_FREE)
        return GNTST_bad_handle;
    if (!op->host_addr)
        return GNTST_okay;
    if (op->host_addr >> PAGE_SHIFT != m->gfn || !unmap_entry(d, m))
        return GNTST_general_error;
    unmap_take(d->grants, m, op->handle, u);
    return GNTST_okay;
}

/* After the flush: gives back pins and references. */
static void unmap_finish(struct unmapped *u, unsigned int n)
{
    struct domain *r = NULL;

    for (unsigned int i = 0; i < n; i++) {
        if (!u[i].page)
            continue;
        if (!r || r->id != u[i].domid) {
            if (r)
                domain_put(r);
            r = domain_get(u[i].domid);
            ASSERT(r); /* its page keeps it alive */
        }
        if (likely(r)) {
            lock(&r->grants->lock);
            grant_unpin(r, u[i].ref, u[i].write);
            unlock(&r->grants->lock);
        }
        page_put(u[i].page);
    }
    if (r)
        domain_put(r);
}

void grant_unmap(struct domain *d, struct gnttab_unmap_grant_ref *op, unsigned int n)
{
    while (n) {
        struct unmapped u[GRANT_UNMAP_BATCH] = {{.page = NULL}};
        unsigned int batch = min(n, GRANT_UNMAP_BATCH);
        bool any = false;

        lock(&d->grants->lock);
        for (unsigned int i = 0; i < batch; i++) {
            op[i].status = unmap_locked(d, &op[i], &u[i]);
            any |= u[i].page != NULL;
        }
        unlock(&d->grants->lock);
        if (any) {
            flush_domain(d);
            unmap_finish(u, batch);
        }
        op += batch;
        n -= batch;
    }
}

bool grant_release_maps_step(struct domain *d)
{
    struct grant_table *gt = d->grants;
    struct unmapped u[GRANT_UNMAP_BATCH] = {{.page = NULL}};
    unsigned int n = 0;
    bool more;

    lock(&gt->lock);
    for (unsigned int i = 0; i < RELEASE_STEP && n < GRANT_UNMAP_BATCH; i++, gt->cursor++) {
        struct grant_map *m;

        if (gt->cursor >= grant_handles(gt))
            break;
        m = grant_handle_at(gt, gt->cursor);
        if (m->kind == GRANT_MAP_FREE)
            continue;
        if (!unmap_entry(d, m))
            log_err("d%u: grant mapping %u was not in place", d->id, gt->cursor);
        unmap_take(gt, m, gt->cursor, &u[n++]);
    }
    more = gt->cursor < grant_handles(gt);
    unlock(&gt->lock);
    if (n) {
        flush_domain(d);
        unmap_finish(u, n);
    }
    return more;
}

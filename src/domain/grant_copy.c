/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying between granted pages and a domain's own memory (GNTTABOP_copy). An operand that is the
 * same as in the operation before keeps its pin. Rules: addendum B1.12.
 */
#include "domain/grant_table.h"
#include "mem/window.h"

#include "port/mem.h"

static void side_end(struct grant_copy_side *s)
{
    if (!s->valid)
        return;
    if (s->is_ref) {
        lock(&s->d->grants->lock);
        grant_unpin(s->d, s->ref, s->write);
        unlock(&s->d->grants->lock);
        domain_put(s->d);
    }
    page_put(s->page);
    s->valid = false;
}

static int16_t side_begin_ref(struct domain *d, struct grant_copy_side *s)
{
    int16_t status;

    if (s->domid == DOMID_SELF) {
        s->d = d;
        domain_ref(d);
    } else {
        s->d = domain_get(s->domid);
        if (!s->d)
            return GNTST_bad_domain;
    }
    lock(&s->d->grants->lock);
    status = grant_pin(s->d, s->ref, d->id, s->write, false, &s->page);
    unlock(&s->d->grants->lock);
    if (status != GNTST_okay)
        domain_put(s->d);
    return status;
}

/* Makes the page of one operand available, or keeps it. */
static int16_t side_begin(struct domain *d, struct grant_copy_side *s,
                          const struct gnttab_copy_ptr *op, bool is_ref, bool write)
{
    struct grant_copy_side next = {.is_ref = is_ref, .write = write, .domid = op->domid};
    int16_t status = GNTST_okay;

    if (is_ref)
        next.ref = op->u.ref;
    else
        next.gfn = op->u.gmfn;
    if (s->valid && s->is_ref == is_ref && s->domid == next.domid && s->ref == next.ref &&
        s->gfn == next.gfn)
        return GNTST_okay;
    side_end(s);
    if (is_ref) {
        status = side_begin_ref(d, &next);
    } else if (next.domid != DOMID_SELF) {
        status = GNTST_permission_denied;
    } else {
        next.page = p2m_get_page(d, _gfn(next.gfn), write);
        if (!next.page)
            status = GNTST_bad_page;
    }
    next.valid = status == GNTST_okay;
    *s = next;
    return status;
}

void grant_copy(struct domain *d, struct gnttab_copy *op, struct grant_copy_cache *cache)
{
    uint8_t *src, *dst;

    op->status = GNTST_bad_copy_arg;
    if (op->source.offset + op->len > (int)PAGE_SIZE || op->dest.offset + op->len > (int)PAGE_SIZE)
        return;
    op->status = side_begin(d, &cache->src, &op->source, op->flags & GNTCOPY_source_gref, false);
    if (op->status == GNTST_okay)
        op->status = side_begin(d, &cache->dst, &op->dest, op->flags & GNTCOPY_dest_gref, true);
    if (op->status != GNTST_okay || !op->len)
        return;

    src = window_map(page_mfn(cache->src.page));
    dst = window_map(page_mfn(cache->dst.page));
    if (op->len == PAGE_SIZE)
        mem_copy_page(dst, src);
    else
        mem_copy(dst + op->dest.offset, src + op->source.offset, op->len);
    window_unmap(dst);
    window_unmap(src);
}

void grant_copy_end(struct domain *d, struct grant_copy_cache *cache)
{
    (void)d;
    side_end(&cache->src);
    side_end(&cache->dst);
}

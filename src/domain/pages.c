/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a domain: allocation against its limit, its page list, and what happens when the
 * last reference to one of its frames goes. Where a page is in guest-physical space is the p2m's.
 */
#include "domain/lifecycle.h"

#include "core/printk.h"
#include "mem/heap.h"

/*
 * Page lists are linked by frame number; frame 0 is never a domain's. A page that comes after the
 * teardown has emptied the list would be lost: false for a dying domain, the pages are not listed.
 */
static bool pages_link(struct domain *d, mfn_t first, uint64_t n)
{
    bool ok;

    lock(&d->page_lock);
    ok = d->state < DOMAIN_DYING;
    for (uint64_t i = 0; i < n; i++) {
        struct page *pg = page_of(mfn_add(first, i));

        if (!ok) {
            page_set_flags(pg, 0, PAGE_LISTED);
            continue;
        }
        pg->prev = 0;
        pg->next = d->pages;
        if (d->pages)
            page_of(_mfn(d->pages))->prev = (uint32_t)page_mfn(pg).v;
        d->pages = (uint32_t)page_mfn(pg).v;
    }
    unlock(&d->page_lock);
    return ok;
}

static void pages_unlink(struct domain *d, struct page *pg)
{
    if (pg->prev)
        page_of(_mfn(pg->prev))->next = pg->next;
    else
        d->pages = pg->next;
    if (pg->next)
        page_of(_mfn(pg->next))->prev = pg->prev;
    pg->next = pg->prev = 0;
}

/* Reserves n pages of the limit; the first ones hold a reference on the domain. */
static bool pages_charge(struct domain *d, uint64_t n)
{
    bool ok;

    lock(&d->page_lock);
    ok = d->state < DOMAIN_DYING && n <= d->max_pages && d->tot_pages <= d->max_pages - n;
    if (ok) {
        if (!d->tot_pages)
            domain_ref(d);
        d->tot_pages += n;
    }
    unlock(&d->page_lock);
    return ok;
}

static void pages_uncharge(struct domain *d, uint64_t n)
{
    bool last;

    lock(&d->page_lock);
    d->tot_pages -= n;
    last = !d->tot_pages;
    unlock(&d->page_lock);
    if (last)
        domain_put(d);
}

mfn_t domain_alloc_pages(struct domain *d, unsigned int order, unsigned int flags)
{
    uint64_t n = 1ULL << order;
    mfn_t first;

    if (!pages_charge(d, n))
        return MFN_NONE;
    first = heap_alloc(order, flags);
    if (mfn_eq(first, MFN_NONE)) {
        pages_uncharge(d, n);
        return MFN_NONE;
    }
    for (uint64_t i = 0; i < n; i++)
        page_assign(page_of(mfn_add(first, i)), d->id, PAGE_LISTED);
    if (pages_link(d, first, n))
        return first;
    for (uint64_t i = 0; i < n; i++)
        page_put(page_of(mfn_add(first, i)));
    return MFN_NONE;
}

mfn_t domain_alloc_special(struct domain *d)
{
    mfn_t mfn = heap_alloc(0, 0);

    if (mfn_eq(mfn, MFN_NONE))
        return mfn;
    page_assign(page_of(mfn), d->id, PAGE_LISTED | PAGE_SPECIAL);
    domain_ref(d);
    if (pages_link(d, mfn, 1))
        return mfn;
    page_put(page_of(mfn));
    return MFN_NONE;
}

void domain_put_page(struct domain *d, struct page *pg)
{
    bool listed;

    lock(&d->page_lock);
    listed = page_owner(pg) == d->id && (page_flags(pg) & PAGE_LISTED);
    if (listed) {
        pages_unlink(d, pg);
        page_set_flags(pg, 0, PAGE_LISTED);
    }
    unlock(&d->page_lock);
    ASSERT(listed);
    if (listed)
        page_put(pg);
}

/* The last reference to a frame of a domain has gone. */
static void pages_released(struct page *pg)
{
    unsigned int owner = page_owner(pg);
    bool special = page_flags(pg) & PAGE_SPECIAL;
    struct domain *d;

    if (owner >= DOMID_FIRST_RESERVED)
        return;
    d = domain_find((domid_t)owner);
    BUG_ON(!d);
    lock(&d->page_lock);
    if (page_flags(pg) & PAGE_LISTED)
        pages_unlink(d, pg);
    unlock(&d->page_lock);
    if (special)
        domain_put(d);
    else
        pages_uncharge(d, 1);
}

/*
 * Drops the owner's reference of pages on the list. A page that others still use (a grant mapped
 * elsewhere) leaves the list now and the domain's count when its last reference goes.
 */
bool pages_release_step(struct domain *d, unsigned int n)
{
    bool left;

    while (n--) {
        struct page *pg;

        lock(&d->page_lock);
        pg = d->pages ? page_of(_mfn(d->pages)) : NULL;
        if (pg) {
            pages_unlink(d, pg);
            page_set_flags(pg, 0, PAGE_LISTED);
        }
        unlock(&d->page_lock);
        if (!pg)
            return false;
        page_put(pg);
    }
    lock(&d->page_lock);
    left = d->pages;
    unlock(&d->page_lock);
    return left;
}

void pages_init(void)
{
    page_release_hook = pages_released;
}

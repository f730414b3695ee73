/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables as a debug key and the tests look at them: pins against handles against p2m. Exact
 * while nobody maps or copies; no domain is stopped for it.
 */
#include "domain/grant_table.h"
#include "core/keys.h"
#include "core/printk.h"
#include "lib/format.h"

static int fault(char *why, size_t size, struct domain *d, const char *what, uint32_t nr)
{
    format(why, size, "d%u: %s (%u)", d->id, what, nr);
    return -XEN_EINVAL;
}

/* d's own records: handles with what the p2m holds, and the list of free ones. Lock held. */
static int check_handles(struct domain *d, char *why, size_t size)
{
    struct grant_table *gt = d->grants;
    uint32_t n = grant_handles(gt), free = 0, used = 0;
    struct grant_map *m;

    for (uint32_t h = gt->free; h && free <= n; h = m->ref, free++) {
        m = h <= n ? grant_handle_at(gt, h - 1) : NULL;
        if (!m || m->kind != GRANT_MAP_FREE)
            return fault(why, size, d, "list of free handles broken", h - 1);
    }
    for (uint32_t h = 0; h < n; h++) {
        struct p2m_entry at;

        m = grant_handle_at(gt, h);
        if (m->kind == GRANT_MAP_FREE)
            continue;
        used++;
        at = p2m_lookup(d, _gfn(m->gfn));
        if (at.mfn.v != m->mfn || at.type != grant_p2m_type(m->kind))
            return fault(why, size, d, "handle's mapping is not in the p2m", h);
    }
    if (used != gt->used || used + free != n)
        return fault(why, size, d, "handles do not add up", used);
    return 0;
}

/* Each of m's handles for entries of d stands for a pin; counts them. Both locks held. */
static int check_pins(struct domain *d, struct domain *m, uint32_t *readers, uint32_t *writers,
                      char *why, size_t size)
{
    uint32_t n = grant_handles(m->grants);

    for (uint32_t h = 0; h < n; h++) {
        struct grant_map *map = grant_handle_at(m->grants, h);
        struct grant_active *act;

        if (map->kind == GRANT_MAP_FREE || map->domid != d->id)
            continue;
        if (map->ref >= d->grants->nr_frames * GRANT_PER_FRAME)
            return fault(why, size, m, "handle names no entry", h);
        act = grant_active(d->grants, map->ref);
        if (act->mfn != map->mfn || act->domid != m->id ||
            !(map->kind == GRANT_MAP_RW ? act->writers : act->readers))
            return fault(why, size, m, "handle without a pin", h);
        if (map->kind == GRANT_MAP_RW)
            ++*writers;
        else
            ++*readers;
    }
    return 0;
}

int grant_check(struct domain *d, char *why, size_t size)
{
    uint32_t readers = 0, writers = 0;
    struct domain *m;
    int rc;

    lock(&d->grants->lock);
    rc = check_handles(d, why, size);
    unlock(&d->grants->lock);
    for (int id = -1; !rc && (m = domain_next(id)); id = m->id, domain_put(m)) {
        grant_lock_both(d, m);
        rc = check_pins(d, m, &readers, &writers, why, size);
        grant_unlock_both(d, m);
    }
    if (rc)
        return rc;
    lock(&d->grants->lock);
    for (uint32_t ref = 0; !rc && ref < d->grants->nr_frames * GRANT_PER_FRAME; ref++) {
        struct grant_active *act = grant_active(d->grants, ref);
        const struct page *pg = page_of(_mfn(act->mfn));

        readers -= act->readers;
        writers -= act->writers;
        if (act->readers + act->writers > 0 &&
            (page_owner(pg) != d->id || page_refs(pg) < (uint32_t)act->readers + act->writers))
            rc = fault(why, size, d, "pinned page has too few references", ref);
    }
    unlock(&d->grants->lock);
    if (!rc && (readers || writers))
        rc = fault(why, size, d, "pins without a handle, of all domains", readers + writers);
    return rc;
}

#define DUMP_MAX 64u /* lines per domain and part */

void grant_dump(struct domain *d)
{
    struct grant_table *gt = d->grants;
    unsigned int lines = 0;

    lock(&gt->lock);
    log_info("d%u: %u of %u grant frames, %u mappings", d->id, gt->nr_frames, gt->max_frames,
             gt->used);
    for (uint32_t ref = 0; ref < gt->nr_frames * GRANT_PER_FRAME && lines < DUMP_MAX; ref++) {
        const struct grant_active *act = grant_active(gt, ref);

        if (!act->readers && !act->writers)
            continue;
        lines++;
        log_info("  ref %u: d%u, frame %x, %u readers, %u writers", ref, act->domid, act->mfn,
                 act->readers, act->writers);
    }
    for (uint32_t h = 0; h < grant_handles(gt) && lines < 2 * DUMP_MAX; h++) {
        const struct grant_map *m = grant_handle_at(gt, h);

        if (m->kind == GRANT_MAP_FREE)
            continue;
        lines++;
        log_info("  handle %u: d%u ref %u at gfn %llx%s", h, (unsigned int)m->domid, m->ref,
                 (unsigned long long)m->gfn, m->kind == GRANT_MAP_RO ? ", read-only" : "");
    }
    unlock(&gt->lock);
}

static void grant_key(void)
{
    struct domain *d;
    char why[128];

    for (int id = -1; (d = domain_next(id)); id = d->id, domain_put(d)) {
        grant_dump(d);
        if (grant_check(d, why, sizeof(why)))
            log_err("%s", why);
    }
}
DEBUG_KEY('g', "grants and mappings, and whether they agree", grant_key);

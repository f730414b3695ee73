/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds between any two steps of the machine, whatever guests do: run queues, event channels
 * and grants agree with themselves; each p2m's entries are what it counts, and refer to frames that
 * are still theirs; each domain's page count is the number of frames that it owns.
 */
#ifndef TESTS_INVARIANTS_H
#define TESTS_INVARIANTS_H

#include "domain/domain.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/sched/ops.h"
#include "lib/format.h"
#include "mem/frame.h"

/* Loops over every frame are not what a fuzzer should look at. */
#ifdef __clang__
#define INVARIANTS_PLAIN __attribute__((no_sanitize("coverage")))
#else
#define INVARIANTS_PLAIN
#endif

struct invariants {
    struct domain *d;
    uint64_t entries[P2M_TYPES];
    char why[160];
};

static int INVARIANTS_PLAIN invariants_leaf(void *ctx, gfn_t gfn, const struct p2m_entry *e)
{
    struct invariants *c = ctx;
    const struct page *pg = page_of(e->mfn);
    const char *fault = NULL;

    c->entries[e->type] += 1ULL << e->order;
    for (uint64_t i = 0; i < 1ULL << e->order && !fault; i++) {
        bool own = e->type == P2M_RAM || e->type == P2M_RAM_RO;
        if (!page_refs(pg + i) || page_owner(pg + i) >= DOMID_FIRST_RESERVED)
            fault = "a frame that is nobody's";
        else if (own && page_owner(pg + i) != c->d->id)
            fault = "RAM that is another's";
        else if (!own && e->type != P2M_GRANT && e->type != P2M_GRANT_RO)
            fault = "a kind that no guest can make";
    }
    if (fault)
        format(c->why, sizeof(c->why), "d%u gfn %lx: %s", c->d->id, gfn.v, fault);
    return fault ? -1 : 0;
}

static bool invariants_p2m(struct invariants *c)
{
    struct p2m *p2m = &c->d->p2m;

    if (p2m->root.v == FRAME_NONE)
        return true;
    for (unsigned int t = 0; t < P2M_TYPES; t++)
        c->entries[t] = 0;
    lock(&p2m->lock);
    p2m_walk(c->d, _gfn(0), GFN_NONE, invariants_leaf, c);
    for (unsigned int t = P2M_HOLE + 1; t < P2M_TYPES && !c->why[0]; t++)
        if (c->entries[t] != p2m->entries[t])
            format(c->why, sizeof(c->why), "d%u: %lu entries of type %u, %lu counted", c->d->id,
                   c->entries[t], t, p2m->entries[t]);
    unlock(&p2m->lock);
    return !c->why[0];
}

/* Frames by owner, ids below INVARIANTS_IDS. */
#define INVARIANTS_IDS 128u

static struct {
    uint64_t counted, special;
    bool lost;
} census[INVARIANTS_IDS];

static void INVARIANTS_PLAIN invariants_census(void)
{
    for (unsigned int i = 0; i < INVARIANTS_IDS; i++)
        census[i].counted = census[i].special = census[i].lost = 0;
    for (uint64_t i = 1; i < frame_limit; i++) {
        uint64_t state = page_of(_mfn(i))->state, owner = state >> 48;
        if (owner >= INVARIANTS_IDS)
            continue;
        if (state >> 40 & PAGE_SPECIAL)
            census[owner].special++;
        else
            census[owner].counted++;
        census[owner].lost |= !(uint32_t)state;
    }
}

static bool invariants_pages(struct invariants *c)
{
    uint64_t owned = census[c->d->id].counted;
    bool lost = census[c->d->id].lost;

    if (lost || owned != c->d->tot_pages)
        format(c->why, sizeof(c->why), "d%u: %lu pages counted, %lu owned%s", c->d->id,
               c->d->tot_pages, owned, lost ? ", one without a reference" : "");
    return !c->why[0];
}

/* Where nobody else holds one: each reference to a domain is that of its life, of its pages, or of
 * a special page. One more is held now. */
static bool invariants_references(struct invariants *c)
{
    const struct domain *d = c->d;
    uint64_t expect = 1 + (d->state != DOMAIN_DEAD) + (d->tot_pages != 0) + census[d->id].special;

    if (d->refs != expect)
        format(c->why, sizeof(c->why), "d%u: %u references, %lu accounted for", d->id, d->refs,
               expect);
    return !c->why[0];
}

/* Who may run is on a queue or on a CPU, who may not is on no queue. */
static bool invariants_vcpus(struct invariants *c)
{
    struct vcpu *v;

    for_each_vcpu (c->d, v)
        if (v->pause ? v->sched->queued : !v->sched->queued && !v->running)
            format(c->why, sizeof(c->why), "d%uv%u: pause %x, but %s", c->d->id, v->id, v->pause,
                   v->pause ? "queued" : "forgotten");
    return !c->why[0];
}

/* NULL, or what is wrong. Nothing runs meanwhile; RAM is one range from frame 1 on. */
static inline const char *invariants_broken(bool references)
{
    static struct invariants c;
    bool ok = true;

    c.why[0] = 0;
    if (sched_check(c.why, sizeof(c.why)))
        return c.why;
    invariants_census();
    for (int id = -1; ok && (c.d = domain_next(id)); id = c.d->id, domain_put(c.d))
        ok = !evtchn_check(c.d, c.why, sizeof(c.why)) && !grant_check(c.d, c.why, sizeof(c.why)) &&
             invariants_vcpus(&c) && invariants_p2m(&c) && invariants_pages(&c) &&
             (!references || invariants_references(&c));
    return ok ? NULL : c.why;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare domain for tests of what lies below domain.c: a p2m and RAM, one vCPU, nothing else.
 */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include "unit/unit.h"

#include "core/reclaim.h"
#include "domain/domain.h"
#include "mem/heap.h"
#include "sim.h"

/* Unless the library's own is linked in. */
const struct virt_ops *virt __attribute__((weak));

static inline void fixture_domain(struct domain *d, struct vcpu *v, domid_t id)
{
    memset(d, 0, sizeof(*d));
    memset(v, 0, sizeof(*v));
    d->id = id;
    d->shared_info.mfn = MFN_NONE;
    v->domain = d;
    v->info.mfn = MFN_NONE;
    assert_int_equal(p2m_init(d, 200), 0);
}

/* One frame of RAM at gfn, filled with its number, held by the p2m. */
static inline mfn_t fixture_ram(struct domain *d, uint64_t gfn)
{
    mfn_t mfn = heap_alloc(0, 0);

    page_assign(page_of(mfn), d->id, 0);
    for (size_t i = 0; i < PAGE_SIZE / 8; i++)
        ((uint64_t *)sim_phys(mfn))[i] = gfn;
    assert_int_equal(p2m_set(d, _gfn(gfn), mfn, 0, P2M_RAM, NULL), 0);
    return mfn;
}

/* What domain/teardown does for a frame: out of the map, then its reference is dropped. */
static inline void fixture_drop(struct domain *d, uint64_t gfn)
{
    struct p2m_entry old;

    assert_int_equal(p2m_set(d, _gfn(gfn), MFN_NONE, 0, P2M_HOLE, &old), 0);
    if (old.type == P2M_RAM)
        page_put(page_of(old.mfn));
}

static inline void fixture_grace(void)
{
    unsigned int self = sim_this_cpu->id;

    for (int round = 0; round < 20; round++)
        for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
            sim_cpu_set(cpu);
            reclaim_quiescent();
            reclaim_run();
        }
    sim_cpu_set(self);
    kpage_drain();
}

static inline int fixture_drop_leaf(void *ctx, gfn_t gfn, const struct p2m_entry *e)
{
    if (e->type == P2M_RAM)
        for (uint64_t i = 0; i < 1ULL << e->order; i++)
            page_put(page_of(mfn_add(e->mfn, i)));
    return 0;
}

/* Frees RAM and tables. */
static inline void fixture_end(struct domain *d)
{
    p2m_walk(d, _gfn(0), GFN_NONE, fixture_drop_leaf, NULL);
    while (p2m_fini_step(d))
        ;
    assert_int_equal(d->p2m.pool_pages, 0);
    fixture_grace();
}

#endif

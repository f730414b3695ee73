/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains for unit tests of floor 4 and up: made by domain_create() on the simulated machine, with
 * RAM at gfn 0 upward and an interrupt controller that only counts. Vcpus are blocked, so that a
 * wake-up shows. fixture_end() also finds frames that were lost.
 */
#ifndef TESTS_UNIT_DOMAINS_H
#define TESTS_UNIT_DOMAINS_H

#include "unit/unit.h"

#include "core/clock.h"
#include "core/reclaim.h"
#include "core/task.h"
#include "domain/domain.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/lifecycle.h"
#include "domain/sched.h"
#include "domain/shared.h"
#include "domain/upcall.h"
#include "mem/heap.h"
#include "port/mem.h"
#include "sim.h"

/* What the interrupt controllers were asked. */
struct fixture_intc {
    bool enabled;
    unsigned int requests;
    uint8_t vector;
    struct vcpu *v;
};
static struct fixture_intc fixture_intc;
static uint64_t fixture_free; /* frames, before the first test */
#define FIXTURE_SLACK 32u     /* the last slab of each class stays */

static int fixture_intc_create(struct vcpu *v)
{
    return 0;
}
static void fixture_intc_nothing(struct vcpu *v)
{
}
static bool fixture_intc_enabled(struct vcpu *v)
{
    return fixture_intc.enabled;
}
static void fixture_intc_request(struct vcpu *v, uint8_t vector)
{
    fixture_intc.requests++;
    fixture_intc.vector = vector;
    fixture_intc.v = v;
}
static const struct intc_ops fixture_intc_ops = {
    .create = fixture_intc_create,
    .destroy = fixture_intc_nothing,
    .enabled = fixture_intc_enabled,
    .request = fixture_intc_request,
    .reset = fixture_intc_nothing,
};

static void fixture_virt_tsc(struct vcpu *v, uint64_t offset)
{
}
static const struct virt_ops fixture_virt_ops = {
    .vcpu_create = fixture_intc_create,
    .vcpu_destroy = fixture_intc_nothing,
    .set_tsc_offset = fixture_virt_tsc,
};

static inline void fixture_begin(void)
{
    sim_init(MIB(48), 2);
    pages_init();
    clock_tsc_hz = 1000000000;
    assert_int_equal(sched_init(), 0);
    intc = &fixture_intc_ops;
    virt = &fixture_virt_ops;
    fixture_intc = (struct fixture_intc){.enabled = true};
    if (!fixture_free)
        fixture_free = heap_free_pages();
}

#define FIXTURE_GRANT_FRAMES 4u
#define FIXTURE_MAPTRACK     2u
#define FIXTURE_MAX_PORT     4095u

static inline void fixture_block(struct vcpu *v)
{
    __atomic_fetch_or(&v->pause, VPAUSE_BLOCKED, __ATOMIC_SEQ_CST);
}
static inline bool fixture_blocked(struct vcpu *v)
{
    return v->pause & VPAUSE_BLOCKED;
}

static inline struct domain *fixture_domain_with(const struct domain_config *c, unsigned int pages)
{
    int err = 0;
    struct domain *d = domain_create(c, &err);
    struct vcpu *v;

    assert_int_equal(err, 0);
    assert_non_null(d);
    for (unsigned int i = 0; i < pages; i++) {
        mfn_t mfn = domain_alloc_pages(d, 0, 0);

        assert_true(mfn.v != FRAME_NONE);
        assert_int_equal(p2m_set(d, _gfn(i), mfn, 0, P2M_RAM, NULL), 0);
    }
    d->callback_vector = 0xf3;
    for_each_vcpu (d, v)
        fixture_block(v);
    return d;
}

static inline struct domain *fixture_domain(domid_t id, unsigned int vcpus, unsigned int pages)
{
    const struct domain_config c = {
        .id = id,
        .max_vcpus = vcpus,
        .max_pages = 2048,
        .p2m_pages = 256,
        .max_grant_frames = FIXTURE_GRANT_FRAMES,
        .max_maptrack_frames = FIXTURE_MAPTRACK,
        .max_evtchn_port = FIXTURE_MAX_PORT,
    };

    return fixture_domain_with(&c, pages);
}

/* What a gfn holds; the guest's own view of it. */
static inline void *fixture_gfn(struct domain *d, uint64_t gfn)
{
    struct p2m_entry e = p2m_lookup(d, _gfn(gfn));

    assert_true(e.type != P2M_HOLE);
    return sim_phys(e.mfn);
}

static inline struct shared_info *fixture_shared_info(struct domain *d)
{
    return sim_phys(d->shared_info.mfn);
}
static inline struct vcpu_info *fixture_vcpu_info(struct vcpu *v)
{
    return &fixture_shared_info(v->domain)->vcpu_info[v->id];
}

/* Has the event upcall reached v since the last call? Clears everything that shows it. */
static inline bool fixture_upcall(struct vcpu *v)
{
    bool raised = v->work & VWORK_EVENT;

    assert_true(!raised || !fixture_blocked(v));
    v->work = 0;
    fixture_block(v);
    return raised;
}

/* One pass of every CPU's loop, as far as teardown needs it. */
static inline void fixture_step(void)
{
    for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
        sim_cpu_set(cpu);
        reclaim_quiescent();
        task_run();
        reclaim_run();
    }
    sim_cpu_set(0);
}

/* Tears the domain down to its last reference. */
static inline void fixture_kill(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v)
        v->running = false;
    domain_kill(d);
    for (unsigned int i = 0; i < 1000; i++)
        fixture_step();
}

static inline void fixture_check(void)
{
    struct domain *d;
    char why[128];

    for (int id = -1; (d = domain_next(id)); id = d->id, domain_put(d)) {
        if (evtchn_check(d, why, sizeof(why)) || grant_check(d, why, sizeof(why)))
            fail_msg("%s", why);
    }
}

/* Takes every free frame, or gives them back. */
static uint32_t fixture_hoard;
static inline void fixture_memory_out(void)
{
    mfn_t mfn;

    kpage_drain();
    while ((mfn = heap_alloc(0, ALLOC_NO_SCRUB)).v != FRAME_NONE) {
        page_of(mfn)->next = fixture_hoard;
        fixture_hoard = (uint32_t)mfn.v;
    }
}
static inline void fixture_memory_back(void)
{
    while (fixture_hoard) {
        uint32_t mfn = fixture_hoard;

        fixture_hoard = page_of(_mfn(mfn))->next;
        heap_free(_mfn(mfn), 0);
    }
}

/* Ends all domains and wants every frame back. */
static inline void fixture_end(void)
{
    struct domain *d;

    for (int id = -1; (d = domain_next(id));) {
        id = d->id;
        domain_put(d);
        fixture_kill(d);
    }
    fixture_step();
    fixture_step();
    assert_null(domain_next(-1));
    kpage_drain();
    assert_in_range(heap_free_pages(), fixture_free - FIXTURE_SLACK, fixture_free);
    for (uint64_t i = 1; i < frame_limit; i++)
        if (frame_valid(_mfn(i)))
            assert_true(page_owner(page_of(_mfn(i))) >= DOMID_FIRST_RESERVED);
}

#define FIXTURE_TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
static inline int fixture_setup(void **state)
{
    fixture_begin();
    return 0;
}
static inline int fixture_teardown(void **state)
{
    fixture_end();
    return 0;
}

#endif

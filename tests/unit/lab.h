/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of Krypton above the drivers on the simulated machine: CPUs are stepped through the
 * real loop (exit/loop.c), guests are C functions of the scripted back end. All invariants that
 * the parts can check, and at the end every frame, are asked for.
 */
#ifndef TESTS_UNIT_LAB_H
#define TESTS_UNIT_LAB_H

#include "unit/unit.h"
#include "invariants.h"

#include "core/clock.h"
#include "core/param.h"
#include "core/reclaim.h"
#include "core/task.h"
#include "domain/domain.h"
#include "domain/evtchn.h"
#include "domain/flush.h"
#include "domain/grant.h"
#include "domain/lifecycle.h"
#include "domain/sched.h"
#include "domain/shared.h"
#include "exit/exit.h"
#include "guest/guest.h"
#include "mem/heap.h"
#include "script.h"
#include "sim.h"

#define LAB_SLICE USEC(20) /* what an entry takes */

static uint64_t lab_free;          /* frames before the test */
static unsigned int lab_events[8]; /* calls of domain_event_hook by domain id and state */
static enum domain_state lab_last_state[8];

static void lab_event(struct domain *d)
{
    lab_events[d->id % 8]++;
    lab_last_state[d->id % 8] = d->state;
}

/* A guest that computes. */
static void lab_spin(struct vcpu *v, struct vmexit *x)
{
    sim_advance(LAB_SLICE);
}

static inline void lab_hlt(struct vcpu *v, struct vmexit *x)
{
    sim_advance(LAB_SLICE);
    x->reason = VMEXIT_HLT;
}

static const struct domain_config lab_config = {
    .max_vcpus = 2,
    .max_pages = 1024,
    .p2m_pages = 64,
    .max_grant_frames = 4,
    .max_maptrack_frames = 4,
    .max_evtchn_port = 1023,
    .is_console = true,
};

/* `pages` pages of RAM from gfn 0; vCPU 0 is up and spins in long mode once unpaused. */
static inline struct domain *lab_domain_with(struct domain_config c, unsigned int pages)
{
    int err = 0;
    struct domain *d = domain_create(&c, &err);

    assert_int_equal(err, 0);
    assert_non_null(d);
    for (unsigned int i = 0; i < pages; i++) {
        mfn_t mfn = domain_alloc_pages(d, 0, 0);
        assert_true(mfn.v != FRAME_NONE);
        assert_int_equal(p2m_set(d, _gfn(i), mfn, 0, P2M_RAM, NULL), 0);
    }
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        script_long_mode(d->vcpu[i], true);
        script_of(d->vcpu[i])->guest = lab_spin;
    }
    d->vcpu[0]->initialised = true;
    vcpu_up(d->vcpu[0]);
    return d;
}

static inline struct domain *lab_domain(domid_t id, unsigned int vcpus, unsigned int pages)
{
    struct domain_config c = lab_config;

    c.id = id;
    c.max_vcpus = vcpus;
    return lab_domain_with(c, pages);
}

static inline void lab_check(void)
{
    const char *broken = invariants_broken(false);

    if (broken)
        fail_msg("%s", broken);
}

/* -- running ---------------------------------------------------------------------------------- */

static inline void lab_pass(unsigned int cpu)
{
    sim_cpu_set(cpu);
    loop_pass();
    assert_int_equal(this_cpu()->held_locks, 0);
}

static inline void lab_run(unsigned int passes)
{
    while (passes--)
        for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
            lab_pass(cpu);
    sim_cpu_set(0);
}

/* Also one that is being made or is nobody's any more. Ids below 16. */
static inline bool lab_any(void)
{
    for (domid_t id = 0; id < 16; id++)
        if (domain_find(id))
            return true;
    return false;
}

/* Passes until there are no domains, and everything is back. */
static inline void lab_end(void)
{
    struct domain *d;

    for (int id = -1; (d = domain_next(id)); id = d->id, domain_put(d))
        domain_kill(d);
    for (unsigned int i = 0; i < 2000 && lab_any(); i++)
        lab_run(1);
    assert_false(lab_any());
    lab_run(10);
    for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
        assert_null(pcpu_shared[cpu].serving);
    kpage_drain();
    assert_int_equal(heap_free_pages(), lab_free);
}

/* What a test left that failed, so that the next one shows its own faults. */
static inline void lab_clean(void)
{
    for (domid_t id = 0; id < 16; id++) {
        struct domain *d = domain_find(id);
        struct vcpu *v;
        if (!d)
            continue;
        for_each_vcpu (d, v)
            v->running = false;
        domain_kill(d);
    }
    for (unsigned int i = 0; i < 200 && lab_any(); i++)
        lab_run(1);
}

static inline void lab_start(unsigned int cpus)
{
    static bool warm; /* of each size of small objects a slab stays */

    sim_init(MIB(24), cpus);
    sim_kick_handler = flush_acknowledge;
    clock_tsc_hz = 1000000000;
    virt = &script_ops;
    pages_init();
    guest_init();
    strcpy(params.sched, "credit2");
    assert_int_equal(sched_init(), 0);
    lab_clean();
    domain_event_hook = lab_event;
    memset(lab_events, 0, sizeof(lab_events));
    if (!warm) {
        warm = true;
        domain_kill(lab_domain(1, 3, 0));
        lab_run(100);
        memset(lab_events, 0, sizeof(lab_events));
    }
    kpage_drain();
    while (heap_scrub_step()) /* what idle CPUs would do first */
        ;
    lab_free = heap_free_pages();
}

#endif

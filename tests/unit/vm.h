/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole domain on the scripted back end, for tests of floors 5 and 6: created as the builder
 * does, its first vCPU loaded on CPU 0, as exit handlers find it.
 */
#ifndef TESTS_UNIT_VM_H
#define TESTS_UNIT_VM_H

#include "unit/unit.h"

#include "core/clock.h"
#include "domain/domain.h"
#include "domain/sched.h"
#include "domain/upcall.h"
#include "exit/exit.h"
#include "guest/emul/bus.h"
#include "guest/guest.h"
#include "arch/x86/dev/vlapic.h"
#include "mem/heap.h"
#include "script.h"
#include "sim.h"

/* Starts the machine; once per test. */
static inline void vm_machine(unsigned int cpus)
{
    static bool started;

    sim_init(SIM_RAM_SIZE, cpus);
    clock_tsc_hz = 1000000000;
    virt = &script_ops;
    guest_init();
    if (!started)
        assert_int_equal(sched_init(), 0);
    started = true;
}

/* The loop's part in loading v on the stepped CPU. */
static inline void vm_load(struct vcpu *v)
{
    loop_serve(v->domain);
    if (this_cpu()->loaded)
        virt->unload(this_cpu()->loaded);
    virt->load(v);
    this_cpu()->loaded = v;
}

static inline struct domain *vm_create(domid_t id, unsigned int vcpus)
{
    struct domain_config c = {.id = id,
                              .max_vcpus = vcpus,
                              .max_pages = 64,
                              .p2m_pages = 64,
                              .max_grant_frames = 4,
                              .max_maptrack_frames = 4,
                              .max_evtchn_port = 1023};
    int err = 0;
    struct domain *d = domain_create(&c, &err);

    assert_int_equal(err, 0);
    assert_non_null(d);
    for (unsigned int i = 0; i < vcpus; i++)
        script_long_mode(d->vcpu[i], true);
    d->vcpu[0]->initialised = true;
    vm_load(d->vcpu[0]);
    return d;
}

/* A page of RAM at gfn, zeroed. */
static inline void *vm_ram(struct domain *d, uint64_t gfn)
{
    mfn_t mfn = domain_alloc_pages(d, 0, 0);

    assert_false(mfn_eq(mfn, MFN_NONE));
    assert_int_equal(p2m_set(d, _gfn(gfn), mfn, 0, P2M_RAM, NULL), 0);
    return sim_phys(mfn);
}

#endif

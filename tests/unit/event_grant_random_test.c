/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property: whatever three domains do with event channels and grants, in whatever order, with
 * whatever they write into the pages they share, the invariants of both hold after every step
 * (peers, VIRQs, queue tails, pins, handles, page references), domains die and come back, and in
 * the end every frame has come back. Seeded; KR_SEED and KR_STEPS change the run.
 */
#include "unit/domains.h"

#include "domain/grant_table.h"

#define DOMAINS 3u
#define PAGES   12u /* of RAM; gfns up to twice that are tried */

static struct domain *dom[DOMAINS];
static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed * 0x2545f4914f6cdd1dull) >> 33) % n;
}

static struct domain *any(void)
{
    return dom[rnd(DOMAINS)];
}

/* Mostly a port that may exist. */
static uint32_t any_port(void)
{
    return rnd(16) ? rnd(24) : rnd(2) ? 1020 + rnd(8) : rnd(~0u);
}

static uint32_t any_ref(void)
{
    return rnd(16) ? rnd(8) : rnd(2) ? 510 + rnd(4) : rnd(~0u);
}

static domid_t any_id(void)
{
    return rnd(16) ? (domid_t)(1 + rnd(DOMAINS)) : (domid_t)rnd(0x8000);
}

static void nothing(struct domain *d, void *arg)
{
}

static void event_step(struct domain *d)
{
    struct evtchn_init_control c = {
        .control_gfn = rnd(PAGES + 2), .offset = 8 * rnd(510), .vcpu = rnd(3)};
    struct evtchn_status st;
    uint32_t port;

    switch (rnd(24)) {
    case 0:
        evtchn_alloc_unbound(d, any_id(), &port);
        break;
    case 1:
    case 2:
    case 3:
        evtchn_bind_interdomain(d, any(), any_port(), &port);
        break;
    case 4:
        evtchn_bind_virq(d, rnd(26), rnd(3), &port);
        break;
    case 5:
        evtchn_bind_ipi(d, rnd(3), &port);
        break;
    case 6:
        evtchn_bind_vcpu(d, any_port(), rnd(3));
        break;
    case 7:
    case 8:
        evtchn_close(d, any_port());
        break;
    case 9:
        evtchn_unmask(d, any_port());
        break;
    case 10:
        evtchn_status(d, any_port(), &st);
        break;
    case 11:
        evtchn_set_priority(d, any_port(), rnd(17));
        break;
    case 12:
        if (!rnd(4))
            evtchn_reset(d);
        break;
    case 13:
        evtchn_init_control(d, &c);
        break;
    case 14:
        if (!rnd(4))
            evtchn_expand_array(d, _gfn(rnd(PAGES + 2)));
        break;
    case 15:
        evtchn_bind_internal(d, any_id(), nothing, NULL, &port);
        break;
    case 16:
        evtchn_notify(d, any_port());
        break;
    case 17:
        evtchn_send_vcpu_virq(d->vcpu[rnd(2)], rnd(2));
        evtchn_send_global_virq(d, 2 + rnd(5));
        break;
    case 18:
        d->vcpu[rnd(2)]->polling = rnd(2);
        evtchn_poll_port(d, any_port());
        break;
    default:
        evtchn_send(d, any_port());
    }
}

static void copy_step(struct domain *d)
{
    struct grant_copy_cache cache = {0};

    for (unsigned int i = rnd(4); i--;) {
        struct gnttab_copy op = {.flags = (uint16_t)rnd(4),
                                 .len = (uint16_t)(rnd(8) ? rnd(64) : rnd(0x1100))};

        op.source.u.gmfn = op.flags & GNTCOPY_source_gref ? any_ref() : rnd(2 * PAGES);
        op.dest.u.gmfn = op.flags & GNTCOPY_dest_gref ? any_ref() : rnd(2 * PAGES);
        op.source.domid = op.flags & GNTCOPY_source_gref ? any_id() : DOMID_SELF;
        op.dest.domid = op.flags & GNTCOPY_dest_gref ? any_id() : DOMID_SELF;
        op.source.offset = (uint16_t)rnd(4096);
        op.dest.offset = (uint16_t)rnd(4096);
        grant_copy(d, &op, &cache);
    }
    grant_copy_end(d, &cache);
}

static void grant_step(struct domain *d)
{
    struct gnttab_unmap_grant_ref u[40];
    struct gnttab_map_grant_ref m = {.host_addr = (uint64_t)rnd(64) << PAGE_SHIFT,
                                     .flags = rnd(16) ? GNTMAP_host_map | rnd(2) << 2 : rnd(32),
                                     .ref = any_ref(),
                                     .dom = any_id()};
    mfn_t mfn;

    switch (rnd(8)) {
    case 0:
        copy_step(d);
        break;
    case 1:
    case 2: {
        unsigned int n = rnd(8) ? 1 + rnd(3) : ARRAY_SIZE(u);

        for (unsigned int i = 0; i < n; i++)
            u[i] = (struct gnttab_unmap_grant_ref){.host_addr = (uint64_t)rnd(64) << PAGE_SHIFT,
                                                   .handle = rnd(16) ? rnd(12) : rnd(~0u)};
        /* Half of them fit. */
        for (unsigned int i = 0; i < n; i++)
            if (u[i].handle < grant_handles(d->grants) && rnd(2))
                u[i].host_addr = (uint64_t)grant_handle_at(d->grants, u[i].handle)->gfn
                                 << PAGE_SHIFT;
        grant_unmap(d, u, n);
        break;
    }
    case 3:
        if (!grant_frame(d, rnd(16) ? 0 : rnd(6), &mfn)) {
            struct grant_entry_v1 *e = sim_phys(mfn);

            page_put(page_of(mfn));
            /* As a guest does it, or any old thing. */
            for (unsigned int i = 0; i < 8; i++)
                if (rnd(2))
                    e[i] = (struct grant_entry_v1){
                        (uint16_t)(rnd(4) ? GTF_permit_access | rnd(2) << 2 : rnd(0x10000)),
                        any_id(), rnd(PAGES + 2)};
        }
        break;
    default:
        grant_map(d, &m);
    }
}

/* Anything, anywhere in a page that is shared with Krypton. */
static void scribble(struct domain *d)
{
    mfn_t mfn = rnd(4) ? p2m_lookup(d, _gfn(rnd(3))).mfn : d->shared_info.mfn;
    unsigned int at = rnd(4) ? rnd(64) : rnd(1024);

    if (!mfn_eq(mfn, MFN_NONE))
        ((uint32_t *)sim_phys(mfn))[at] = rnd(2) ? 0 : rnd(2) ? rnd(~0u) : 1u << rnd(32);
}

static void start(unsigned int i)
{
    dom[i] = fixture_domain((domid_t)(1 + i), 2, PAGES);
}

static void restart(unsigned int i)
{
    struct domain *old;

    fixture_kill(dom[i]);
    /* Others may have its pages mapped: they let go, by dying or by unmapping. */
    for (unsigned int k = 0; k < DOMAINS && (old = domain_get((domid_t)(1 + i))); k++) {
        for (uint32_t h = 0; k != i && h < grant_handles(dom[k]->grants); h++) {
            struct grant_map *m = grant_handle_at(dom[k]->grants, h);
            /* Not 0 for gfn 0, which would mean "leave the mapping". */
            struct gnttab_unmap_grant_ref u = {.host_addr = (uint64_t)m->gfn << PAGE_SHIFT | 8,
                                               .handle = h};

            if (m->kind != GRANT_MAP_FREE && m->domid == 1 + i)
                grant_unmap(dom[k], &u, 1);
        }
        domain_put(old);
    }
    fixture_step();
    fixture_step();
    assert_null(domain_get((domid_t)(1 + i)));
    start(i);
}

static void number(const char *name, uint64_t *v)
{
    const char *s = getenv(name);

    if (s)
        *v = strtoull(s, NULL, 0);
}

static void random_steps(void **state)
{
    uint64_t steps = 30000, first = 1;

    number("KR_SEED", &first);
    number("KR_STEPS", &steps);
    seed = first * 0x9e3779b97f4a7c15ull;
    for (unsigned int i = 0; i < DOMAINS; i++)
        start(i);
    for (uint64_t i = 0; i < steps; i++) {
        struct domain *d = any();

        switch (rnd(16)) {
        case 0:
            scribble(d);
            break;
        case 1:
            if (!rnd(64))
                restart(rnd(DOMAINS));
            break;
        case 2:
        case 3:
        case 4:
        case 5:
        case 6:
            grant_step(d);
            break;
        default:
            event_step(d);
        }
        fixture_check();
    }
}

UNIT_MAIN(FIXTURE_TEST(random_steps))

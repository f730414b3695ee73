/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property: event channel ports move between their states exactly as addendum B1.1 says, with its
 * errors; a pair of ports is whole or unbound, whichever end goes, and a domain's death leaves
 * nothing bound to it; upcalls are requested by what is configured (B1.4), once per upcall.
 */
#include "unit/domains.h"

#include "domain/evtchn_ops.h"

static struct domain *a, *b;

static void two_domains(void)
{
    a = fixture_domain(1, 4, 16);
    b = fixture_domain(2, 2, 16);
}

static uint32_t unbound(struct domain *d, domid_t remote)
{
    uint32_t port = 0;

    assert_int_equal(evtchn_alloc_unbound(d, remote, &port), 0);
    return port;
}

static struct evtchn_status status(struct domain *d, uint32_t port)
{
    struct evtchn_status s = {.status = 99};

    assert_int_equal(evtchn_status(d, port, &s), 0);
    return s;
}

/* 2-level bits, as the guest sees them. */
static bool pending(struct domain *d, uint32_t port)
{
    return fixture_shared_info(d)->evtchn_pending[port / 64] >> (port % 64) & 1;
}

static void lowest_port(void **state)
{
    two_domains();
    assert_int_equal(unbound(a, 2), 1);
    assert_int_equal(unbound(a, 2), 2);
    assert_int_equal(unbound(a, 2), 3);
    assert_int_equal(evtchn_close(a, 2), 0);
    assert_int_equal(evtchn_close(a, 1), 0);
    assert_int_equal(unbound(a, 2), 1);
    assert_int_equal(unbound(a, 2), 2);
    assert_int_equal(unbound(a, 2), 4);
    fixture_check();
    /* Ports in use are looked at once, not at every bind. */
    assert_int_equal(a->evtchn->hint, 5);
    assert_int_equal(evtchn_close(a, 2), 0);
    assert_int_equal(a->evtchn->hint, 2);
    assert_int_equal(unbound(a, 2), 2);
    assert_int_equal(unbound(a, 2), 5);
    assert_int_equal(a->evtchn->hint, 6);
}

static void limits(void **state)
{
    struct domain_config c = {.id = 5,
                              .max_vcpus = 1,
                              .max_pages = 64,
                              .p2m_pages = 64,
                              .max_grant_frames = 1,
                              .max_evtchn_port = 200};
    struct domain *d = fixture_domain_with(&c, 0);
    uint32_t port;

    for (unsigned int i = 1; i <= 200; i++)
        assert_int_equal(unbound(d, 0), i);
    assert_int_equal(evtchn_alloc_unbound(d, 0, &port), -XEN_ENOSPC);
    assert_int_equal(evtchn_bind_ipi(d, 0, &port), -XEN_ENOSPC);
    assert_int_equal(evtchn_bind_virq(d, 2, 0, &port), -XEN_ENOSPC);
    fixture_check();

    /* The 2-level ABI has 4096 ports (1024 narrow), whatever the quota. */
    a = fixture_domain(1, 1, 1);
    a->wide = false;
    for (unsigned int i = 1; i < 1024; i++)
        assert_int_equal(unbound(a, 0), i);
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), -XEN_ENOSPC);
    a->wide = true;
    for (unsigned int i = 1024; i < 4096; i++)
        assert_int_equal(unbound(a, 0), i);
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), -XEN_ENOSPC);
    fixture_check();
}

static void out_of_range(void **state)
{
    const uint32_t bad[] = {0, 5, 200, 4095, 4096, 131071, 131072, 0x7fffffff, 0xffffffff};
    struct evtchn_status s;
    uint32_t port;

    two_domains();
    unbound(a, 2); /* port 1 */
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(evtchn_close(a, bad[i]), -XEN_EINVAL);
        assert_int_equal(evtchn_send(a, bad[i]), -XEN_EINVAL);
        assert_int_equal(evtchn_bind_vcpu(a, bad[i], 0), -XEN_EINVAL);
        assert_int_equal(evtchn_poll_port(a, bad[i]), -XEN_EINVAL);
        assert_int_equal(evtchn_bind_interdomain(b, a, bad[i], &port), -XEN_EINVAL);
        if (bad[i] > 5) {
            assert_int_equal(evtchn_status(a, bad[i], &s), -XEN_EINVAL);
            assert_int_equal(evtchn_unmask(a, bad[i]), -XEN_EINVAL);
            assert_int_equal(evtchn_set_priority(a, bad[i], 0), -XEN_EINVAL);
        } else {
            /* In the table, but reserved or free. */
            assert_int_equal(status(a, bad[i]).status, EVTCHNSTAT_closed);
            assert_int_equal(evtchn_unmask(a, bad[i]), 0);
            assert_int_equal(evtchn_set_priority(a, bad[i], 0), -XEN_ENOSYS);
        }
    }
    fixture_check();
}

static void interdomain(void **state)
{
    struct evtchn_status s;
    uint32_t pa, pb, port = 77;

    two_domains();
    pa = unbound(a, 2);
    s = status(a, pa);
    assert_int_equal(s.status, EVTCHNSTAT_unbound);
    assert_int_equal(s.u.unbound.dom, 2);
    assert_int_equal(evtchn_send(a, pa), 0); /* nobody there: dropped */
    assert_int_equal(evtchn_bind_vcpu(a, pa, 3), 0);

    /* For domain 2 only. */
    assert_int_equal(evtchn_bind_interdomain(a, a, pa, &port), -XEN_EINVAL);
    assert_int_equal(port, 77);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), 0);
    assert_true(pending(b, pb));
    assert_false(pending(a, pa));
    s = status(a, pa);
    assert_int_equal(s.status, EVTCHNSTAT_interdomain);
    assert_int_equal(s.vcpu, 3);
    assert_int_equal(s.u.interdomain.dom, 2);
    assert_int_equal(s.u.interdomain.port, pb);
    s = status(b, pb);
    assert_int_equal(s.u.interdomain.dom, 1);
    assert_int_equal(s.u.interdomain.port, pa);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &port), -XEN_EINVAL);
    fixture_check();

    assert_int_equal(evtchn_send(b, pb), 0);
    assert_true(pending(a, pa));
    assert_true(fixture_upcall(a->vcpu[3]));
    assert_false(fixture_upcall(a->vcpu[0]));

    /* The far end goes: back to unbound, vCPU and pending bit kept, no event. */
    fixture_upcall(a->vcpu[3]);
    assert_int_equal(evtchn_close(b, pb), 0);
    assert_false(pending(b, pb));
    s = status(a, pa);
    assert_int_equal(s.status, EVTCHNSTAT_unbound);
    assert_int_equal(s.u.unbound.dom, 2);
    assert_int_equal(s.vcpu, 3);
    assert_true(pending(a, pa));
    assert_false(fixture_upcall(a->vcpu[3]));
    assert_int_equal(evtchn_close(b, pb), -XEN_EINVAL);
    assert_int_equal(evtchn_send(a, pa), 0);
    fixture_check();

    /* And may be bound again; the near end goes this time. */
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), 0);
    assert_int_equal(evtchn_close(a, pa), 0);
    assert_false(pending(a, pa));
    assert_int_equal(status(a, pa).vcpu, 0);
    assert_int_equal(status(b, pb).status, EVTCHNSTAT_unbound);
    assert_int_equal(status(b, pb).u.unbound.dom, 1);
    fixture_check();
}

static void loopback(void **state)
{
    uint32_t p, q;

    two_domains();
    p = unbound(a, 1);
    assert_int_equal(evtchn_bind_interdomain(a, a, p, &q), 0);
    assert_int_not_equal(p, q);
    assert_int_equal(evtchn_send(a, q), 0);
    assert_true(pending(a, p));
    fixture_check();
    assert_int_equal(evtchn_close(a, q), 0);
    assert_int_equal(status(a, p).status, EVTCHNSTAT_unbound);
    assert_int_equal(status(a, p).u.unbound.dom, 1);
    assert_int_equal(evtchn_close(a, p), 0);
    fixture_check();
}

static void virqs(void **state)
{
    static const uint32_t per_vcpu[] = {0, 1, 7, 13};
    uint32_t port, timer0, timer3, con;

    two_domains();
    assert_int_equal(evtchn_bind_virq(a, 24, 0, &port), -XEN_EINVAL);
    assert_int_equal(evtchn_bind_virq(a, 0xffffffff, 0, &port), -XEN_EINVAL);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_CONSOLE, 1, &port), -XEN_EINVAL);
    assert_int_equal(evtchn_bind_virq(a, 16, 1, &port), -XEN_EINVAL); /* arch: global */
    assert_int_equal(evtchn_bind_virq(a, 23, 1, &port), -XEN_EINVAL);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 4, &port), -XEN_ENOENT);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 0xffffffff, &port), -XEN_ENOENT);
    for (unsigned int i = 0; i < ARRAY_SIZE(per_vcpu); i++)
        for (unsigned int v = 0; v < 4; v++)
            assert_int_equal(evtchn_bind_virq(a, per_vcpu[i], v, &port), 0);
    timer0 = 1, timer3 = 4;
    assert_int_equal(status(a, timer3).status, EVTCHNSTAT_virq);
    assert_int_equal(status(a, timer3).u.virq, VIRQ_TIMER);
    assert_int_equal(status(a, timer3).vcpu, 3);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 3, &port), -XEN_EEXIST);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_CONSOLE, 0, &con), 0);
    fixture_check();

    evtchn_send_vcpu_virq(a->vcpu[3], VIRQ_TIMER);
    assert_true(pending(a, timer3));
    assert_false(pending(a, timer0));
    assert_true(fixture_upcall(a->vcpu[3]));
    assert_int_equal(evtchn_bind_vcpu(a, timer3, 0), -XEN_EINVAL);
    assert_int_equal(evtchn_bind_vcpu(a, con, 4), -XEN_ENOENT);
    assert_int_equal(evtchn_bind_vcpu(a, con, 2), 0);
    evtchn_send_global_virq(a, VIRQ_CONSOLE);
    assert_true(fixture_upcall(a->vcpu[2]));
    assert_int_equal(evtchn_send(a, con), -XEN_EINVAL); /* guests raise no VIRQ */

    /* Not bound: dropped, nothing is kept. Closed: free to be bound again. */
    evtchn_send_global_virq(a, VIRQ_DOM_EXC);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_DOM_EXC, 0, &port), 0);
    assert_false(pending(a, port));
    assert_int_equal(evtchn_close(a, timer3), 0);
    evtchn_send_vcpu_virq(a->vcpu[3], VIRQ_TIMER);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 3, &port), 0);
    assert_int_equal(port, timer3);
    fixture_check();
}

static void ipis(void **state)
{
    uint32_t port;

    two_domains();
    assert_int_equal(evtchn_bind_ipi(a, 4, &port), -XEN_ENOENT);
    assert_int_equal(evtchn_bind_ipi(a, 2, &port), 0);
    assert_int_equal(status(a, port).status, EVTCHNSTAT_ipi);
    assert_int_equal(status(a, port).vcpu, 2);
    assert_int_equal(evtchn_bind_vcpu(a, port, 1), -XEN_EINVAL);
    assert_int_equal(evtchn_send(a, port), 0);
    assert_true(pending(a, port));
    assert_true(fixture_upcall(a->vcpu[2]));
    fixture_check();
}

static unsigned int called;
static void handler(struct domain *d, void *arg)
{
    assert_ptr_equal(d, a);
    assert_ptr_equal(arg, &called);
    called++;
    evtchn_notify(d, 1); /* no lock is held */
}

static void internal(void **state)
{
    struct evtchn_status s;
    uint32_t port, other;

    two_domains();
    called = 0;
    assert_int_equal(evtchn_bind_internal(a, 0, handler, &called, &port), 0);
    assert_int_equal(port, 1);
    s = status(a, port);
    assert_int_equal(s.status, EVTCHNSTAT_interdomain);
    assert_int_equal(s.u.interdomain.dom, 0);
    assert_int_equal(evtchn_bind_vcpu(a, port, 1), 0);
    assert_int_equal(evtchn_send(a, port), 0);
    assert_int_equal(called, 1);
    assert_true(pending(a, port));
    assert_true(fixture_upcall(a->vcpu[1]));
    assert_int_equal(evtchn_bind_interdomain(b, a, port, &other), -XEN_EINVAL);

    /* Reset keeps it; a close does not, and a later notify hits nobody else. */
    unbound(a, 2);
    assert_int_equal(evtchn_reset(a), -XEN_ERESTART);
    while (evtchn_reset(a) == -XEN_ERESTART)
        ;
    assert_int_equal(status(a, port).status, EVTCHNSTAT_interdomain);
    assert_int_equal(status(a, 2).status, EVTCHNSTAT_closed);
    fixture_check();
    assert_int_equal(evtchn_close(a, port), 0);
    assert_int_equal(unbound(a, 2), port);
    evtchn_notify(a, port);
    evtchn_notify(a, 4000);
    assert_false(pending(a, port));

    /* The same handler takes no second place in the table. */
    for (unsigned int i = 0; i < 50; i++) {
        assert_int_equal(evtchn_bind_internal(a, 0, handler, &called, &other), 0);
        assert_int_equal(evtchn_close(a, other), 0);
    }
    fixture_check();
}

static void reset(void **state)
{
    struct evtchn_init_control c = {.control_gfn = 1, .vcpu = 0};
    uint32_t port, pb;
    unsigned int steps = 1;

    two_domains();
    assert_int_equal(evtchn_init_control(a, &c), 0);
    assert_int_equal(evtchn_expand_array(a, _gfn(2)), 0);
    for (unsigned int i = 0; i < 500; i++)
        port = unbound(a, 2);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 0, &port), 0);
    assert_int_equal(evtchn_bind_interdomain(b, a, 400, &pb), 0);
    while (evtchn_reset(a) == -XEN_ERESTART)
        steps++;
    assert_in_range(steps, 4, 64);
    assert_int_equal(status(b, pb).status, EVTCHNSTAT_unbound);
    assert_int_equal(evtchn_expand_array(a, _gfn(3)), -XEN_EOPNOTSUPP); /* 2-level again */
    assert_int_equal(unbound(a, 2), 1);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 0, &port), 0);
    evtchn_send_vcpu_virq(a->vcpu[0], VIRQ_TIMER);
    assert_true(pending(a, port));
    fixture_check();

    /* A port bound behind the cursor of a reset that is under way is closed too. */
    for (unsigned int i = 0; i < 500; i++)
        unbound(a, 2);
    assert_int_equal(evtchn_reset(a), -XEN_ERESTART);
    port = unbound(a, 2);
    assert_in_range(port, 1, 128);
    while (evtchn_reset(a) == -XEN_ERESTART)
        ;
    assert_int_equal(status(a, port).status, EVTCHNSTAT_closed);
    fixture_check();
}

static void death(void **state)
{
    uint32_t pa, pb, port;

    two_domains();
    pa = unbound(a, 2);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), 0);
    assert_int_equal(evtchn_bind_internal(a, 0, handler, &called, &port), 0);
    unbound(b, 1);
    fixture_kill(a);
    assert_int_equal(status(b, pb).status, EVTCHNSTAT_unbound);
    assert_int_equal(status(b, pb).u.unbound.dom, 1);
    assert_int_equal(evtchn_send(b, pb), 0);
    fixture_check();

    /* While it dies, nothing new. */
    b->state = DOMAIN_DYING;
    assert_int_equal(evtchn_alloc_unbound(b, 1, &port), -XEN_EINVAL);
    assert_int_equal(evtchn_bind_ipi(b, 0, &port), -XEN_EINVAL);
    assert_int_equal(evtchn_bind_virq(b, 0, 0, &port), -XEN_EINVAL);
    assert_int_equal(evtchn_init_control(b, &(struct evtchn_init_control){.control_gfn = 1}),
                     -XEN_EINVAL);
    b->state = DOMAIN_BUILDING;
}

static void upcalls(void **state)
{
    struct vcpu *v;
    uint32_t port;

    two_domains();
    v = a->vcpu[2];
    assert_int_equal(evtchn_bind_ipi(a, 2, &port), 0);

    /* Nothing configured: the bits are set, nobody is told. */
    a->callback_vector = 0;
    assert_int_equal(evtchn_send(a, port), 0);
    assert_true(pending(a, port));
    assert_int_equal(fixture_vcpu_info(v)->evtchn_upcall_pending, 1);
    assert_false(fixture_upcall(v));

    /* Upcall still pending: nothing more happens, even if it is configured now. */
    a->callback_vector = 0xf3;
    fixture_vcpu_info(v)->evtchn_pending_sel = 0;
    memset(fixture_shared_info(a)->evtchn_pending, 0, 512);
    assert_int_equal(evtchn_send(a, port), 0);
    assert_false(fixture_upcall(v));
    evtchn_assert_upcall(v); /* what CALLBACK_IRQ does */
    assert_true(fixture_upcall(v));

    /* Own vector: by the local APIC if it is enabled. */
    v->upcall_vector = 0x40;
    fixture_vcpu_info(v)->evtchn_upcall_pending = 0;
    evtchn_assert_upcall(v);
    assert_int_equal(fixture_intc.requests, 1);
    assert_int_equal(fixture_intc.vector, 0x40);
    assert_ptr_equal(fixture_intc.v, v);
    assert_false(fixture_upcall(v));
    fixture_intc.enabled = false;
    evtchn_assert_upcall(v);
    assert_int_equal(fixture_intc.requests, 1);

    /* vCPU 0 has a vector, this one not: as with the domain's callback. */
    v->upcall_vector = 0;
    a->callback_vector = 0;
    a->vcpu[0]->upcall_vector = 0x40;
    evtchn_assert_upcall(v);
    assert_true(fixture_upcall(v));
}

static void polling(void **state)
{
    uint32_t p, q;

    two_domains();
    assert_int_equal(evtchn_bind_ipi(a, 0, &p), 0);
    assert_int_equal(evtchn_bind_ipi(a, 0, &q), 0);
    fixture_shared_info(a)->evtchn_mask[0] = ~0ul;

    /* One port polled: only that one wakes, though it is masked. */
    a->vcpu[1]->polling = true;
    a->vcpu[1]->poll_port = q;
    assert_int_equal(evtchn_poll_port(a, q), 0);
    assert_int_equal(evtchn_send(a, p), 0);
    assert_true(fixture_blocked(a->vcpu[1]));
    assert_int_equal(evtchn_send(a, q), 0);
    assert_false(fixture_blocked(a->vcpu[1]));
    assert_false(a->vcpu[1]->polling);
    assert_true(fixture_blocked(a->vcpu[0]));
    assert_int_equal(evtchn_poll_port(a, q), 1);

    /* Several: any event. Pending already: pollers were told before. */
    fixture_block(a->vcpu[1]);
    a->vcpu[1]->polling = true;
    a->vcpu[1]->poll_port = 0;
    assert_int_equal(evtchn_send(a, q), 0);
    assert_true(fixture_blocked(a->vcpu[1]));
    fixture_shared_info(a)->evtchn_pending[0] = 0;
    assert_int_equal(evtchn_send(a, p), 0);
    assert_false(fixture_blocked(a->vcpu[1]));
}

static void out_of_memory(void **state)
{
    struct evtchn_init_control c = {.control_gfn = 1};
    struct domain *many = fixture_domain(3, 40, 4);
    uint32_t port = 77;

    two_domains();
    for (unsigned int i = 1; i < 128; i++)
        unbound(a, 2);
    fixture_memory_out();
    assert_int_equal(evtchn_alloc_unbound(a, 2, &port), -XEN_ENOMEM);
    assert_int_equal(evtchn_bind_interdomain(a, b, 1, &port), -XEN_ENOMEM);
    assert_int_equal(evtchn_bind_virq(a, 0, 0, &port), -XEN_ENOMEM);
    assert_int_equal(evtchn_bind_internal(a, 0, handler, &called, &port), -XEN_ENOMEM);
    assert_int_equal(evtchn_init_control(many, &c), -XEN_ENOMEM);
    fixture_check();
    fixture_memory_back();
    assert_int_equal(unbound(a, 2), 128);
    assert_int_equal(evtchn_bind_virq(a, 0, 0, &port), 0);
    assert_int_equal(evtchn_init_control(many, &c), 0);
    fixture_check();
}

UNIT_MAIN(FIXTURE_TEST(lowest_port), FIXTURE_TEST(limits), FIXTURE_TEST(out_of_range),
          FIXTURE_TEST(interdomain), FIXTURE_TEST(loopback), FIXTURE_TEST(virqs),
          FIXTURE_TEST(ipis), FIXTURE_TEST(internal), FIXTURE_TEST(reset), FIXTURE_TEST(death),
          FIXTURE_TEST(upcalls), FIXTURE_TEST(polling), FIXTURE_TEST(out_of_memory))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property: 2-level delivery (addendum B1.2). An event that becomes pending and is unmasked reaches
 * its vCPU once per clearing of the bits; masked ones wait for unmask; nothing that a guest writes
 * into shared_info, nor the layout in use, leads outside the bits of its own ports.
 */
#include "unit/domains.h"

static struct domain *d;
static struct shared_info *si;

static uint32_t ipi(uint32_t vcpu)
{
    uint32_t port;

    assert_int_equal(evtchn_bind_ipi(d, vcpu, &port), 0);
    return port;
}

/* What a guest does on an upcall: returns the first port and clears its bits, 0 for none. */
static uint32_t take(unsigned int vcpu)
{
    struct vcpu_info *info = fixture_vcpu_info(d->vcpu[vcpu]);
    uint64_t sel, word;
    uint32_t port;

    info->evtchn_upcall_pending = 0;
    sel = info->evtchn_pending_sel;
    if (!sel)
        return 0;
    port = (uint32_t)__builtin_ctzll(sel) * 64;
    info->evtchn_pending_sel &= sel - 1;
    word = si->evtchn_pending[port / 64] & ~si->evtchn_mask[port / 64];
    if (!word)
        return 0;
    port += (uint32_t)__builtin_ctzll(word);
    si->evtchn_pending[port / 64] &= ~(1ul << (port % 64));
    if (word & (word - 1))
        info->evtchn_pending_sel |= 1ul << (port / 64);
    return port;
}

static int setup(void **state)
{
    fixture_begin();
    d = fixture_domain(1, 2, 8);
    si = fixture_shared_info(d);
    return 0;
}

static void once(void **state)
{
    struct vcpu *v = d->vcpu[1];
    uint32_t p = ipi(1), q = ipi(1);

    evtchn_send(d, p);
    assert_true(fixture_upcall(v));
    /* Again, and another of the same word: no second upcall. */
    evtchn_send(d, p);
    evtchn_send(d, q);
    assert_false(fixture_upcall(v));
    assert_int_equal(take(1), p);
    evtchn_send(d, p); /* the word is still selected, the upcall is not pending */
    assert_false(fixture_upcall(v));
    assert_int_equal(take(1), p);
    assert_int_equal(take(1), q);
    assert_int_equal(take(1), 0);
    evtchn_send(d, q);
    assert_true(fixture_upcall(v));
    assert_false(fixture_upcall(d->vcpu[0]));
}

static void other_word(void **state)
{
    struct vcpu *v = d->vcpu[1];
    uint32_t p = ipi(1), q = 0;

    while (q < 64)
        q = ipi(1);
    evtchn_send(d, p);
    assert_true(fixture_upcall(v));
    evtchn_send(d, q); /* its word was not selected, but the upcall is pending */
    assert_false(fixture_upcall(v));
    assert_int_equal(fixture_vcpu_info(v)->evtchn_pending_sel, 3);
}

static void masked(void **state)
{
    struct vcpu *v = d->vcpu[0];
    uint32_t p = ipi(0);

    si->evtchn_mask[0] = 1ul << p;
    evtchn_send(d, p);
    assert_false(fixture_upcall(v));
    assert_int_equal(fixture_vcpu_info(v)->evtchn_pending_sel, 0);
    assert_true(si->evtchn_pending[0] >> p & 1);
    assert_int_equal(evtchn_unmask(d, p), 0);
    assert_true(fixture_upcall(v));
    assert_int_equal(take(0), p);
    /* Not masked, or nothing pending: no upcall. */
    assert_int_equal(evtchn_unmask(d, p), 0);
    assert_false(fixture_upcall(v));
    si->evtchn_mask[0] = 1ul << p;
    assert_int_equal(evtchn_unmask(d, p), 0);
    assert_int_equal(si->evtchn_mask[0], 0);
    assert_false(fixture_upcall(v));
    /* Unmasked while pending, but the mask bit was clear already. */
    si->evtchn_pending[0] = 1ul << p;
    assert_int_equal(evtchn_unmask(d, p), 0);
    assert_false(fixture_upcall(v));
}

static void moved(void **state)
{
    uint32_t port;

    assert_int_equal(evtchn_bind_virq(d, VIRQ_CONSOLE, 0, &port), 0);
    si->evtchn_mask[0] = 1ul << port;
    evtchn_send_global_virq(d, VIRQ_CONSOLE);
    assert_int_equal(evtchn_bind_vcpu(d, port, 1), 0);
    assert_false(fixture_upcall(d->vcpu[1])); /* nothing pending is moved */
    assert_int_equal(evtchn_unmask(d, port), 0);
    assert_true(fixture_upcall(d->vcpu[1]));
    assert_false(fixture_upcall(d->vcpu[0]));
}

static void close_clears(void **state)
{
    uint32_t p = ipi(0);

    si->evtchn_mask[0] = 1ul << p;
    evtchn_send(d, p);
    assert_int_equal(evtchn_close(d, p), 0);
    assert_int_equal(si->evtchn_pending[0], 0);
    assert_int_equal(si->evtchn_mask[0], 1ul << p);
    assert_int_equal(ipi(1), p);
    assert_int_equal(evtchn_poll_port(d, p), 0);
}

static void registered_info(void **state)
{
    struct vcpu *v = d->vcpu[1];
    struct vcpu_info *area = (struct vcpu_info *)((char *)fixture_gfn(d, 3) + 256);
    uint32_t p = ipi(1);

    assert_int_equal(shared_register(d, _gfn(3), &v->info), 0);
    v->info_offset = 256;
    evtchn_send(d, p);
    assert_int_equal(area->evtchn_upcall_pending, 1);
    assert_int_equal(area->evtchn_pending_sel, 1);
    assert_int_equal(fixture_vcpu_info(v)->evtchn_pending_sel, 0);
    assert_true(fixture_upcall(v));
}

/* A vCPU without any vcpu_info: the bit is set, nobody is told. */
static void no_info(void **state)
{
    struct domain *many = fixture_domain(2, 40, 1);
    uint32_t port;

    assert_int_equal(evtchn_bind_ipi(many, 39, &port), 0);
    assert_int_equal(evtchn_send(many, port), 0);
    assert_int_equal(evtchn_poll_port(many, port), 1);
    assert_false(fixture_upcall(many->vcpu[39]));
}

static void layouts(void **state)
{
    uint32_t p = 0;
    struct shared_info before;

    while (p < 1500)
        p = ipi(1);
    evtchn_send(d, p);
    assert_true(si->evtchn_pending[1500 / 64] >> (1500 % 64) & 1);
    fixture_upcall(d->vcpu[1]);

    /* Gone narrow, that port has no bits at all; others have theirs elsewhere. */
    memset(si, 0, sizeof(*si));
    d->wide = false;
    before = *si;
    evtchn_send(d, p);
    evtchn_unmask(d, p);
    assert_int_equal(evtchn_poll_port(d, p), 0);
    assert_memory_equal(si, &before, sizeof(before));
    evtchn_send(d, 40);
    assert_true(((uint32_t *)si->evtchn_pending)[40 / 32] >> (40 % 32) & 1);
    assert_int_equal(((uint32_t *)fixture_vcpu_info(d->vcpu[1]))[1], 1u << (40 / 32));
    assert_true(fixture_upcall(d->vcpu[1]));
    d->wide = true;
}

static void garbage(void **state)
{
    uint32_t p = ipi(0);

    memset(si, 0xff, PAGE_SIZE);
    for (unsigned int i = 0; i < 4; i++)
        evtchn_send(d, p);
    evtchn_unmask(d, p);
    assert_false(fixture_upcall(d->vcpu[0])); /* its upcall is pending, it says */
    assert_int_equal(evtchn_close(d, p), 0);
    fixture_check();
    memset(si, 0, PAGE_SIZE);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)

UNIT_MAIN(TEST(once), TEST(other_word), TEST(masked), TEST(moved), TEST(close_clears),
          TEST(registered_info), TEST(no_info), TEST(layouts), TEST(garbage))

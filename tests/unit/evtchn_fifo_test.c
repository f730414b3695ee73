/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property: FIFO delivery (addendum B1.3). A guest that consumes its queues as the ABI says gets
 * every event, in order of priority and then of arrival, and each as often as it was sent after
 * the last handling; a guest that does not keep to it loses its own events and nothing else.
 */
#include "unit/domains.h"

#define PENDING     (1u << EVTCHN_FIFO_PENDING)
#define MASKED      (1u << EVTCHN_FIFO_MASKED)
#define LINKED      (1u << EVTCHN_FIFO_LINKED)
#define BUSY        (1u << EVTCHN_FIFO_BUSY)
#define LINK        EVTCHN_FIFO_LINK_MASK

#define ARRAY_GFN   4u
#define CONTROL_GFN 1u /* one page, vCPU v at offset 256 * v */

static struct domain *d;
static uint32_t *word; /* the first page of the array */

static struct evtchn_fifo_control_block *control(unsigned int vcpu)
{
    return (void *)((char *)fixture_gfn(d, CONTROL_GFN) + 256 * vcpu);
}

static int init_control(unsigned int vcpu)
{
    struct evtchn_init_control c = {.control_gfn = CONTROL_GFN, .offset = 256 * vcpu, .vcpu = vcpu};
    int rc = evtchn_init_control(d, &c);

    if (!rc)
        assert_int_equal(c.link_bits, 17);
    return rc;
}

static uint32_t heads[2][16]; /* private to the consumer of each vCPU */

static int setup_2l(void **state)
{
    fixture_begin();
    d = fixture_domain(1, 2, 16);
    memset(heads, 0, sizeof(heads));
    return 0;
}

static int setup(void **state)
{
    setup_2l(state);
    assert_int_equal(init_control(0), 0);
    assert_int_equal(init_control(1), 0);
    assert_int_equal(evtchn_expand_array(d, _gfn(ARRAY_GFN)), 0);
    word = fixture_gfn(d, ARRAY_GFN);
    return 0;
}

static uint32_t ipi(uint32_t vcpu)
{
    uint32_t port;

    assert_int_equal(evtchn_bind_ipi(d, vcpu, &port), 0);
    return port;
}

/* The guest's handler: the next event of the vCPU, 0 when there is none. */
static uint32_t take(unsigned int vcpu)
{
    struct evtchn_fifo_control_block *c = control(vcpu);

    fixture_vcpu_info(d->vcpu[vcpu])->evtchn_upcall_pending = 0;
    while (c->ready) {
        unsigned int q = (unsigned int)__builtin_ctz(c->ready);
        uint32_t port = heads[vcpu][q] ? heads[vcpu][q] : c->head[q];
        uint32_t w = word[port];

        word[port] &= ~(LINKED | LINK);
        heads[vcpu][q] = w & LINK;
        if (!heads[vcpu][q])
            c->ready &= ~(1u << q);
        if ((w & PENDING) && !(w & MASKED)) {
            word[port] &= ~PENDING;
            return port;
        }
    }
    return 0;
}

#define expect_events(vcpu, ...)                                \
    do {                                                        \
        const uint32_t want_[] = {__VA_ARGS__};                 \
        for (unsigned int i_ = 0; i_ < ARRAY_SIZE(want_); i_++) \
            assert_int_equal(take(vcpu), want_[i_]);            \
        assert_int_equal(take(vcpu), 0);                        \
    } while (0)

/* -- set-up ----------------------------------------------------------------------------------- */

static void init_errors(void **state)
{
    struct evtchn_init_control c = {.control_gfn = 1, .vcpu = 2, .offset = 5000};

    assert_int_equal(evtchn_expand_array(d, _gfn(ARRAY_GFN)), -XEN_EOPNOTSUPP);
    assert_int_equal(evtchn_init_control(d, &c), -XEN_ENOENT);
    c.vcpu = 0;
    assert_int_equal(evtchn_init_control(d, &c), -XEN_EINVAL);
    c.offset = PAGE_SIZE - 64;
    assert_int_equal(evtchn_init_control(d, &c), -XEN_EINVAL);
    c.offset = 0xfffffff8;
    assert_int_equal(evtchn_init_control(d, &c), -XEN_EINVAL);
    c.offset = 4;
    assert_int_equal(evtchn_init_control(d, &c), -XEN_EINVAL);
    c.offset = 0;
    c.control_gfn = 16; /* a hole */
    assert_int_equal(evtchn_init_control(d, &c), -XEN_EINVAL);
    c.control_gfn = ~0ull;
    assert_int_equal(evtchn_init_control(d, &c), -XEN_EINVAL);
    assert_int_equal(evtchn_expand_array(d, _gfn(ARRAY_GFN)), -XEN_EOPNOTSUPP); /* still 2-level */

    c = (struct evtchn_init_control){.control_gfn = 1, .offset = PAGE_SIZE - 72};
    assert_int_equal(evtchn_init_control(d, &c), 0);
    assert_int_equal(evtchn_init_control(d, &c), -XEN_EINVAL);
    assert_int_equal(evtchn_expand_array(d, _gfn(99)), -XEN_EINVAL);
    for (unsigned int i = 0; i < 128; i++)
        assert_int_equal(evtchn_expand_array(d, _gfn(ARRAY_GFN)), 0);
    assert_int_equal(evtchn_expand_array(d, _gfn(ARRAY_GFN)), -XEN_ENOSPC);
}

static void carries_over(void **state)
{
    uint32_t p = ipi(0), q = ipi(0), r = ipi(1);

    fixture_shared_info(d)->evtchn_mask[0] = ~0ul;
    evtchn_send(d, p);
    evtchn_send(d, r);
    assert_int_equal(init_control(0), 0);
    assert_int_equal(init_control(1), 0);
    evtchn_send(d, q);
    assert_int_equal(evtchn_poll_port(d, q), 0); /* there is no word to look at */
    assert_int_equal(evtchn_expand_array(d, _gfn(ARRAY_GFN)), 0);
    word = fixture_gfn(d, ARRAY_GFN);
    expect_events(0, p, q);
    expect_events(1, r);
    fixture_check();
}

static struct domain *peer;
static bool switched;

static void switch_hook(void *host)
{
    sim_atomic_hook = NULL;
    assert_ptr_equal(host, fixture_shared_info(d)->evtchn_pending);
    sim_cpu_set(1);
    assert_int_equal(init_control(0), 0);
    assert_int_equal(evtchn_expand_array(d, _gfn(ARRAY_GFN)), 0);
    sim_cpu_set(0);
    switched = true;
}

/* The domain changes over while a peer, that holds only its own lock, is about to set a bit. */
static void changes_under_a_sender(void **state)
{
    uint32_t p, q;

    switched = false;
    peer = fixture_domain(2, 1, 4);
    assert_int_equal(evtchn_alloc_unbound(d, 2, &p), 0);
    assert_int_equal(evtchn_bind_interdomain(peer, d, p, &q), 0);
    sim_atomic_hook = switch_hook;
    assert_int_equal(evtchn_send(peer, q), 0);
    assert_true(switched);
    word = fixture_gfn(d, ARRAY_GFN);
    expect_events(0, p);
}

static void array_grows_late(void **state)
{
    uint32_t low, port;

    low = ipi(0);
    do
        port = ipi(1);
    while (port < 1030);
    evtchn_send(d, port);
    evtchn_send(d, port);
    assert_int_equal(evtchn_unmask(d, port), 0);
    assert_false(fixture_upcall(d->vcpu[1]));
    assert_int_equal(evtchn_close(d, 1029), 0);
    assert_int_equal(evtchn_expand_array(d, _gfn(ARRAY_GFN + 1)), 0);
    assert_true(fixture_upcall(d->vcpu[1]));
    assert_int_equal(control(1)->head[7], 1030);
    assert_int_equal(((uint32_t *)fixture_gfn(d, ARRAY_GFN + 1))[6], PENDING | LINKED);
    /* A queue may go through both pages. */
    assert_int_equal(evtchn_bind_ipi(d, 1, &port), 0);
    assert_int_equal(port, 1029);
    evtchn_send(d, port);
    assert_int_equal(((uint32_t *)fixture_gfn(d, ARRAY_GFN + 1))[6], PENDING | LINKED | 1029);
    evtchn_send(d, low);
    expect_events(0, low);
    fixture_check();
}

/* -- delivery --------------------------------------------------------------------------------- */

static void order(void **state)
{
    uint32_t p = ipi(0), q = ipi(0), r = ipi(0), s = ipi(0), t = ipi(1);

    assert_int_equal(evtchn_set_priority(d, 0, 0), -XEN_EACCES);
    assert_int_equal(evtchn_set_priority(d, 50, 0), -XEN_EACCES);
    assert_int_equal(evtchn_set_priority(d, 200000, 0), -XEN_EINVAL);
    assert_int_equal(evtchn_set_priority(d, r, 16), -XEN_EINVAL);
    assert_int_equal(evtchn_set_priority(d, r, 0), 0);
    assert_int_equal(evtchn_set_priority(d, s, 15), 0);
    evtchn_send(d, s);
    assert_true(fixture_upcall(d->vcpu[0]));
    evtchn_send(d, q);
    evtchn_send(d, p);
    evtchn_send(d, r);
    evtchn_send(d, q); /* pending already */
    assert_false(fixture_upcall(d->vcpu[0]));
    assert_int_equal(control(0)->ready, 1u << 0 | 1u << 7 | 1u << 15);
    expect_events(0, r, q, p, s);
    evtchn_send(d, t);
    assert_true(fixture_upcall(d->vcpu[1]));
    expect_events(1, t);
    expect_events(0, 0);
    fixture_check();
}

/* The tail has been consumed: its word must not be linked to. */
static void consumed_tail(void **state)
{
    uint32_t p = ipi(0), q = ipi(0);

    evtchn_send(d, p);
    assert_true(fixture_upcall(d->vcpu[0]));
    expect_events(0, p);
    evtchn_send(d, q);
    assert_true(fixture_upcall(d->vcpu[0]));
    assert_int_equal(control(0)->head[7], q);
    assert_int_equal(word[p], 0);
    evtchn_send(d, p);
    assert_int_equal(word[q], PENDING | LINKED | p);
    assert_false(fixture_upcall(d->vcpu[0]));
    expect_events(0, q, p);
    evtchn_send(d, p); /* its own old tail */
    expect_events(0, p);
}

static void masked(void **state)
{
    uint32_t p = ipi(0), q = ipi(0);

    word[p] = MASKED;
    evtchn_send(d, p);
    assert_int_equal(word[p], MASKED | PENDING); /* not linked */
    assert_false(fixture_upcall(d->vcpu[0]));
    assert_int_equal(evtchn_unmask(d, p), 0);
    assert_true(fixture_upcall(d->vcpu[0]));
    expect_events(0, p);

    /* Masked once it is linked: skipped, queued again by the unmask. */
    evtchn_send(d, p);
    evtchn_send(d, q);
    word[p] |= MASKED;
    expect_events(0, q);
    assert_int_equal(word[p], MASKED | PENDING);
    fixture_upcall(d->vcpu[0]);
    assert_int_equal(evtchn_unmask(d, p), 0);
    assert_true(fixture_upcall(d->vcpu[0]));
    expect_events(0, p);

    /* Masked and unmasked while linked: it is on the queue once. */
    evtchn_send(d, p);
    word[p] |= MASKED;
    assert_int_equal(evtchn_unmask(d, p), 0);
    assert_int_equal(evtchn_unmask(d, p), 0);
    expect_events(0, p);
    word[p] = MASKED;
    assert_int_equal(evtchn_unmask(d, p), 0);
    assert_int_equal(word[p], 0);
    expect_events(0, 0);
}

static void linked_port_is_not_reused(void **state)
{
    uint32_t p = ipi(0), q = ipi(0), r;

    evtchn_send(d, p);
    evtchn_send(d, q);
    assert_int_equal(evtchn_close(d, p), 0);
    assert_int_equal(word[p], LINKED | q); /* PENDING is gone, the link stays */
    r = ipi(0);
    assert_true(r > q);
    expect_events(0, q);
    assert_int_equal(ipi(0), p);
    fixture_check();
}

/* A guest that pretends it of very many ports gets no port, and costs no more than that. */
static void linked_ports_have_an_end(void **state)
{
    uint32_t ports[600], p;

    for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++)
        ports[i] = ipi(0);
    for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++) {
        assert_int_equal(evtchn_close(d, ports[i]), 0);
        word[ports[i]] = LINKED;
    }
    assert_int_equal(evtchn_bind_ipi(d, 0, &p), -XEN_ENOSPC);
    word[ports[511]] = 0;
    assert_int_equal(ipi(0), ports[511]);
    word[ports[0]] = 0;
    assert_int_equal(ipi(0), ports[0]);
}

/* The event stays where it is; the next one goes to the new queue. */
static void priority_change_while_linked(void **state)
{
    uint32_t p = ipi(0), q = ipi(0);

    evtchn_send(d, p);
    assert_int_equal(evtchn_set_priority(d, p, 2), 0);
    evtchn_send(d, p);
    assert_int_equal(control(0)->ready, 1u << 7);
    expect_events(0, p);
    evtchn_send(d, p);
    assert_int_equal(control(0)->ready, 1u << 2);
    /* p is still noted as the tail of queue 7 unless that was seen to: q would be linked behind it
     * on queue 2. */
    evtchn_send(d, q);
    assert_int_equal(word[p], PENDING | LINKED);
    assert_int_equal(control(0)->head[7], q);
    assert_int_equal(control(0)->ready, 1u << 2 | 1u << 7);
    fixture_check();
    expect_events(0, p, q);
}

static void vcpu_change_while_linked(void **state)
{
    uint32_t p, q = ipi(0);

    assert_int_equal(evtchn_bind_virq(d, VIRQ_CONSOLE, 0, &p), 0);
    evtchn_send_global_virq(d, VIRQ_CONSOLE);
    assert_int_equal(evtchn_bind_vcpu(d, p, 1), 0);
    evtchn_send_global_virq(d, VIRQ_CONSOLE);
    assert_false(fixture_upcall(d->vcpu[1]));
    expect_events(0, p);
    evtchn_send_global_virq(d, VIRQ_CONSOLE);
    assert_true(fixture_upcall(d->vcpu[1]));
    evtchn_send(d, q);
    assert_int_equal(word[p], PENDING | LINKED);
    fixture_check();
    expect_events(0, q);
    expect_events(1, p);
}

/* The tail of the old queue is another port: that stays. */
static void moved_from_a_queue_in_use(void **state)
{
    uint32_t p = ipi(0), q = ipi(0), r = ipi(0);

    evtchn_send(d, p);
    evtchn_send(d, q);
    assert_int_equal(take(0), p);
    assert_int_equal(evtchn_set_priority(d, p, 1), 0);
    evtchn_send(d, p);
    evtchn_send(d, r);
    assert_int_equal(word[q], PENDING | LINKED | r);
    fixture_check();
    expect_events(0, p, q, r);
}

static void no_control_block(void **state)
{
    uint32_t p = ipi(1);

    assert_int_equal(init_control(0), 0);
    assert_int_equal(evtchn_expand_array(d, _gfn(ARRAY_GFN)), 0);
    word = fixture_gfn(d, ARRAY_GFN);
    d->vcpu[0]->polling = true;
    evtchn_send(d, p);
    assert_int_equal(word[p], 0); /* dropped */
    assert_false(fixture_blocked(d->vcpu[0]));
    assert_int_equal(init_control(1), 0);
    evtchn_send(d, p);
    expect_events(1, p);
}

static void polling(void **state)
{
    uint32_t p = ipi(0);

    word[p] = MASKED;
    d->vcpu[1]->polling = true;
    d->vcpu[1]->poll_port = p;
    assert_int_equal(evtchn_poll_port(d, p), 0);
    evtchn_send(d, p);
    assert_false(fixture_blocked(d->vcpu[1]));
    assert_int_equal(evtchn_poll_port(d, p), 1);
    fixture_block(d->vcpu[1]);
    d->vcpu[1]->polling = true;
    evtchn_send(d, p); /* was pending: they were told before */
    assert_true(fixture_blocked(d->vcpu[1]));
}

/* -- guests that do not keep to it ------------------------------------------------------------ */

static void garbage_links(void **state)
{
    uint32_t p = ipi(0), q = ipi(0), r = ipi(0);

    evtchn_send(d, p);
    word[p] |= LINK;
    evtchn_send(d, q);
    assert_int_equal(word[p], PENDING | LINKED | q); /* we write links, we never follow them */
    memset(control(0), 0xff, 72);
    memset(word, 0xff, PAGE_SIZE);
    evtchn_send(d, p);
    evtchn_send(d, q);
    evtchn_send(d, r);
    evtchn_unmask(d, p);
    assert_int_equal(evtchn_close(d, p), 0);
    assert_int_equal(word[p], ~PENDING & ~MASKED);
    assert_int_equal(evtchn_reset(d), -XEN_ERESTART);
    fixture_check();
    memset(word, 0, PAGE_SIZE);
}

static uint32_t *hook_word;
static unsigned int hook_calls;

static void unlink_hook(void *host)
{
    if (host != hook_word)
        return;
    hook_calls++;
    *hook_word &= ~(LINKED | LINK);
}

/* The guest consumes the tail between our look at it and the compare-and-swap. */
static void unlinked_under_us(void **state)
{
    uint32_t p = ipi(0), q = ipi(0);

    evtchn_send(d, p);
    hook_word = &word[p];
    hook_calls = 0;
    sim_atomic_hook = unlink_hook;
    fixture_vcpu_info(d->vcpu[0])->evtchn_upcall_pending = 0;
    control(0)->ready = 0;
    evtchn_send(d, q);
    sim_atomic_hook = NULL;
    assert_int_equal(hook_calls, 3); /* swap, set BUSY, clear BUSY */
    assert_int_equal(word[p], PENDING);
    assert_int_equal(control(0)->head[7], q);
    assert_true(control(0)->ready & 1u << 7);
    word[p] = 0;
    expect_events(0, q);
    fixture_check();
}

static void restless_hook(void *host)
{
    if (host != hook_word)
        return;
    hook_calls++;
    *hook_word ^= MASKED;
}

/* The guest changes the word at each try: that ends, its queue is its own loss. */
static void restless_word(void **state)
{
    uint32_t p = ipi(0), q = ipi(0), r = ipi(0);

    evtchn_send(d, p);
    hook_word = &word[p];
    hook_calls = 0;
    sim_atomic_hook = restless_hook;
    evtchn_send(d, q);
    sim_atomic_hook = NULL;
    assert_int_equal(hook_calls, 1 + 1 + 4 + 1);
    assert_int_equal(word[p] & (LINKED | BUSY | LINK), LINKED);
    evtchn_send(d, r);
    assert_int_equal(word[q], PENDING | LINKED | r);
    fixture_check();
}

static void settling_hook(void *host)
{
    if (host != hook_word)
        return;
    if (++hook_calls <= 3)
        *hook_word ^= MASKED;
}

/* It settles after a few tries: linked, and not busy any more. */
static void settling_word(void **state)
{
    uint32_t p = ipi(0), q = ipi(0);

    evtchn_send(d, p);
    hook_word = &word[p];
    hook_calls = 0;
    sim_atomic_hook = settling_hook;
    evtchn_send(d, q);
    sim_atomic_hook = NULL;
    assert_int_equal(word[p], PENDING | LINKED | MASKED | q);
    word[p] &= ~MASKED;
    expect_events(0, p, q);
}

#define TEST(fn)    cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)
#define TEST_2L(fn) cmocka_unit_test_setup_teardown(fn, setup_2l, fixture_teardown)

UNIT_MAIN(TEST_2L(init_errors), TEST_2L(carries_over), TEST_2L(changes_under_a_sender),
          TEST(array_grows_late), TEST(order), TEST(consumed_tail), TEST(masked),
          TEST(linked_port_is_not_reused), TEST(linked_ports_have_an_end),
          TEST(priority_change_while_linked), TEST(vcpu_change_while_linked),
          TEST(moved_from_a_queue_in_use), TEST_2L(no_control_block), TEST(polling),
          TEST(garbage_links), TEST(unlinked_under_us), TEST(restless_word), TEST(settling_word))

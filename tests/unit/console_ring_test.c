/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/console/guest_console.h: what comes through the ring, console_io and port 0xE9 arrives in
 * order; typed keys go to whichever of ring and console_io the guest uses, and none is lost before
 * both are full; indices that cannot be end the ring's use and touch nothing outside the page.
 */
#include "unit/console.h"

static struct domain *d;

static void three_ways(void **state)
{
    d = console_domain(1, "web", 2);
    ring_print(d, "ring\n");
    assert_true(port_pending(d)); /* consumed: the guest is told */
    strcpy(fixture_gfn(d, 1), "hypercall\n");
    assert_int_equal(console_call(d, CONSOLEIO_write, 10, 0x1000, NULL), 0);
    for (const char *p = "port\n"; *p; p++)
        bus_write(d->vcpu[1], BUS_PORT, 0xe9, 1, (uint8_t)*p);
    screen_is("(web) ring\n(web) hypercall\n(web) port\n");
    assert_int_equal(d->vcpu[1]->pause, 0);
    assert_int_equal(bus_read(d->vcpu[0], BUS_PORT, 0xe9, 1), 0xff);
}

/* Longer than the ring, in pieces that wrap, with indices about to overflow. */
static void wraps(void **state)
{
    struct xencons_interface *r;
    char text[200];

    d = console_domain(1, "web", 1);
    r = ring_of(d);
    r->out_cons = r->out_prod = 0xfffffff0u;
    for (unsigned int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "%u %0*d\n", i, 60 + (int)i, 7);
        ring_print(d, text);
        assert_int_equal(r->out_cons, r->out_prod);
        console_time(MSEC(5));
        assert_int_equal(strncmp(screen, "(web) ", 6), 0);
        assert_string_equal(screen + 6, text);
        screen_clear();
    }
}

static unsigned int lines_of(const char *what)
{
    unsigned int n = 0;

    for (const char *p = screen; (p = strstr(p, what)); p++)
        n++;
    return n;
}

static void hostile_output(void **state)
{
    static const uint32_t bad[][2] = {{2049, 0}, {0, 1}, {0x80000000u, 0}, {5, 6}, {0, 0x7fffffff}};

    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        struct xencons_interface *r, before;

        d = console_domain((domid_t)(1 + i), "web", 1);
        r = ring_of(d);
        memset(r, 'x', sizeof(*r));
        r->out_prod = bad[i][0];
        r->out_cons = bad[i][1];
        before = *r;
        for (unsigned int k = 0; k < 3; k++)
            assert_int_equal(evtchn_send(d, port_of(d)), 0);
        assert_int_equal(lines_of("impossible indices"), 1); /* told once */
        assert_int_equal(lines_of("(web)"), 0);
        assert_memory_equal(r, &before, sizeof(before));
        type_text("\1\1\1x");
        r->out_prod = r->out_cons = 0; /* a good ring then is not used either */
        assert_int_equal(evtchn_send(d, port_of(d)), 0);
        assert_int_equal(r->in_prod, before.in_prod);
        bus_write(d->vcpu[0], BUS_PORT, 0xe9, 1, '!'); /* the other ways work */
        bus_write(d->vcpu[0], BUS_PORT, 0xe9, 1, '\n');
        assert_int_equal(lines_of("!\n"), 1);
        type_text("\1\1\1");
        fixture_kill(d);
        screen_clear();
    }
}

static void hostile_input(void **state)
{
    struct xencons_interface *r, before;

    d = console_domain(1, "web", 1);
    ring_print(d, "up\n");
    type_text("\1\1\1");
    r = ring_of(d);
    r->in_prod = 3;
    r->in_cons = 4;
    before = *r;
    type_text("abc");
    assert_int_equal(lines_of("impossible indices"), 1);
    assert_memory_equal(r, &before, sizeof(before));
    type_text("\1\1\1");
}

static void typing(void **state)
{
    char got[2000], long_text[1024 + 256 + 3];
    struct xencons_interface *r;

    d = console_domain(1, "web", 1);
    type_text("\1\1\1early");
    assert_int_equal(ring_of(d)->in_prod, 0); /* nobody has said that he reads there */
    ring_print(d, "up\n");
    assert_int_equal(ring_read(d, got), 5);
    assert_string_equal(got, "early");
    assert_true(port_pending(d));
    type_text("x");
    assert_true(port_pending(d));
    assert_int_equal(ring_read(d, got), 1);

    screen_clear();
    for (unsigned int i = 0; i < sizeof(long_text) - 1; i++)
        long_text[i] = (char)('a' + i % 26);
    long_text[sizeof(long_text) - 1] = '\0';
    type_text(long_text);
    screen_is("\a\a"); /* ring and buffer are full */
    r = ring_of(d);
    assert_int_equal(r->in_prod - r->in_cons, sizeof(r->in));
    assert_int_equal(ring_read(d, got), 1024);
    assert_memory_equal(got, long_text, 1024);
    assert_int_equal(evtchn_send(d, port_of(d)), 0); /* has read: the rest follows */
    assert_int_equal(ring_read(d, got), 256);
    assert_memory_equal(got, long_text + 1024, 256);
    type_text("\1\1\1");
}

static void typing_without_ring(void **state)
{
    char *page;
    uint32_t virq;

    d = console_domain(1, "web", 1);
    assert_int_equal(evtchn_bind_virq(d, VIRQ_CONSOLE, 0, &virq), 0);
    type_text("\1\1\1hello");
    assert_true(fixture_shared_info(d)->evtchn_pending[0] >> virq & 1);
    page = fixture_gfn(d, 2);
    assert_int_equal(console_call(d, CONSOLEIO_read, 3, 0x2000, NULL), 3);
    assert_memory_equal(page, "hel\0", 4);
    assert_int_equal(console_call(d, CONSOLEIO_read, 0xffffffff, 0x2000, NULL), 2);
    assert_memory_equal(page, "lol", 3);
    assert_int_equal(console_call(d, CONSOLEIO_read, 100, 0x2000, NULL), 0);
    type_text("\1\1\1");
}

static void errors(void **state)
{
    struct domain *other;

    d = console_domain(1, "web", 1);
    assert_int_equal(console_call(d, 2, 0, 0, NULL), -XEN_ENOSYS);
    assert_int_equal(console_call(d, CONSOLEIO_write, 0, 0xdead0000, NULL), 0);
    assert_int_equal(console_call(d, CONSOLEIO_write, 1, 0xdead0000, NULL), -XEN_EFAULT);
    screen_is("");
    other = fixture_domain(2, 1, 4);
    assert_int_equal(console_call(other, CONSOLEIO_write, 0, 0, NULL), -XEN_EPERM);
    other->is_console = true; /* without one of its own */
    assert_int_equal(console_call(other, CONSOLEIO_write, 0, 0, NULL), -XEN_ENOSYS);
    assert_int_equal(guest_console_attach(other, _gfn(99)), -XEN_EINVAL); /* no such page */
}

/* Nothing of the guest's page is held after its end; a closed port is no harm. */
static void ends(void **state)
{
    d = console_domain(1, "web", 1);
    ring_print(d, "some text\nand");
    assert_int_equal(evtchn_close(d, port_of(d)), 0);
    type_text("\1\1\1x");
    console_time(MSEC(500));
    fixture_kill(d); /* the fixture counts frames */
    console_time(SEC(1));
}

UNIT_MAIN(CONSOLE_TEST(three_ways), CONSOLE_TEST(wraps), CONSOLE_TEST(hostile_output),
          CONSOLE_TEST(hostile_input), CONSOLE_TEST(typing), CONSOLE_TEST(typing_without_ring),
          CONSOLE_TEST(errors), CONSOLE_TEST(ends))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's output is held to console-rate= and console-burst= on the virtual clock, prefixes and
 * escapes counted, whichever way it writes; nothing of it is lost; vCPUs that write by call or port
 * wait and go on; another guest and Krypton are not held up, nor when the device is full.
 */
#include "unit/console.h"

#include "core/printk.h"
#include "guest/console/bucket.h"

static const char line80[] =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678\n";

/* Writes for a while through the ring as fast as it takes; returns what stood on the screen. */
static size_t flood(struct domain *d, const char *text, nsec_t time)
{
    size_t before = screen_used;

    for (nsec_t t = 0; t < time; t += MSEC(1)) {
        while (ring_write(d, text, strlen(text)) == strlen(text))
            ;
        console_time(MSEC(1));
    }
    return screen_used - before;
}

static void rate(void **state)
{
    struct domain *web = console_domain(1, "web", 1), *db = console_domain(2, "db", 1);
    size_t n = flood(web, line80, SEC(2));

    assert_in_range(n, 2 * KIB(64), 2 * KIB(64) + KIB(16) + 300);
    screen_clear();
    ring_print(db, "db is heard\n");
    log_info("so is Krypton");
    screen_is("(db) db is heard\n(KR) so is Krypton\n");
    assert_int_equal(db->vcpu[0]->pause, 0);

    /* Bytes that cost four characters or a prefix each cost as much. */
    console_time(SEC(3));
    screen_clear();
    assert_in_range(flood(web, "\001\002\003", SEC(1)), KIB(62), KIB(80) + 300);
    console_time(SEC(3));
    screen_clear();
    assert_in_range(flood(web, "\n", SEC(1)), KIB(64), KIB(80) + 300);
}

static void raw_is_limited_too(void **state)
{
    struct domain *web = console_domain(1, "web", 1);

    type_text("\1\1\1");
    screen_clear();
    assert_in_range(flood(web, line80, SEC(1)), KIB(64), KIB(80) + 300);
    type_text("\1\1\1");
}

static void nothing_lost(void **state)
{
    struct domain *web = console_domain(1, "web", 1);
    const char *at = screen;
    char text[32];

    for (unsigned int i = 0; i < 6000; i++) {
        snprintf(text, sizeof(text), "line %u\n", i);
        for (size_t n = 0; n < strlen(text); n += ring_write(web, text + n, strlen(text + n)))
            console_time(n ? MSEC(1) : 0);
    }
    console_time(SEC(2));
    for (unsigned int i = 0; i < 6000; i++) {
        snprintf(text, sizeof(text), "(web) line %u\n", i);
        assert_memory_equal(at, text, strlen(text));
        at += strlen(text);
    }
    assert_int_equal(*at, '\0');
}

/* A vCPU that writes to the port waits when it has used up its part, and is let go on. */
static void port_waits(void **state)
{
    struct domain *web = console_domain(1, "web", 2);
    struct vcpu *v = web->vcpu[1];
    unsigned int waits = 0;

    for (unsigned int i = 0; i < 40000; i++) {
        bus_write(v, BUS_PORT, 0xe9, 1, i % 80 == 79 ? '\n' : 'x');
        assert_int_equal(web->vcpu[0]->pause, 0);
        if (v->pause) {
            assert_int_equal(v->pause, VPAUSE_WAIT);
            waits++;
            for (unsigned int t = 0; v->pause; t++) {
                assert_in_range(t, 0, 20);
                console_time(MSEC(1));
            }
        }
    }
    assert_in_range(screen_used, 40000 * 86 / 80, 40000 * 87 / 80);
    /* 43,000 characters, 16 KiB of them at once: 0.4 s */
    assert_in_range(sim_now(), MSEC(380), MSEC(450));
    assert_in_range(waits, 10, 60);
}

static void call_waits(void **state)
{
    struct domain *web = console_domain(1, "web", 1);
    uint64_t arg[CALL_ARGS] = {CONSOLEIO_write, 4 * PAGE_SIZE, 0};
    unsigned int waits = 0;
    long result;

    for (unsigned int gfn = 0; gfn < 4; gfn++)
        for (unsigned int i = 0; i < PAGE_SIZE; i++)
            ((char *)fixture_gfn(web, gfn))[i] = i % 8 == 7 ? '\n' : 'a';
    while ((result = console_call(web, arg[0], arg[1], arg[2], arg)) == CALL_RESTART) {
        assert_int_equal(arg[1] + arg[2], 4 * PAGE_SIZE); /* goes on where it was */
        if (!web->vcpu[0]->pause)                         /* merely interrupted */
            pcpu_shared[0].work = 0, web->vcpu[0]->work = 0;
        else
            waits++;
        for (unsigned int t = 0; web->vcpu[0]->pause; t++) {
            assert_in_range(t, 0, 20);
            console_time(MSEC(1));
        }
        assert_in_range(waits, 0, 100);
    }
    assert_int_equal(result, 0);
    assert_in_range(waits, 2, 50);
    assert_int_equal(screen_used, 4 * PAGE_SIZE / 8 * 14);
}

/* The device is full: guests wait, Krypton's lines are written. */
static void full_device(void **state)
{
    struct domain *web = console_domain(1, "web", 1);

    screen_room = 4096;
    ring_print(web, "later\n");
    bus_write(web->vcpu[0], BUS_PORT, 0xe9, 1, 'p');
    assert_int_equal(web->vcpu[0]->pause, VPAUSE_WAIT);
    assert_int_equal(ring_of(web)->out_cons, 0);
    log_info("now");
    screen_is("(KR) now\n");
    console_time(MSEC(100));
    assert_int_equal(web->vcpu[0]->pause, VPAUSE_WAIT & web->vcpu[0]->pause);
    screen_room = 10000;
    console_time(MSEC(30));
    assert_int_equal(web->vcpu[0]->pause, 0);
    assert_int_equal(ring_of(web)->out_cons, 6);
    screen_is("(web) plater\n");
}

/* The guest's end frees a vCPU's wait and its timers. */
static void dies_waiting(void **state)
{
    struct domain *web = console_domain(1, "web", 1);

    params.console_rate = 128;
    flood(web, line80, MSEC(5));
    while (!web->vcpu[0]->pause)
        bus_write(web->vcpu[0], BUS_PORT, 0xe9, 1, 'x');
    fixture_kill(web);
    console_time(SEC(10));
}

/* Any pattern of use keeps to rate * time + burst, and slow rates do not stand still. */
static void bucket(void **state)
{
    static const uint64_t rates[] = {128, 1000, KIB(64), 12345678, GIB(1)};

    for (unsigned int r = 0; r < ARRAY_SIZE(rates); r++) {
        struct bucket b;
        nsec_t now = 17, start = now;
        uint64_t spent = 0;

        bucket_init(&b, rates[r], 4096, now);
        assert_int_equal(bucket_budget(&b, now), 4096);
        for (unsigned int i = 0; i < 200000; i++) {
            size_t n = min(bucket_budget(&b, now), (size_t)(rand() % 200));

            bucket_spend(&b, n);
            spent += n;
            assert_true(bucket_ready(&b, now) >= now);
            now += rand() % 20000;
        }
        double limit = (double)rates[r] * (double)(now - start) / 1e9 + 4096;
        assert_true((double)spent <= limit + 1);
        if (rates[r] <= KIB(64))
            assert_true((double)spent >= limit - 4200);
        while (bucket_budget(&b, now))
            bucket_spend(&b, bucket_budget(&b, now));
        bucket_spend(&b, 300); /* in debt */
        now = bucket_ready(&b, now);
        assert_true(bucket_budget(&b, now) >= 4096 / 16);
        assert_int_equal(bucket_ready(&b, now), now);
    }
}

UNIT_MAIN(CONSOLE_TEST(rate), CONSOLE_TEST(raw_is_limited_too), CONSOLE_TEST(nothing_lost),
          CONSOLE_TEST(port_waits), CONSOLE_TEST(call_waits), CONSOLE_TEST(full_device),
          CONSOLE_TEST(dies_waiting), cmocka_unit_test(bucket))

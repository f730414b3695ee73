/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host/time_math.c: a renewed stamp goes on without a step, meets the platform clock a second
 * later and never sets time back; the CMOS clock's registers are read in all four formats.
 */
#include "unit/unit.h"

#include "abi/xen.h"
#include "host/time.h"

static nsec_t stamp_at(const struct time_stamp *s, uint64_t ticks)
{
    return s->base_ns + (nsec_t)time_scale_apply(s->scale, ticks);
}

/* A TSC of hz; the CPU's clock is off by `error` at the renewal. */
static void renewal(uint64_t hz, nsec_t error)
{
    struct time_sample last = {1000, SEC(5)}, now = {1000 + hz, SEC(6)};
    struct time_stamp s;
    nsec_t own = now.ns + error;

    assert_true(time_restamp(&last, &now, own, &s));
    if (error >= -MSEC(100))
        assert_int_equal(s.base_ns, own);
    assert_true(s.base_ns >= own);
    nsec_t left = stamp_at(&s, hz) - SEC(7);
    if (error <= MSEC(50) && error >= -MSEC(50))
        assert_in_range(left + 10, 0, 20); /* meets it, to the scale's precision */
    else
        assert_true(llabs(left) < llabs(error));
    nsec_t before = s.base_ns; /* and rises all the way */
    for (uint64_t t = hz / 16; t <= hz; t += hz / 16) {
        assert_true(stamp_at(&s, t) > before);
        before = stamp_at(&s, t);
    }
}

static void restamp(void **state)
{
    static const uint64_t hz[] = {20000000, 1000000000, 2593906000, 5000000000};
    static const nsec_t error[] = {0,         1,        -1,        5000,   -5000,  MSEC(20),
                                   -MSEC(20), MSEC(90), -MSEC(90), SEC(3), -SEC(3)};

    for (size_t i = 0; i < ARRAY_SIZE(hz); i++)
        for (size_t j = 0; j < ARRAY_SIZE(error); j++)
            renewal(hz[i], error[j]);
}

static void restamp_refuses(void **state)
{
    struct time_stamp s;
    struct time_sample a = {1000, SEC(1)};

    assert_false(time_restamp(&a, &(struct time_sample){2000, SEC(1)}, SEC(1), &s));
    assert_false(time_restamp(&a, &(struct time_sample){1000, SEC(2)}, SEC(2), &s));
    assert_false(time_restamp(&a, &(struct time_sample){900, SEC(2)}, SEC(2), &s));
    assert_false(time_restamp(&a, &(struct time_sample){1010, SEC(2)}, SEC(2), &s));
    assert_false(time_restamp(&a, &(struct time_sample){UINT64_MAX, SEC(2)}, SEC(2), &s));
}

static void rtc(void **state)
{
    static const struct {
        struct rtc_registers r;
        uint64_t seconds;
    } good[] = {
        {{0, 0, 0, 1, 1, 0x70, 2}, 0},
        {{0x56, 0x34, 0x12, 0x25, 0x11, 0x26, 2}, 1795610096},        /* 2026-11-25 12:34:56 */
        {{56, 34, 12, 25, 11, 26, 6}, 1795610096},                    /* binary */
        {{0x56, 0x34, 0x12 | 0x80, 0x25, 0x11, 0x26, 0}, 1795610096}, /* 12 h: noon is 12 PM */
        {{0, 0, 0x12, 1, 1, 0x70, 0}, 0},                             /* midnight is 12 AM */
        {{59, 59, 11 | 0x80, 28, 2, 0, 4}, 951782399},                /* 2000-02-28 23:59:59 */
        {{0, 0, 0, 0x29, 2, 0, 2}, 951782400},                        /* the leap day */
        {{0, 0, 0, 1, 3, 0, 2}, 951868800},
        {{0x59, 0x59, 0x23, 0x31, 0x12, 0x69, 2}, 3155759999},
    };
    static const struct rtc_registers bad[] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, /* no CMOS clock */
        {0, 0, 0, 0, 0, 0, 0},
        {0x60, 0, 0, 1, 1, 1, 2},
        {0, 0x60, 0, 1, 1, 1, 2},
        {0, 0, 0x24, 1, 1, 1, 2},
        {0, 0, 0x13, 1, 1, 1, 0},
        {0, 0, 0, 0x32, 1, 1, 2},
        {0, 0, 0, 1, 0x13, 1, 2},
    };
    uint64_t seconds;

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_int_equal(rtc_decode(&good[i].r, &seconds), 0);
        assert_int_equal(seconds, good[i].seconds);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(rtc_decode(&bad[i], &seconds), -XEN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(restamp), cmocka_unit_test(restamp_refuses),
                                       cmocka_unit_test(rtc)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

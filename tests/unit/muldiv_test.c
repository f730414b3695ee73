/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/muldiv.h: scales are normalised and exact to 2^-31 for real TSC, HPET and PM timer rates in
 * both directions; muldiv equals 128-bit arithmetic and saturates.
 */
#include "unit/unit.h"

#include "lib/muldiv.h"

static void scales(void **state)
{
    static const uint64_t rates[] = {1,         1000,       3579545,    14318180,      1000000000,
                                     999999999, 1000000001, 2400000000, 5123456789ULL, 1ULL << 32};
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
        for (size_t j = 0; j < ARRAY_SIZE(rates); j++) {
            struct time_scale s = time_scale_make(rates[i], rates[j]);
            assert_true(s.mul >> 31);
            /* The value of the scale is within 2^-31 below to/from. */
            double have = (double)s.mul * (s.shift >= 0 ? (double)(1ULL << s.shift)
                                                        : 1.0 / (double)(1ULL << -s.shift));
            double want = (double)rates[j] / (double)rates[i] * 4294967296.0;
            assert_true(have <= want * (1 + 1e-15));
            assert_true(want - have <= want / 2147483648.0 + 1e-9);
        }
    struct time_scale same = time_scale_make(1000000000, 1000000000);
    assert_int_equal(same.mul, 0x80000000);
    assert_int_equal(same.shift, 1);
    assert_int_equal(time_scale_apply(same, 12345), 12345);
    struct time_scale tsc = time_scale_make(2000000000, 1000000000);
    assert_int_equal(time_scale_apply(tsc, 1ULL << 62), 1ULL << 61);
    struct time_scale slow = time_scale_make(1000000000, 1);
    assert_int_equal(time_scale_apply(slow, 10000000000ULL), 9); /* rounded down */
}

static void products(void **state)
{
    srand(2);
    for (int i = 0; i < 20000; i++) {
        uint64_t a = ((uint64_t)rand() << 33 ^ (uint64_t)rand() << 11) >> rand() % 60;
        uint64_t b = ((uint64_t)rand() << 33 ^ (uint64_t)rand() << 11) >> rand() % 60;
        uint64_t c = (((uint64_t)rand() << 33 ^ (uint64_t)rand() << 11) >> rand() % 60) + 1;
        unsigned __int128 want = (unsigned __int128)a * b / c;
        assert_int_equal(muldiv(a, b, c), want >> 64 ? UINT64_MAX : (uint64_t)want);
    }
    assert_int_equal(muldiv(5, 6, 0), UINT64_MAX);
    assert_int_equal(muldiv(~0ULL, ~0ULL, ~0ULL), ~0ULL);
    assert_int_equal(muldiv(~0ULL, 2, 1), UINT64_MAX);
}

UNIT_MAIN(cmocka_unit_test(scales), cmocka_unit_test(products))

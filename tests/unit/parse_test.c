/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/parse.c: values at the limits are taken, one beyond is -ERANGE, other text is -EINVAL, and a
 * failed parse leaves the result alone.
 */
#include "unit/unit.h"

#include "abi/xen.h"
#include "lib/bits.h"
#include "lib/parse.h"

static void numbers(void **state)
{
    uint64_t v = 77;
    assert_int_equal(parse_u64("0", &v), 0);
    assert_int_equal(v, 0);
    assert_int_equal(parse_u64("18446744073709551615", &v), 0);
    assert_int_equal(v, UINT64_MAX);
    assert_int_equal(parse_u64("0xFFFFffffFFFFffff", &v), 0);
    assert_int_equal(v, UINT64_MAX);
    v = 77;
    assert_int_equal(parse_u64("18446744073709551616", &v), -XEN_ERANGE);
    assert_int_equal(parse_u64("0x10000000000000000", &v), -XEN_ERANGE);
    static const char *const bad[] = {"", " 1", "1 ", "-1", "+1", "0x", "x", "1f", "0xg", "1.5"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(parse_u64(bad[i], &v), -XEN_EINVAL);
    assert_int_equal(v, 77);

    uint32_t w = 5;
    assert_int_equal(parse_u32("4294967295", &w), 0);
    assert_int_equal(w, UINT32_MAX);
    assert_int_equal(parse_u32("4294967296", &w), -XEN_ERANGE);

    const char *p = "115200,8n1";
    assert_int_equal(parse_number(&p, &v), 0);
    assert_int_equal(v, 115200);
    assert_string_equal(p, ",8n1");
    assert_int_equal(parse_number(&p, &v), -XEN_EINVAL);
    assert_string_equal(p, ",8n1");
}

static void sizes(void **state)
{
    uint64_t v = 77;
    assert_int_equal(parse_size("12", &v), 0);
    assert_int_equal(v, 12);
    assert_int_equal(parse_size("12B", &v), 0);
    assert_int_equal(v, 12);
    assert_int_equal(parse_size("3k", &v), 0);
    assert_int_equal(v, 3072);
    assert_int_equal(parse_size("256M", &v), 0);
    assert_int_equal(v, MIB(256));
    assert_int_equal(parse_size("2G", &v), 0);
    assert_int_equal(v, GIB(2));
    assert_int_equal(parse_size("16777215T", &v), 0);
    assert_int_equal(v, 16777215ULL << 40);
    assert_int_equal(parse_size("16777216T", &v), -XEN_ERANGE);
    static const char *const bad[] = {"", "M", "12Q", "12MB", "12 M", "-1M", "1.5G", "1\x02"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(parse_size(bad[i], &v), -XEN_EINVAL);
}

static void booleans(void **state)
{
    static const char *const yes[] = {"1", "yes", "on", "true", "enable"};
    static const char *const no[] = {"0", "no", "off", "false", "disable"};
    static const char *const bad[] = {"", "2", "y", "yess", "ON "};
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        assert_int_equal(parse_bool(yes[i]), 1);
        assert_int_equal(parse_bool(no[i]), 0);
        assert_int_equal(parse_bool(bad[i]), -XEN_EINVAL);
    }
}

static void bitmaps(void **state)
{
    uint64_t map[2];
    assert_int_equal(parse_bitmap("0-1", map, 100), 0);
    assert_int_equal(map[0], 3);
    assert_int_equal(map[1], 0);
    assert_int_equal(parse_bitmap("99,3,60-70", map, 100), 0);
    assert_int_equal(map[0], BIT(3) | BITS(60, 63));
    assert_int_equal(map[1], BITS(0, 6) | BIT(35));
    assert_int_equal(parse_bitmap("100", map, 100), -XEN_ERANGE);
    assert_int_equal(parse_bitmap("0-18446744073709551615", map, 100), -XEN_ERANGE);
    static const char *const bad[] = {"", ",", "1,", "1-", "-1", "2-1", "a", "1;2"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(parse_bitmap(bad[i], map, 100), -XEN_EINVAL);
}

static void splitting(void **state)
{
    char buf[6];
    const char *p = "  one,two \t three333 x ";
    assert_int_equal(parse_word(&p, ' ', buf, sizeof(buf)), -XEN_ERANGE);
    assert_string_equal(buf, "one,t");
    assert_int_equal(parse_word(&p, ' ', buf, sizeof(buf)), -XEN_ERANGE);
    assert_string_equal(buf, "three");
    assert_int_equal(parse_word(&p, ' ', buf, sizeof(buf)), 1);
    assert_string_equal(buf, "x");
    assert_int_equal(parse_word(&p, ' ', buf, sizeof(buf)), 0);
    assert_int_equal(parse_word(&p, ' ', buf, sizeof(buf)), 0);
    assert_string_equal(p, "");
    p = "a,,b";
    assert_int_equal(parse_word(&p, ',', buf, sizeof(buf)), 1);
    assert_int_equal(parse_word(&p, ',', buf, sizeof(buf)), 1);
    assert_string_equal(buf, "b");

    assert_string_equal(parse_value_of("memory=1G", "memory"), "1G");
    assert_string_equal(parse_value_of("memory=", "memory"), "");
    assert_null(parse_value_of("memory", "memory"));
    assert_null(parse_value_of("memoryx=1", "memory"));
    assert_null(parse_value_of("mem=1", "memory"));
}

UNIT_MAIN(cmocka_unit_test(numbers), cmocka_unit_test(sizes), cmocka_unit_test(booleans),
          cmocka_unit_test(bitmaps), cmocka_unit_test(splitting))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/format.c writes what the C library's snprintf writes, for every conversion and flag that it
 * has, cuts at the buffer's end, and copies unknown conversions without taking an argument.
 */
#include "unit/unit.h"

#include "lib/format.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

#define SAME(fmt, ...)                                                   \
    do {                                                                 \
        char want[128], got[128];                                        \
        int n = snprintf(want, sizeof(want), fmt, __VA_ARGS__);          \
        assert_int_equal(format(got, sizeof(got), fmt, __VA_ARGS__), n); \
        assert_string_equal(got, want);                                  \
    } while (0)

static void integers(void **state)
{
    static const char *const flags[] = {"",   "-",   "0",   "+",  " ",  "8",    "-8",   "08",
                                        "+8", "-+8", "+08", ".0", ".5", "8.5",  "-8.5", "08.5",
                                        "#",  "#8",  "#08", "1",  "20", "20.10"};
    static const char *const types[] = {"d", "i", "u", "x", "X"};
    static const long long values[] = {0,
                                       1,
                                       -1,
                                       9,
                                       10,
                                       255,
                                       256,
                                       -128,
                                       65535,
                                       0x7fffffff,
                                       -0x80000000LL,
                                       0x123456789abcdefLL,
                                       INT64_MIN,
                                       INT64_MAX};
    char fmt[32];
    for (size_t f = 0; f < sizeof(flags) / sizeof(*flags); f++)
        for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++)
            for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
                static const char *const lengths[] = {"hh", "h", ""};
                for (size_t l = 0; l < 3; l++) {
                    snprintf(fmt, sizeof(fmt), "<%%%s%s%s>", flags[f], lengths[l], types[t]);
                    SAME(fmt, (int)values[v]);
                }
                snprintf(fmt, sizeof(fmt), "<%%%sl%s>", flags[f], types[t]);
                SAME(fmt, (long)values[v]);
                snprintf(fmt, sizeof(fmt), "<%%%sll%s>", flags[f], types[t]);
                SAME(fmt, values[v]);
                snprintf(fmt, sizeof(fmt), "<%%%sz%s>", flags[f], types[t]);
                SAME(fmt, (size_t)values[v]);
            }
}

static void text(void **state)
{
    SAME("%s|%8s|%-8s|%.2s|%8.2s|%-8.2s|", "abc", "abc", "abc", "abc", "abc", "abc");
    SAME("%c%3c%-3c|%%", 'x', 'y', 'z');
    SAME("%*d|%-*d|%.*d|%*.*d", 5, 42, 5, 42, 3, 7, 6, 3, 7);
    SAME("%*d|%.*d", -5, 42, -1, 42);
    SAME("%p %20p", (void *)0x1234, (void *)~0UL);
    SAME("a%sb%sc", "", "12345");
    char got[32];
    const char *volatile none = NULL;
    format(got, sizeof(got), "%s", none);
    assert_string_equal(got, "(null)");
    /* A precision bounds the read as well. */
    char *bare = malloc(3);
    assert_non_null(bare);
    memcpy(bare, "xyz", 3);
    format(got, sizeof(got), "%.3s", bare);
    assert_string_equal(got, "xyz");
    free(bare);
}

static void cut(void **state)
{
    char got[6] = "#####";
    assert_int_equal(format(got, 0, "%d", 123), 3);
    assert_int_equal(got[0], '#');
    assert_int_equal(format(got, 1, "%d", 123), 3);
    assert_string_equal(got, "");
    assert_int_equal(format(got, 4, "%d", 123456), 6);
    assert_string_equal(got, "123");
    assert_int_equal(got[4], '#');
}

static void unknown(void **state)
{
    char got[32];
    format(got, sizeof(got), "%q %5n %d%", 7);
    assert_string_equal(got, "%q %5n 7%");
    format(got, sizeof(got), "%99999999999999999999q", 7);
    assert_string_equal(got, "%99999999999999999999q");
}

UNIT_MAIN(cmocka_unit_test(integers), cmocka_unit_test(text), cmocka_unit_test(cut),
          cmocka_unit_test(unknown))

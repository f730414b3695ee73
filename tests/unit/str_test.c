/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/str.c: str_copy terminates always, tells whether all fitted, and reads no further than it
 * must (ASan watches the unterminated source).
 */
#include "unit/unit.h"

#include "lib/string.h"

static void copy(void **state)
{
    char buf[4];
    assert_true(str_copy(buf, "abc", sizeof(buf)));
    assert_string_equal(buf, "abc");
    assert_false(str_copy(buf, "wxyz", sizeof(buf)));
    assert_string_equal(buf, "wxy");
    assert_true(str_copy(buf, "", sizeof(buf)));
    assert_string_equal(buf, "");
    assert_false(str_copy(NULL, "x", 0));

    char *bare = malloc(4);
    assert_non_null(bare);
    memset(bare, 'q', 4);
    assert_false(str_copy(buf, bare, sizeof(buf)));
    assert_string_equal(buf, "qqq");
    free(bare);
}

UNIT_MAIN(cmocka_unit_test(copy))

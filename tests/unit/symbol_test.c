/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/symbol.c: an address belongs to the last function that starts at or before it.
 */
#include "unit/unit.h"

#include "core/symbol.h"

static const uint32_t offset[] = {0x10, 0x20, 0x21, 0x1000}, name[] = {0, 2, 4, 6};
static const struct symbol_table table = {4, offset, name, "a\0b\0c\0d"};

static void find(void **state)
{
    static const struct {
        uint32_t at;
        const char *name;
        uint32_t inside;
    } row[] = {{0x10, "a", 0},      {0x1f, "a", 15},  {0x20, "b", 0},          {0x21, "c", 0},
               {0xfff, "c", 0xfde}, {0x1000, "d", 0}, {~0u, "d", ~0u - 0x1000}};
    uint32_t inside;

    for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
        assert_string_equal(symbol_find(&table, row[i].at, &inside), row[i].name);
        assert_int_equal(inside, row[i].inside);
    }
    assert_null(symbol_find(&table, 0xf, &inside));
    assert_null(symbol_find(&(struct symbol_table){0}, 0x10, &inside));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(find)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

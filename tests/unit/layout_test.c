/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things lie in a boot-time guest: nothing overlaps, all low RAM that is not the loader's or
 * the ramdisk's is heap, the figure for a memory that is too small is the least that is accepted,
 * and the loader's page tables map what abi/loader.h promises and fit into their pages.
 */
#include "unit.h"

#include "boot/layout.h"

#define LOADER_SIZE KIB(300)

static void check(uint64_t memory, uint64_t ramdisk, uint64_t module)
{
    static uint64_t table[LAYOUT_TABLES][512];
    struct guest_layout l;
    struct loader_info info;
    uint64_t least;

    assert_true(layout_compute(&l, memory, ramdisk, module, LOADER_SIZE, &least));
    assert_int_equal(l.low_end + (l.high_end - GIB(4)), memory);
    assert_true(LAYOUT_HEAP + LOADER_HEAP_MIN <= l.ramdisk);
    assert_int_equal(l.ramdisk_size, ramdisk);
    assert_true(l.ramdisk + ramdisk <= l.tables && l.tables - l.ramdisk - ramdisk < PAGE_SIZE);
    assert_int_equal(l.info - l.tables, LAYOUT_TABLES * PAGE_SIZE);
    assert_int_equal(l.image - l.info, PAGE_SIZE);
    assert_int_equal(l.stack - l.image, LOADER_SIZE);
    assert_int_equal(l.low_end - l.stack, LOADER_STACK_SIZE);
    assert_true(l.module >= l.high_end && IS_ALIGNED(l.module, GIB(1)));

    layout_loader_info(&l, &info);
    assert_int_equal(info.heap, LAYOUT_HEAP);
    assert_int_equal(info.heap + info.heap_size, l.ramdisk);
    assert_int_equal(info.ram[0].end, l.low_end);
    assert_int_equal(info.reserved[1].start, l.ramdisk);
    assert_int_equal(info.reserved[1].end, l.low_end);

    memset(table, 0, sizeof(table));
    layout_tables(&l, table, LOADER_SIZE);
    for (size_t i = 0; i < LAYOUT_TABLES; i++)
        for (size_t j = 0; j < 512; j++) {
            uint64_t to = table[i][j] & ~0xfffULL;
            if ((table[i][j] & 0x81) == 1 && to < l.image) /* a table; large pages are RAM */
                assert_in_range(to, l.tables + PAGE_SIZE, l.info - PAGE_SIZE);
        }
}

static void test_layout(void **state)
{
    check(MIB(32), 0, 1);
    check(MIB(64), MIB(20) + 1, MIB(8));
    check(MIB(160), 4096, MIB(60));
    check(LAYOUT_LOW_END, MIB(1), MIB(300));
    check(GIB(8), GIB(1), GIB(1));
}

static void test_least(void **state)
{
    static const uint64_t disks[] = {0, 1, 4096, MIB(200) + 5};
    struct guest_layout l;
    uint64_t least, again;

    for (size_t i = 0; i < ARRAY_SIZE(disks); i++) {
        assert_false(layout_compute(&l, MIB(1), disks[i], 1, LOADER_SIZE, &least));
        assert_false(layout_compute(&l, least - PAGE_SIZE, disks[i], 1, LOADER_SIZE, &again));
        assert_int_equal(again, least);
        check(least, disks[i], 1);
    }
    assert_false(layout_compute(&l, MIB(64), ~0ULL, 1, LOADER_SIZE, &least));
    assert_false(layout_compute(&l, GIB(8), LAYOUT_LOW_END, 1, LOADER_SIZE, &least));
}

UNIT_MAIN(cmocka_unit_test(test_layout), cmocka_unit_test(test_least))

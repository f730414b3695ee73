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

/* As the CPU does it; false: nothing is mapped there. */
static bool walk(const struct guest_layout *l, uint64_t table[LAYOUT_TABLES][512], uint64_t va,
                 uint64_t *to, bool *write)
{
    const uint64_t frame = 0x000ffffffffff000;
    uint64_t t = 0;

    *write = true;
    for (unsigned int shift = 39;; shift -= 9) {
        uint64_t pte = table[t][va >> shift & 511];
        if (!(pte & 1))
            return false;
        *write = *write && (pte & 2);
        if (shift == 12 || pte & 0x80) {
            *to = (pte & frame) + (va & ((1ULL << shift) - 1));
            return true;
        }
        t = ((pte & frame) - l->tables) >> 12;
        assert_true(t < LAYOUT_TABLES);
    }
}

static uint64_t random64(uint64_t limit)
{
    return ((uint64_t)rand() << 40 ^ (uint64_t)rand() << 20 ^ (uint64_t)rand()) % limit;
}

/* RAM and the module where they are, the module read-only, the image at its address, no more. */
static void check_maps(const struct guest_layout *l)
{
    static uint64_t table[LAYOUT_TABLES][512];
    uint64_t to;
    bool write;

    memset(table, 0, sizeof(table));
    layout_tables(l, table, LOADER_SIZE);
    for (unsigned int i = 0; i < 50; i++) {
        uint64_t va = i < 2 ? i * (l->low_end - 1) : random64(l->low_end);
        assert_true(walk(l, table, va, &to, &write) && write);
        assert_int_equal(to, va);
        va = l->module + (i < 2 ? i * (l->module_size - 1) : random64(l->module_size));
        assert_true(walk(l, table, va, &to, &write) && !write);
        assert_int_equal(to, va);
        va = random64(LOADER_SIZE);
        assert_true(walk(l, table, LOADER_VIRT + va, &to, &write) && write);
        assert_int_equal(to, l->image + va);
    }
    assert_false(walk(l, table, ALIGN_UP(l->low_end, MIB(2)), &to, &write));
    assert_false(walk(l, table, l->module - 1, &to, &write));
    assert_false(walk(l, table, l->module + ALIGN_UP(l->module_size, MIB(2)), &to, &write));
    assert_false(walk(l, table, LOADER_VIRT - 1, &to, &write));
    assert_false(walk(l, table, LOADER_VIRT + LOADER_SIZE, &to, &write));
}

static void test_any_size(void **state)
{
    struct guest_layout l;
    uint64_t least;
    unsigned int fits = 0;

    srand(1);
    for (int i = 0; i < 3000; i++) {
        uint64_t memory = random64(1ULL << (20 + rand() % 22)) & PAGE_MASK;
        uint64_t ramdisk = rand() % 2 ? random64(MIB(1) << rand() % 12) : random64(memory + 1);
        uint64_t module = 1 + random64(1ULL << (rand() % 31 + 1));
        bool ok = layout_compute(&l, memory, ramdisk, module, LOADER_SIZE, &least);

        if (!ok && least > LAYOUT_LOW_END)
            continue; /* more than fits below 4 GiB */
        if (!ok) {
            assert_true(least > memory);
            memory = ALIGN_UP(least, PAGE_SIZE);
        }
        check(memory, ramdisk, module);
        fits += ok;
        if (ok && i % 50 == 0)
            check_maps(&l);
    }
    assert_true(fits > 500);
}

static void test_absurd(void **state)
{
    static const uint64_t sizes[] = {~0ULL, ~0ULL - 4095, ~0ULL - 4096, ~0ULL - MIB(4), 1ULL << 63};
    struct guest_layout l;
    uint64_t least;

    assert_false(layout_compute(&l, 0, 0, 0, LOADER_SIZE, &least));
    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
        assert_false(layout_compute(&l, GIB(2), sizes[i], 0, LOADER_SIZE, &least));
}

UNIT_MAIN(cmocka_unit_test(test_layout), cmocka_unit_test(test_least),
          cmocka_unit_test(test_any_size), cmocka_unit_test(test_absurd))

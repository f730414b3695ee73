/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot/memmap.c: overlaps are resolved for safety, alignment never adds RAM, limits are kept; and
 * on random maps the result agrees with a page-by-page model.
 */
#include "unit/unit.h"

#include "boot/memmap.h"

static struct memmap map;

static void expect(const struct memmap_range *want, unsigned int nr)
{
    assert_int_equal(map.nr, nr);
    for (unsigned int i = 0; i < nr; i++) {
        assert_int_equal(map.ranges[i].base, want[i].base);
        assert_int_equal(map.ranges[i].size, want[i].size);
        assert_int_equal(map.ranges[i].type, want[i].type);
    }
}

static void typical(void **state)
{
    static const struct memmap_range raw[] = {
        {0x100000, 0x7fe00000 - 0x100000, MEMMAP_RAM},
        {0, 0x9fc00, MEMMAP_RAM},
        {0x9fc00, 0x400, MEMMAP_RESERVED},
        {0xf0000, 0x10000, MEMMAP_RESERVED},
        {0x7fe00000, 0x200000, MEMMAP_RESERVED},
        {0x100000000, 0x80000000, MEMMAP_RAM},
        {0xfd00000000, 0x300000000, MEMMAP_RESERVED},
        {0x180000000, 0x40000000, MEMMAP_RAM}, /* adjacent: merged */
        {0x5000, 0, MEMMAP_RESERVED},
    };
    static const struct memmap_range want[] = {
        {0, 0x9f000, MEMMAP_RAM},
        {0x9f000, 0x1000, MEMMAP_RESERVED},
        {0xf0000, 0x10000, MEMMAP_RESERVED},
        {0x100000, 0x7fd00000, MEMMAP_RAM},
        {0x7fe00000, 0x200000, MEMMAP_RESERVED},
        {0x100000000, 0xc0000000, MEMMAP_RAM},
        {0xfd00000000, 0x300000000, MEMMAP_RESERVED},
    };
    memmap_sanitize(&map, raw, ARRAY_SIZE(raw), 48);
    expect(want, ARRAY_SIZE(want));
    assert_int_equal(memmap_type_at(&map, 0x9efff), MEMMAP_RAM);
    assert_int_equal(memmap_type_at(&map, 0x9f000), MEMMAP_RESERVED);
    assert_int_equal(memmap_type_at(&map, 0xa0000), 0);
    memmap_sanitize(&map, raw, ARRAY_SIZE(raw), 32);
    expect(want, 5);
}

static void overlaps(void **state)
{
    static const struct memmap_range raw[] = {
        {0x0, 0x100000, MEMMAP_RAM},        {0x20000, 0x20000, MEMMAP_ACPI},
        {0x30000, 0x20000, MEMMAP_NVS},     {0x48000, 0x10, 77}, /* unknown: reserved */
        {0x10000, 0x1000, MEMMAP_UNUSABLE}, {0x10000, 0x1000, MEMMAP_RAM},
    };
    static const struct memmap_range want[] = {
        {0, 0x10000, MEMMAP_RAM},       {0x10000, 0x1000, MEMMAP_UNUSABLE},
        {0x11000, 0xf000, MEMMAP_RAM},  {0x20000, 0x10000, MEMMAP_ACPI},
        {0x30000, 0x18000, MEMMAP_NVS}, {0x48000, 0x1000, MEMMAP_RESERVED},
        {0x49000, 0x7000, MEMMAP_NVS},  {0x50000, 0xb0000, MEMMAP_RAM},
    };
    memmap_sanitize(&map, raw, ARRAY_SIZE(raw), 48);
    expect(want, ARRAY_SIZE(want));
}

static void limits(void **state)
{
    static const struct memmap_range raw[] = {
        {0xfc00000000, 0x500000000, MEMMAP_RAM}, /* over the HyperTransport window */
        {0x1234, 0x800, MEMMAP_RAM},             /* less than a page */
        {~0ULL - 10, 10, MEMMAP_RAM},
        {0x8000000000000, ~0ULL, MEMMAP_RESERVED}, /* wraps */
    };
    static const struct memmap_range want[] = {
        {0xfc00000000, 0x100000000, MEMMAP_RAM},
        {0xfd00000000, 0x300000000, MEMMAP_RESERVED},
        {0x10000000000, 0x100000000, MEMMAP_RAM},
        {0x8000000000000, 0x8000000000000, MEMMAP_RESERVED},
    };
    memmap_sanitize(&map, raw, ARRAY_SIZE(raw), 64);
    expect(want, 4);
    memmap_sanitize(&map, raw, ARRAY_SIZE(raw), 40);
    expect(want, 2);
    memmap_sanitize(&map, raw, 0, 40);
    assert_int_equal(map.nr, 0);
}

#define PAGES 64

static void random_maps(void **state)
{
    static struct memmap_range raw[MEMMAP_MAX_RAW + 9];
    srand(3);
    for (int round = 0; round < 300; round++) {
        unsigned int nr = round % 10 ? (unsigned int)rand() % 12 : ARRAY_SIZE(raw);
        unsigned int used = nr < MEMMAP_MAX_RAW ? nr : MEMMAP_MAX_RAW;
        for (unsigned int i = 0; i < nr; i++)
            raw[i] = (struct memmap_range){.base = (unsigned int)rand() % (PAGES * 4096),
                                           .size = (unsigned int)rand() % (PAGES * 1024),
                                           .type = (unsigned int)rand() % 6};
        memmap_sanitize(&map, raw, nr, 48);
        uint64_t last = 0;
        for (unsigned int i = 0; i < map.nr; i++) {
            const struct memmap_range *r = &map.ranges[i];
            assert_true(r->size && IS_ALIGNED(r->base | r->size, PAGE_SIZE) && r->base >= last);
            assert_true(!i || r->base > last || r->type != map.ranges[i - 1].type);
            last = r->base + r->size;
        }
        /* RAM is exactly: wholly inside one RAM range, touched by nothing else. */
        for (uint64_t at = 0; at < PAGES * 4096ULL; at += 4096) {
            bool ram = false, other = false;
            for (unsigned int i = 0; i < used; i++) {
                uint64_t start = raw[i].base, end = start + raw[i].size;
                if (raw[i].type == MEMMAP_RAM)
                    ram |= start <= at && end >= at + 4096;
                else
                    other |= start < end && start < at + 4096 && end > at;
            }
            assert_int_equal(memmap_type_at(&map, at) == MEMMAP_RAM, ram && !other);
            assert_int_equal(memmap_type_at(&map, at) > MEMMAP_RAM, other);
        }
    }
}

UNIT_MAIN(cmocka_unit_test(typical), cmocka_unit_test(overlaps), cmocka_unit_test(limits),
          cmocka_unit_test(random_maps))

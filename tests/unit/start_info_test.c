/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot/start_info.h: what a PVH kernel finds at the address in ebx (public start_info.h) is
 * complete, inside its two pages, and agrees with the memory map that the hypercall gives.
 */
#include "unit/lab.h"

#include "boot/memmap.h"
#include "boot/start_info.h"

static uint8_t ram[2 * PAGE_SIZE];

static void read_back(struct domain *d)
{
    for (uint64_t i = 0; i < 2; i++)
        memcpy(ram + i * PAGE_SIZE,
               sim_phys(p2m_lookup(d, _gfn((LAYOUT_START_INFO >> 12) + i)).mfn), PAGE_SIZE);
}

static const void *at(uint64_t gpa, size_t n)
{
    assert_true(gpa >= LAYOUT_START_INFO && gpa + n <= LAYOUT_START_INFO + sizeof(ram));
    return ram + (gpa - LAYOUT_START_INFO);
}

static void check(uint64_t memory, uint64_t ramdisk, const char *cmdline)
{
    struct guest_layout l;
    uint64_t least, end = 0, sum = 0;
    struct domain *d = lab_domain(1, 1, 0xa0);

    assert_true(layout_compute(&l, memory, ramdisk, 1000, 100000, &least));
    sim_alloc_fail = 1;
    assert_int_equal(start_info_map(d, &l), -XEN_ENOMEM);
    sim_alloc_fail = 0;
    assert_int_equal(start_info_map(d, &l), 0);
    assert_int_equal(start_info_write(d, &l, cmdline), 0);
    read_back(d);

    const struct hvm_start_info *info = at(LAYOUT_START_INFO, sizeof(*info));
    assert_int_equal(info->magic, XEN_HVM_START_MAGIC_VALUE);
    assert_int_equal(info->version, 1);
    assert_int_equal(info->flags, 0);
    assert_int_equal(info->rsdp_paddr, LAYOUT_ACPI);
    assert_string_equal(at(info->cmdline_paddr, strlen(cmdline) + 1), cmdline);
    assert_int_equal(info->nr_modules, ramdisk ? 1 : 0);
    if (ramdisk) {
        const struct hvm_modlist_entry *m = at(info->modlist_paddr, sizeof(*m));
        assert_int_equal(m->paddr, l.ramdisk);
        assert_int_equal(m->size, ramdisk);
        assert_int_equal(m->cmdline_paddr, 0);
    }
    const struct hvm_memmap_table_entry *map =
        at(info->memmap_paddr, info->memmap_entries * sizeof(*map));
    assert_int_equal(info->memmap_entries, d->memory_map->nr);
    for (uint32_t i = 0; i < info->memmap_entries; i++) {
        const struct memory_map_entry *e = &d->memory_map->entry[i];
        assert_int_equal(map[i].addr, e->base);
        assert_int_equal(map[i].size, e->size);
        assert_int_equal(map[i].type, e->type);
        assert_int_equal(map[i].reserved, 0);
        assert_true(e->base >= end && e->size); /* in order, without overlaps */
        end = e->base + e->size;
        sum += e->type == MEMMAP_RAM ? e->size : 0;
    }
    assert_int_equal(sum, memory);
    assert_int_equal(map[0].addr, 0); /* RAM below 1 MiB, for the trampoline of APs */
    lab_end();
}

static void written(void **state)
{
    char longest[LAYOUT_START_INFO_SIZE];

    memset(longest, 'c', sizeof(longest));
    longest[LAYOUT_START_INFO_SIZE - 1024 - 1] = 0;
    lab_start(1);
    check(MIB(64), 0, "");
    check(MIB(128), 12345, "console=hvc0 quiet");
    check(GIB(6), MIB(50), longest);
}

static void refused(void **state)
{
    char too_long[LAYOUT_START_INFO_SIZE];
    struct guest_layout l;
    uint64_t least;

    lab_start(1);
    struct domain *d = lab_domain(1, 1, 0x9f); /* its second page is not there */
    memset(too_long, 'c', sizeof(too_long));
    too_long[LAYOUT_START_INFO_SIZE - 1024] = 0;
    assert_true(layout_compute(&l, MIB(64), 0, 1000, 100000, &least));
    assert_int_equal(start_info_map(d, &l), 0);
    assert_int_equal(start_info_write(d, &l, too_long), -XEN_E2BIG);
    too_long[LAYOUT_START_INFO_SIZE - 1024 - 1] = 0;
    assert_int_equal(start_info_write(d, &l, too_long), -XEN_EFAULT);
    lab_end();
}

UNIT_MAIN(cmocka_unit_test(written), cmocka_unit_test(refused))

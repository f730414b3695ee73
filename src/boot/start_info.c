/* SPDX-License-Identifier: Apache-2.0 */
/* The PVH start information: see start_info.h. */
#include "boot/start_info.h"

#include "lib/string.h"
#include "boot/memmap.h"
#include "guest/access.h"
#include "mem/heap.h"

struct block {
    struct hvm_start_info info;
    struct hvm_modlist_entry module;
    struct hvm_memmap_table_entry map[16];
};

#define CMDLINE_OFFSET 1024u
#define CMDLINE_MAX    (LAYOUT_START_INFO_SIZE - CMDLINE_OFFSET)
BUILD_BUG_ON(sizeof(struct block) > CMDLINE_OFFSET);

static void map_add(struct memory_map *m, uint64_t start, uint64_t end, uint32_t type)
{
    if (start < end)
        m->entry[m->nr++] = (struct memory_map_entry){start, end - start, type};
}

int start_info_map(struct domain *d, const struct guest_layout *l)
{
    struct memory_map *m = kalloc(sizeof(*m));

    if (!m)
        return -XEN_ENOMEM;
    map_add(m, 0, l->low_end, MEMMAP_RAM);
    map_add(m, LAYOUT_ACPI, LAYOUT_ACPI + LAYOUT_ACPI_SIZE, MEMMAP_ACPI);
    map_add(m, LAYOUT_SPECIAL, LAYOUT_SPECIAL + LAYOUT_SPECIAL_SIZE, MEMMAP_RESERVED);
    map_add(m, GIB(4), l->high_end, MEMMAP_RAM);
    d->memory_map = m;
    return 0;
}

int start_info_write(struct domain *d, const struct guest_layout *l, const char *cmdline)
{
    struct block b = {
        .info = {.magic = XEN_HVM_START_MAGIC_VALUE,
                 .version = 1,
                 .nr_modules = l->ramdisk_size ? 1 : 0,
                 .modlist_paddr = LAYOUT_START_INFO + offsetof(struct block, module),
                 .cmdline_paddr = LAYOUT_START_INFO + CMDLINE_OFFSET,
                 .rsdp_paddr = LAYOUT_ACPI,
                 .memmap_paddr = LAYOUT_START_INFO + offsetof(struct block, map),
                 .memmap_entries = d->memory_map->nr},
        .module = {.paddr = l->ramdisk, .size = l->ramdisk_size},
    };
    size_t n = strlen(cmdline) + 1;
    int err;

    if (n > CMDLINE_MAX)
        return -XEN_E2BIG;
    for (uint32_t i = 0; i < d->memory_map->nr; i++)
        b.map[i] = (struct hvm_memmap_table_entry){.addr = d->memory_map->entry[i].base,
                                                   .size = d->memory_map->entry[i].size,
                                                   .type = d->memory_map->entry[i].type};
    err = gpa_write(d, _gpa(LAYOUT_START_INFO), &b, sizeof(b));
    return err ? err : gpa_write(d, _gpa(LAYOUT_START_INFO + CMDLINE_OFFSET), cmdline, n);
}

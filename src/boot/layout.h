/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are in a boot-time guest's physical address space, computed from its memory size
 * and ramdisk. Pure. RAM starts at 0 without a hole; below 4 GiB it ends at most at LOW_END. The
 * loader's region is at the top of low RAM, the ramdisk below it; all that is below the ramdisk and
 * above LAYOUT_HEAP is the loader's heap, which the kernel may take too. What the loader used is
 * wiped before the kernel starts. hypercalls.md S1.1, addendum B4.1.
 */
#ifndef KR_BOOT_LAYOUT_H
#define KR_BOOT_LAYOUT_H

#include "abi/loader.h"
#include "lib/types.h"

#define LAYOUT_LOW_END         0xf0000000ULL
#define LAYOUT_START_INFO      0x9e000ULL /* two pages: start_info, module list, map, command line */
#define LAYOUT_START_INFO_SIZE 0x2000ULL
#define LAYOUT_HEAP            0x100000ULL
#define LAYOUT_ACPI            0xfc000000ULL
#define LAYOUT_ACPI_SIZE       0x1000ULL
#define LAYOUT_SPECIAL         0xfeff8000ULL /* eight pages, as the toolstack has them */
#define LAYOUT_SPECIAL_SIZE    0x8000ULL
#define LAYOUT_CONSOLE         0xfefff000ULL
#define LAYOUT_TABLES          16u /* pages of the loader's page tables, at most */

struct guest_layout {
    uint64_t low_end, high_end; /* RAM: [0, low_end), [4 GiB, high_end) */
    uint64_t ramdisk, ramdisk_size;
    uint64_t tables, info, image, stack; /* the loader's region, upwards to low_end */
    uint64_t module, module_size;        /* window of the kernel file, above all RAM */
};

/* False: memory is too small; *least is a size that would do for the ramdisk and the loader (the
 * kernel's own needs come on top). */
bool must_check layout_compute(struct guest_layout *l, uint64_t memory, uint64_t ramdisk_size,
                               uint64_t module_size, uint64_t loader_size, uint64_t *least);

/* What the loader is told. */
void layout_loader_info(const struct guest_layout *l, struct loader_info *info);

/* Writes the loader's page tables (LAYOUT_TABLES pages at l->tables) into `table`, which is zero:
 * low RAM and the module identity-mapped, the image at LOADER_VIRT. */
void layout_tables(const struct guest_layout *l, uint64_t table[LAYOUT_TABLES][512],
                   uint64_t loader_size);

#endif

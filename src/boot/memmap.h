/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's memory map: as firmware gave it, and made fit for use. Types are those of the BIOS
 * call E820 (ACPI 6.4, table 15.1). Pure functions on plain arrays.
 */
#ifndef KR_BOOT_MEMMAP_H
#define KR_BOOT_MEMMAP_H

#include "lib/types.h"

enum memmap_type {
    MEMMAP_RAM = 1,
    MEMMAP_RESERVED = 2,
    MEMMAP_ACPI = 3, /* tables; could be used as RAM once they are read, here never is */
    MEMMAP_NVS = 4,
    MEMMAP_UNUSABLE = 5,
};

struct memmap_range {
    uint64_t base, size;
    uint32_t type; /* any value from firmware: what is not in the enumeration is reserved */
};

#define MEMMAP_MAX_RAW    256
#define MEMMAP_MAX_RANGES (2 * MEMMAP_MAX_RAW + 1)

struct memmap {
    unsigned int nr;
    struct memmap_range ranges[MEMMAP_MAX_RANGES];
};

/*
 * Sorts raw ranges (at most MEMMAP_MAX_RAW), merges neighbours of one type and resolves overlaps:
 * anything is stronger than RAM, reserved stronger than ACPI and NVS, unusable the strongest.
 * Everything becomes page-aligned, RAM inward, the rest outward. What lies above phys_bits is cut
 * off, and 0xfd00000000-0xffffffffff (HyperTransport; AMD BKDG, "Address map") is never RAM. The
 * result is sorted, without overlaps and empty ranges. Once, at boot: uses a static buffer.
 */
void memmap_sanitize(struct memmap *map, const struct memmap_range *raw, unsigned int nr,
                     unsigned int phys_bits);

/* Type at an address, 0 where the map says nothing. */
uint32_t memmap_type_at(const struct memmap *map, uint64_t address);

#endif

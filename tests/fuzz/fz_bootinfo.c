/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot/bootinfo*.c and memmap.c on arbitrary loader memory: the first byte chooses the protocol,
 * the rest is the memory at 0x9000, where the structure begins.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "boot/bootinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *ram;
static size_t ram_size;

static const void *memory(hpa_t at, size_t len)
{
    if (at.v < 0x9000 || at.v - 0x9000 > ram_size || len > ram_size - (at.v - 0x9000))
        return NULL;
    return ram + (at.v - 0x9000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info bi;
    static struct memmap map;
    static int (*const parsers[])(struct boot_info *, hpa_t,
                                  boot_memory_fn *) = {bootinfo_mb1, bootinfo_mb2, bootinfo_pvh};
    if (size < 1)
        return 0;
    ram = data + 1;
    ram_size = size - 1;
    if (parsers[data[0] % 3](&bi, (hpa_t){0x9000}, memory))
        return 0;
    assert(bi.nr_ranges <= MEMMAP_MAX_RAW && bi.nr_modules <= BOOT_MAX_MODULES);
    assert(strlen(bi.cmdline) < BOOT_MAX_STRING && strlen(bi.loader) < BOOT_MAX_STRING);
    for (unsigned int i = 0; i < bi.nr_modules; i++) {
        assert(strlen(bi.modules[i].cmdline) < BOOT_MAX_STRING);
        assert(bi.modules[i].start.v + bi.modules[i].size >= bi.modules[i].start.v);
    }
    memmap_sanitize(&map, bi.ranges, bi.nr_ranges, 48);
    uint64_t last = 0;
    for (unsigned int i = 0; i < map.nr; i++) {
        const struct memmap_range *r = &map.ranges[i];
        assert(r->size && r->base >= last && !((r->base | r->size) & 4095));
        last = r->base + r->size;
        assert(last <= 1ULL << 48);
        assert(r->type != MEMMAP_RAM || last <= 0xfd00000000 || r->base >= 0x10000000000);
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a usable memory map from firmware's: the ends of all ranges cut the address space into
 * intervals inside which nothing changes; each gets the strongest type that covers it.
 */
#include "boot/memmap.h"

#include "lib/bits.h"

#define HYPERTRANSPORT_START 0xfd00000000ULL
#define HYPERTRANSPORT_END   0x10000000000ULL

struct span {
    uint64_t start, end;
    uint32_t type;
};

/* Page-aligned and cut to the limit; empty when nothing is left. */
static struct span span_of(const struct memmap_range *r, uint64_t limit)
{
    struct span s = {.start = min(r->base, limit), .end = limit, .type = r->type};
    if (r->size < limit - s.start)
        s.end = s.start + r->size;
    if (r->type == MEMMAP_RAM) {
        s.start = ALIGN_UP(s.start, PAGE_SIZE);
        s.end = ALIGN_DOWN(s.end, PAGE_SIZE);
    } else if (s.start < s.end) {
        s.start = ALIGN_DOWN(s.start, PAGE_SIZE);
        s.end = ALIGN_UP(s.end, PAGE_SIZE);
    }
    if (s.end < s.start)
        s.end = s.start;
    if (s.type < MEMMAP_RAM || s.type > MEMMAP_UNUSABLE)
        s.type = MEMMAP_RESERVED;
    return s;
}

static unsigned int strength(uint32_t type)
{
    static const uint8_t order[] = {[0] = 0,          [MEMMAP_RAM] = 1,      [MEMMAP_ACPI] = 2,
                                    [MEMMAP_NVS] = 3, [MEMMAP_RESERVED] = 4, [MEMMAP_UNUSABLE] = 5};
    return order[type];
}

/* Sorted insertion, each value once. */
static unsigned int add_cut(uint64_t *cuts, unsigned int nr, uint64_t at)
{
    unsigned int i = nr;
    while (i && cuts[i - 1] > at)
        i--;
    if (i && cuts[i - 1] == at)
        return nr;
    for (unsigned int j = nr; j > i; j--)
        cuts[j] = cuts[j - 1];
    cuts[i] = at;
    return nr + 1;
}

static uint32_t strongest(const struct memmap_range *raw, unsigned int nr, uint64_t limit,
                          uint64_t at)
{
    uint32_t type = 0;
    for (unsigned int i = 0; i < nr; i++) {
        struct span s = span_of(&raw[i], limit);
        if (s.start <= at && at < s.end && strength(s.type) > strength(type))
            type = s.type;
    }
    if (type == MEMMAP_RAM && at >= HYPERTRANSPORT_START && at < HYPERTRANSPORT_END)
        type = MEMMAP_RESERVED;
    return type;
}

static void append(struct memmap *map, uint64_t start, uint64_t end, uint32_t type)
{
    struct memmap_range *last = map->nr ? &map->ranges[map->nr - 1] : NULL;
    if (last && last->type == type && last->base + last->size == start)
        last->size += end - start;
    else
        map->ranges[map->nr++] =
            (struct memmap_range){.base = start, .size = end - start, .type = type};
}

void memmap_sanitize(struct memmap *map, const struct memmap_range *raw, unsigned int nr,
                     unsigned int phys_bits)
{
    static uint64_t cuts[2 * MEMMAP_MAX_RAW + 2];
    unsigned int nr_cuts = 0;
    uint64_t limit = BIT(min(phys_bits, 52u));

    map->nr = 0;
    nr = min(nr, (unsigned int)MEMMAP_MAX_RAW);
    for (unsigned int i = 0; i < nr; i++) {
        struct span s = span_of(&raw[i], limit);
        if (s.start < s.end) {
            nr_cuts = add_cut(cuts, nr_cuts, s.start);
            nr_cuts = add_cut(cuts, nr_cuts, s.end);
        }
    }
    nr_cuts = add_cut(cuts, nr_cuts, HYPERTRANSPORT_START);
    nr_cuts = add_cut(cuts, nr_cuts, HYPERTRANSPORT_END);
    for (unsigned int i = 0; i + 1 < nr_cuts; i++) {
        uint32_t type = strongest(raw, nr, limit, cuts[i]);
        if (type)
            append(map, cuts[i], cuts[i + 1], type);
    }
}

uint32_t memmap_type_at(const struct memmap *map, uint64_t address)
{
    for (unsigned int i = 0; i < map->nr; i++)
        if (address >= map->ranges[i].base && address - map->ranges[i].base < map->ranges[i].size)
            return map->ranges[i].type;
    return 0;
}

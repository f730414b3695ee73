/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory at boot: takes the sanitised map, moves the modules to the top of RAM, hands out frames
 * for tables until there is a heap, then gives the heap what is left. RAM below 1 MiB is left
 * alone: one page of it starts CPUs (smp.c).
 */
#include "arch/x86/boot/boot.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/mmu.h"
#include "core/printk.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "mem/heap.h"

#define FREE_MAX      96u
#define KVA_PHYS_BITS 44u /* what the linear map has room for */

struct memmap memory_map;

extern const char image_start[], image_end[];

/* RAM that nobody uses yet, frame numbers, ascending. */
static struct free_range {
    uint64_t start, end;
} free_range[FREE_MAX];
static unsigned int nr_free;

static void free_add(uint64_t start, uint64_t end)
{
    if (start < end && nr_free < FREE_MAX)
        free_range[nr_free++] = (struct free_range){start, end};
}

static void free_remove(uint64_t start, uint64_t end)
{
    for (unsigned int i = 0; i < nr_free; i++) {
        struct free_range *r = &free_range[i], old = *r;

        if (end <= old.start || start >= old.end)
            continue;
        r->end = max(old.start, min(start, old.end));
        if (end < old.end && nr_free < FREE_MAX) {
            memmove(r + 2, r + 1, (nr_free - i - 1) * sizeof(*r));
            r[1] = (struct free_range){max(end, old.start), old.end};
            nr_free++;
        }
    }
}

/* From the top of the highest range that has room. */
static mfn_t free_take(uint64_t frames)
{
    for (unsigned int i = nr_free; i-- > 0;) {
        struct free_range *r = &free_range[i];

        if (r->end - r->start >= frames) {
            r->end -= frames;
            return _mfn(r->end);
        }
    }
    return MFN_NONE;
}

static mfn_t table_source(void)
{
    mfn_t mfn = free_take(1);

    if (mfn.v != FRAME_NONE) {
        memset(mmu_temp_map(0, mfn_to_hpa(mfn)), 0, PAGE_SIZE);
        mmu_temp_unmap(0);
    }
    return mfn;
}

static mfn_t table_source_closed(void)
{
    return MFN_NONE;
}

/* -- modules ---------------------------------------------------------------------------------- */

/* Backwards, because the destination is above the source and may overlap it. */
static void module_copy(hpa_t to, hpa_t from, uint64_t size)
{
    uint64_t left = ALIGN_UP(size, PAGE_SIZE);

    while (left) {
        uint64_t n, at = left - PAGE_SIZE;
        char *out = mmu_temp_map(1, _hpa(to.v + at));
        uint64_t offset = (from.v + at) & (PAGE_SIZE - 1);

        n = min(size - at, PAGE_SIZE - offset);
        if (size - at > n) /* the source page is not aligned: its end lies in the next one */
            memmove(out + n, mmu_temp_map(2, _hpa(from.v + at + n)), min(size - at, PAGE_SIZE) - n);
        memmove(out, mmu_temp_map(2, _hpa(from.v + at)), n);
        if (size - at < PAGE_SIZE)
            memset(out + (size - at), 0, PAGE_SIZE - (size - at));
        left = at;
    }
    mmu_temp_unmap(1);
    mmu_temp_unmap(2);
}

/*
 * Packs the modules against the top of RAM, the highest first. Each goes to its own range's top or
 * higher, above every module that is still to be moved, so nothing is overwritten that is needed.
 */
static void modules_move(struct boot_info *bi)
{
    bool moved[BOOT_MAX_MODULES] = {false};

    for (unsigned int n = 0; n < bi->nr_modules; n++) {
        struct boot_module *m = NULL;
        mfn_t first;

        for (unsigned int i = 0; i < bi->nr_modules; i++)
            if (!moved[i] && (!m || bi->modules[i].start.v > m->start.v))
                m = &bi->modules[i];
        moved[m - bi->modules] = true;
        if (!m->size)
            continue;
        first = free_take((m->size + PAGE_SIZE - 1) / PAGE_SIZE);
        if (first.v == FRAME_NONE || mfn_to_hpa(first).v < m->start.v) {
            log_err("boot module %ld (%lu bytes at %#lx) does not fit into memory: taken as empty",
                    m - bi->modules + 1, m->size, m->start.v);
            m->size = 0;
            continue;
        }
        module_copy(mfn_to_hpa(first), m->start, m->size);
        m->start = mfn_to_hpa(first);
    }
}

/* -- all of it -------------------------------------------------------------------------------- */

static const char *type_name(uint32_t type)
{
    static const char *const name[] = {
        [MEMMAP_RAM] = "RAM",      [MEMMAP_RESERVED] = "reserved", [MEMMAP_ACPI] = "ACPI tables",
        [MEMMAP_NVS] = "ACPI NVS", [MEMMAP_UNUSABLE] = "unusable",
    };

    return type < ARRAY_SIZE(name) && name[type] ? name[type] : "reserved";
}

static void map_print(void)
{
    log_info("Memory map:");
    for (unsigned int i = 0; i < memory_map.nr; i++) {
        const struct memmap_range *r = &memory_map.ranges[i];

        log_info("  %016lx - %016lx %s", r->base, r->base + r->size - 1, type_name(r->type));
    }
}

/* Calls fn for each stretch of RAM from 1 MiB up; a negative errno of it is the end. */
static void for_ram(int (*fn)(mfn_t start, mfn_t end))
{
    for (unsigned int i = 0; i < memory_map.nr; i++) {
        const struct memmap_range *r = &memory_map.ranges[i];
        uint64_t start = max(r->base, MIB(1)), end = r->base + r->size;

        if (r->type == MEMMAP_RAM && start < end &&
            fn(_mfn(start >> PAGE_SHIFT), _mfn(end >> PAGE_SHIFT)))
            panic("no memory for page tables and the frame table");
    }
}

static int ram_free(mfn_t start, mfn_t end)
{
    free_add(start.v, end.v);
    return 0;
}

static int ram_describe(mfn_t start, mfn_t end)
{
    int err = mmu_kva_prepare(start, end);

    return err ? err : frame_table_add(start, end);
}

void memory_init(struct boot_info *bi)
{
    memmap_sanitize(&memory_map, bi->ranges, bi->nr_ranges,
                    min((unsigned int)cpu_info.phys_bits, KVA_PHYS_BITS));
    map_print();
    for_ram(ram_free);
    free_remove(image_phys >> PAGE_SHIFT, image_phys_of(image_end) >> PAGE_SHIFT);
    modules_move(bi);
    mmu_table_source = table_source;
    for_ram(ram_describe);
    mmu_table_source = table_source_closed;
    for (unsigned int i = 0; i < nr_free; i++)
        if (free_range[i].start < free_range[i].end)
            heap_add(_mfn(free_range[i].start), _mfn(free_range[i].end));
    nr_free = 0;
    for (unsigned int i = 0; i < bi->nr_modules; i++)
        log_info("Boot module %u: %lu bytes at %#lx: %s", i + 1, bi->modules[i].size,
                 bi->modules[i].start.v, bi->modules[i].cmdline);
    log_info("Memory: %lu MiB, %lu MiB free, Krypton's image %lu KiB at %#lx",
             (heap_total_pages() << PAGE_SHIFT) >> 20, (heap_free_pages() << PAGE_SHIFT) >> 20,
             (image_phys_of(image_end) - image_phys) >> 10, image_phys);
}

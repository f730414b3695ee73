/* SPDX-License-Identifier: Apache-2.0 */
/* A boot-time guest's physical address space: see layout.h. */
#include "boot/layout.h"

#define PTE_PRESENT 1ULL
#define PTE_WRITE   2ULL
#define PTE_LARGE   0x80ULL
#define PTE_TABLE   (PTE_PRESENT | PTE_WRITE)

bool layout_compute(struct guest_layout *l, uint64_t memory, uint64_t ramdisk_size,
                    uint64_t module_size, uint64_t loader_size, uint64_t *least)
{
    const uint64_t fixed = LAYOUT_TABLES * PAGE_SIZE + PAGE_SIZE +
                           ALIGN_UP(loader_size, PAGE_SIZE) + LOADER_STACK_SIZE;
    uint64_t disk = ALIGN_UP(ramdisk_size, PAGE_SIZE);

    *l = (struct guest_layout){0};
    l->low_end = min(memory, (uint64_t)LAYOUT_LOW_END);
    l->high_end = GIB(4) + (memory - l->low_end);
    *least = LAYOUT_HEAP + LOADER_HEAP_MIN + disk + fixed;
    if (l->low_end < *least || disk < ramdisk_size || disk > l->low_end)
        return false;
    l->stack = l->low_end - LOADER_STACK_SIZE;
    l->image = l->stack - ALIGN_UP(loader_size, PAGE_SIZE);
    l->info = l->image - PAGE_SIZE;
    l->tables = l->info - LAYOUT_TABLES * PAGE_SIZE;
    l->ramdisk_size = ramdisk_size;
    l->ramdisk = l->tables - disk;
    l->module = ALIGN_UP(max(l->high_end, (uint64_t)GIB(4)), GIB(1));
    l->module_size = module_size;
    return true;
}

void layout_loader_info(const struct guest_layout *l, struct loader_info *info)
{
    *info = (struct loader_info){
        .magic = LOADER_MAGIC,
        .version = LOADER_ABI_VERSION,
        .payload = l->module,
        .payload_size = l->module_size,
        .heap = LAYOUT_HEAP,
        .heap_size = l->ramdisk - LAYOUT_HEAP,
        .nr_ram = 1,
        .ram = {{0, l->low_end}},
        .nr_reserved = 2,
        .reserved = {{LAYOUT_START_INFO, LAYOUT_START_INFO + LAYOUT_START_INFO_SIZE},
                     {l->ramdisk, l->low_end}},
    };
}

/* Takes the next free table of the array for table[from][slot]; the array is large enough by
 * construction: 1 root, 2 L3, 4 + 2 L2 for RAM and a module of up to 1 GiB, 1 + 1 for the image. */
static unsigned int table_next(const struct guest_layout *l, uint64_t table[][512],
                               unsigned int from, unsigned int slot, unsigned int *used)
{
    if (!table[from][slot])
        table[from][slot] = (l->tables + (*used)++ * PAGE_SIZE) | PTE_TABLE;
    return (unsigned int)(((table[from][slot] & ~0xfffULL) - l->tables) / PAGE_SIZE);
}

static void table_identity(const struct guest_layout *l, uint64_t table[][512], uint64_t start,
                           uint64_t end, uint64_t flags, unsigned int *used)
{
    for (uint64_t a = ALIGN_DOWN(start, MIB(2)); a < end; a += MIB(2)) {
        unsigned int l3 = table_next(l, table, 0, (a >> 39) % 512, used);
        unsigned int l2 = table_next(l, table, l3, (a >> 30) % 512, used);

        table[l2][(a >> 21) % 512] = a | flags | PTE_LARGE;
    }
}

void layout_tables(const struct guest_layout *l, uint64_t table[LAYOUT_TABLES][512],
                   uint64_t loader_size)
{
    unsigned int used = 1, l3, l2, l1;

    table_identity(l, table, 0, l->low_end, PTE_TABLE, &used);
    table_identity(l, table, l->module, l->module + min(l->module_size, (uint64_t)GIB(2)),
                   PTE_PRESENT, &used);
    l3 = table_next(l, table, 0, (LOADER_VIRT >> 39) % 512, &used);
    l2 = table_next(l, table, l3, (LOADER_VIRT >> 30) % 512, &used);
    l1 = table_next(l, table, l2, (LOADER_VIRT >> 21) % 512, &used);
    for (uint64_t a = 0; a < min(loader_size, (uint64_t)MIB(2)); a += PAGE_SIZE)
        table[l1][a / PAGE_SIZE] = (l->image + a) | PTE_TABLE;
}

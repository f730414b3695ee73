/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables of the domain part: L3 -> L2 -> L1 of Krypton-owned pages, in the format of the
 * CPU's own tables (AMD APM vol. 2, 5.3). Built while the domain is created, before any CPU serves
 * it, and taken apart after the last one has stopped: no flush is needed here.
 */
#include "arch/x86/vcpu/part.h"

#include "mem/heap.h"
#include "mem/window.h"

#include "port/mmu.h"

#define PTE_PRESENT   1ULL
#define PTE_WRITE     2ULL
#define PTE_ACCESSED  0x20ULL
#define PTE_DIRTY     0x40ULL
#define PTE_NX        (1ULL << 63)
#define PTE_FRAME     0x000ffffffffff000ULL
#define PTE_TABLE     (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)
#define PTE_LEAF      (PTE_TABLE | PTE_DIRTY | PTE_NX)

#define TABLE_ENTRIES 512u

static unsigned long part_va(unsigned int vcpu, unsigned int index)
{
    return DOMAIN_VIRT + ((unsigned long)vcpu * PART_PAGES + index) * PAGE_SIZE;
}

static uint64_t *part_next(uint64_t *table, unsigned int slot, bool create)
{
    uint64_t *next;

    if (table[slot])
        return mfn_kva(_mfn((table[slot] & PTE_FRAME) >> PAGE_SHIFT));
    if (!create)
        return NULL;
    next = kpage_alloc(0);
    if (next)
        table[slot] = mfn_to_hpa(kva_mfn(next)).v | PTE_TABLE;
    return next;
}

static uint64_t *part_entry(struct domain *d, unsigned int vcpu, unsigned int index, bool create)
{
    unsigned long va = part_va(vcpu, index);
    uint64_t *table = mfn_kva(_mfn(d->part_root));

    table = part_next(table, (va >> 30) % TABLE_ENTRIES, create);
    if (table)
        table = part_next(table, (va >> 21) % TABLE_ENTRIES, create);
    return table ? &table[(va >> 12) % TABLE_ENTRIES] : NULL;
}

int part_init(struct domain *d)
{
    uint64_t *root = kpage_alloc(0);

    if (!root)
        return -XEN_ENOMEM;
    d->part_root = kva_mfn(root).v;
    return 0;
}

static void part_free_table(uint64_t *table, unsigned int depth)
{
    for (unsigned int i = 0; depth && i < TABLE_ENTRIES; i++)
        if (table[i])
            part_free_table(mfn_kva(_mfn((table[i] & PTE_FRAME) >> PAGE_SHIFT)), depth - 1);
    kpage_free(table, 0);
}

void part_fini(struct domain *d)
{
    if (d->part_root)
        part_free_table(mfn_kva(_mfn(d->part_root)), 2);
    d->part_root = 0;
}

void *part_add(struct domain *d, unsigned int vcpu, unsigned int index, mfn_t *mfn)
{
    uint64_t *entry = part_entry(d, vcpu, index, true);

    if (!entry)
        return NULL;
    *mfn = heap_alloc(0, 0);
    if (mfn_eq(*mfn, MFN_NONE))
        return NULL;
    page_assign(page_of(*mfn), FRAME_OWNER_PRIVATE, 0);
    *entry = mfn_to_hpa(*mfn).v | PTE_LEAF;
    return mmu_part_address(part_va(vcpu, index), *mfn);
}

void part_remove(struct domain *d, unsigned int vcpu, unsigned int index)
{
    uint64_t *entry = d->part_root ? part_entry(d, vcpu, index, false) : NULL;
    uint64_t old = entry ? *entry : 0;

    if (!old)
        return;
    *entry = 0;
    page_put(page_of(_mfn((old & PTE_FRAME) >> PAGE_SHIFT)));
}

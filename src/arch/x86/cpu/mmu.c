/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calling CPU's page tables, written through their own mapping. Shared tables are made at boot,
 * so everything here that runs later writes leaves only and cannot fail. AMD APM vol. 2 ch. 5.
 */
#include "arch/x86/cpu/mmu.h"
#include "abi/xen.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/layout.h"
#include "lib/string.h"
#include "port/cpu.h"
#include "port/mmu.h"

uint64_t image_phys;
mfn_t (*mmu_table_source)(void);

extern const char image_start[], text_end[], rodata_end[], image_end[];
extern uint64_t image_l2[512], device_l2[512];

static uint64_t image_l1[IMAGE_MAX / (512 * PAGE_SIZE)][512] aligned_to(4096);
static uint64_t device_l1[512] aligned_to(4096);
static unsigned int device_pages, device_large = 1; /* used entries of device_l1, device_l2 */

uint64_t *mmu_entry(uint64_t va, unsigned int level)
{
    for (unsigned int i = 0; i < level; i++)
        va = TABLES_VIRT + (((va & 0xffffffffffffULL) >> 12) << 3);
    return (uint64_t *)va;
}

void mmu_invalidate(const void *va)
{
    __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* -- leaves that change all the time ---------------------------------------------------------- */

void mmu_window_set(unsigned int slot, mfn_t mfn)
{
    uint64_t *e = mmu_entry(WINDOW_VIRT, 1) + slot;

    WRITE_ONCE(*e, mfn.v == FRAME_NONE ? 0 : (mfn.v << PAGE_SHIFT) | (PTE_DATA & ~PTE_GLOBAL));
}

int mmu_kva_map(mfn_t mfn, unsigned int order)
{
    uint64_t *e = mmu_entry(KVA_VIRT + (mfn.v << PAGE_SHIFT), 1);

    for (uint64_t i = 0; i < 1ULL << order; i++)
        WRITE_ONCE(e[i], ((mfn.v + i) << PAGE_SHIFT) | PTE_DATA);
    return 0;
}

void mmu_kva_unmap(mfn_t mfn, unsigned int order)
{
    uint64_t *e = mmu_entry(KVA_VIRT + (mfn.v << PAGE_SHIFT), 1);

    for (uint64_t i = 0; i < 1ULL << order; i++)
        WRITE_ONCE(e[i], 0);
}

void mmu_flush_local(void)
{
    cr3_write(cr3_read());
}

void mmu_flush_all(void)
{
    uint64_t cr4 = cr4_read();

    if (!(cr4 & CR4_PGE)) {
        mmu_flush_local();
        return;
    }
    cr4_write(cr4 & ~CR4_PGE);
    cr4_write(cr4);
}

void mmu_domain_part(mfn_t root)
{
    uint64_t *e = mmu_entry(DOMAIN_VIRT, 4);

    WRITE_ONCE(*e, root.v == FRAME_NONE ? 0 : (root.v << PAGE_SHIFT) | PTE_TABLE | PTE_NX);
    mmu_flush_local();
}

/* -- boot ------------------------------------------------------------------------------------- */

int mmu_tables_ensure(uint64_t va)
{
    for (unsigned int level = 4; level > 1; level--) {
        uint64_t *e = mmu_entry(va, level);

        if (!(*e & PTE_PRESENT)) {
            mfn_t table = mmu_table_source();

            if (table.v == FRAME_NONE)
                return -XEN_ENOMEM;
            *e = (table.v << PAGE_SHIFT) | PTE_TABLE;
        }
    }
    return 0;
}

int mmu_kva_prepare(mfn_t start, mfn_t end)
{
    for (uint64_t n = ALIGN_DOWN(start.v, 512); n < end.v; n += 512) {
        int err = mmu_tables_ensure(KVA_VIRT + (n << PAGE_SHIFT));

        if (err)
            return err;
    }
    return 0;
}

int mmu_frame_table_map(uint64_t start, uint64_t end)
{
    for (uint64_t at = ALIGN_DOWN(start, PAGE_SIZE); at < end; at += PAGE_SIZE) {
        uint64_t *e;
        mfn_t frame;
        int err = mmu_tables_ensure(FRAME_TABLE_VIRT + at);

        if (err)
            return err;
        e = mmu_entry(FRAME_TABLE_VIRT + at, 1);
        if (*e & PTE_PRESENT)
            continue;
        frame = mmu_table_source(); /* zeroed, too */
        if (frame.v == FRAME_NONE)
            return -XEN_ENOMEM;
        *e = (frame.v << PAGE_SHIFT) | PTE_DATA;
    }
    return 0;
}

void mmu_image_protect(void)
{
    const uint64_t end = (uint64_t)image_end;
    uint64_t *leaf = image_l1[0];

    for (uint64_t at = (uint64_t)image_start; at < end; at += PAGE_SIZE) {
        uint64_t rights = PTE_DATA;

        if (at < (uint64_t)text_end)
            rights &= ~(PTE_WRITE | PTE_DIRTY | PTE_NX);
        else if (at < (uint64_t)rodata_end)
            rights &= ~(PTE_WRITE | PTE_DIRTY);
        *leaf++ = image_phys_of((const void *)at) | rights;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(image_l1); i++)
        image_l2[i + 1] = image_phys_of(image_l1[i]) | PTE_TABLE;
    mmu_flush_all();
}

void *mmu_temp_map(unsigned int slot, hpa_t at)
{
    char *va = (char *)WINDOW_VIRT + (WINDOW_TEMP_FIRST + slot) * PAGE_SIZE;

    mmu_window_set(WINDOW_TEMP_FIRST + slot, hpa_to_mfn(at));
    mmu_invalidate(va);
    return va + (at.v & (PAGE_SIZE - 1));
}

void mmu_temp_unmap(unsigned int slot)
{
    mmu_window_set(WINDOW_TEMP_FIRST + slot, MFN_NONE);
    mmu_invalidate((char *)WINDOW_VIRT + (WINDOW_TEMP_FIRST + slot) * PAGE_SIZE);
}

void mmu_copy_from(void *to, hpa_t from, size_t n)
{
    char *out = to;

    while (n) {
        size_t part = min(n, PAGE_SIZE - (from.v & (PAGE_SIZE - 1)));

        memcpy(out, mmu_temp_map(0, from), part);
        out += part;
        from.v += part;
        n -= part;
    }
    mmu_temp_unmap(0);
}

static void *device_map_large(hpa_t at, size_t size, uint64_t cache)
{
    uint64_t first = ALIGN_DOWN(at.v, MIB(2)), count = (at.v + size - first + MIB(2) - 1) / MIB(2);
    char *va = (char *)DEVICE_VIRT + device_large * MIB(2);

    if (count > 512 - device_large)
        return NULL;
    for (uint64_t i = 0; i < count; i++)
        device_l2[device_large++] = (first + i * MIB(2)) | PTE_DATA | PTE_LARGE | cache;
    return va + (at.v - first);
}

void *mmu_device_map(hpa_t at, size_t size, bool combine)
{
    uint64_t first = ALIGN_DOWN(at.v, PAGE_SIZE);
    uint64_t count = (at.v + size - first + PAGE_SIZE - 1) / PAGE_SIZE;
    char *va = (char *)DEVICE_VIRT + device_pages * PAGE_SIZE;

    if (count >= 512)
        return device_map_large(at, size, combine ? PTE_PAT_2M : PTE_PCD | PTE_PWT);
    if (count > 512 - device_pages)
        return NULL;
    device_l2[0] = image_phys_of(device_l1) | PTE_TABLE;
    for (uint64_t i = 0; i < count; i++)
        device_l1[device_pages++] =
            (first + i * PAGE_SIZE) | PTE_DATA | (combine ? PTE_PAT_4K : PTE_PCD | PTE_PWT);
    return va + (at.v - first);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables below the level of port/mmu.h: what boot and the machine floor need of them. A CPU
 * reaches its own tables through their own addresses (the top-level table maps itself in
 * SLOT_TABLES), so no table needs another mapping. Boot makes the shared part complete; after
 * mmu_boot_done() no shared table is added. AMD APM vol. 2 section 5.3.
 */
#ifndef KR_ARCH_X86_CPU_MMU_H
#define KR_ARCH_X86_CPU_MMU_H

#include "lib/types.h"

#define PTE_PRESENT  (1ULL << 0)
#define PTE_WRITE    (1ULL << 1)
#define PTE_PWT      (1ULL << 3)
#define PTE_PCD      (1ULL << 4)
#define PTE_ACCESSED (1ULL << 5)
#define PTE_DIRTY    (1ULL << 6)
#define PTE_LARGE    (1ULL << 7)
#define PTE_PAT_4K   (1ULL << 7)
#define PTE_GLOBAL   (1ULL << 8)
#define PTE_PAT_2M   (1ULL << 12)
#define PTE_NX       (1ULL << 63)
#define PTE_ADDRESS  0x000ffffffffff000ULL

/* Leaf for Krypton's data; accessed and dirty are set ahead so that the CPU need not write them. */
#define PTE_DATA  (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL | PTE_NX)
#define PTE_TABLE (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)

extern uint64_t image_phys; /* where the image is: physical address of image_start */

static inline uint64_t image_phys_of(const void *va)
{
    extern const char image_start[];

    return (uint64_t)va - (uint64_t)image_start + image_phys;
}

/* The entry for `va` in the calling CPU's table of `level` (1 = 4 KiB leaf, 4 = top); only when the
 * tables above it are present. */
uint64_t *mmu_entry(uint64_t va, unsigned int level);
/* Makes tables down to level 1 exist for va, with zeroed frames from mmu_table_source. */
int must_check mmu_tables_ensure(uint64_t va);
/* Where zeroed frames for shared tables come from during boot; MFN_NONE when there is none. */
extern mfn_t (*mmu_table_source)(void);

/* Boot: gives the image its final rights (text RX, constants R, data RW, the boot CPU's first
 * stack included) in 4 KiB pages. */
void mmu_image_protect(void);
/* Boot: all tables for the linear map and the frame table's range exist for frames [start, end). */
int must_check mmu_kva_prepare(mfn_t start, mfn_t end);

/* A page behind the map windows, for boot and the boot processor only: slot 0..63. */
void *mmu_temp_map(unsigned int slot, hpa_t at);
void mmu_temp_unmap(unsigned int slot);
#define MMU_TEMP_SLOTS 64u

/* Copies from any physical address, through temp slot 0; device memory must not be read so. */
void mmu_copy_from(void *to, hpa_t from, size_t n);

/* Maps device registers for good (uncached, or write-combining), any alignment; NULL when the
 * device area is full. Boot. */
void *mmu_device_map(hpa_t at, size_t size, bool combine) __attribute__((malloc));

#endif

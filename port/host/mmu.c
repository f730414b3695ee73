/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the simulated machine. Physical memory is one sparse file, mapped as a whole for the
 * simulation's own use; Krypton sees it at KVA_VIRT (poisoned where it owns nothing), through
 * windows (a TLB for each CPU, which keeps what it has seen until it is invalidated), and at
 * DOMAIN_VIRT (the pages of the stepped CPU's domain part, really mapped there).
 */
#define _GNU_SOURCE
#include "sim.h"

#include "core/printk.h"
#include "lib/bits.h"
#include "mem/frame.h"

#include "port/mem.h"
#include "port/mmu.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define DOMAIN_SIZE GIB(1)

/* Entries and TLB hold frame numbers, 0 = not present. */
struct sim_mmu {
    uint64_t window[WINDOW_SLOTS], tlb[WINDOW_SLOTS];
    mfn_t part;
};

static struct sim_mmu mmu[MAX_CPUS];
static mfn_t mapped_part = {FRAME_NONE};
static int phys_fd;
static char *phys;

static void *map_at(uint64_t va, uint64_t size, int prot, int flags, int fd, uint64_t offset)
{
    void *p = mmap((void *)va, size, prot, flags | (va ? MAP_FIXED : 0), fd, (off_t)offset);

    if (p == MAP_FAILED)
        abort();
    return p;
}

static void reserve(uint64_t va, uint64_t size)
{
    map_at(va, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

void sim_mmu_init(void)
{
    phys_fd = memfd_create("krypton-phys", 0);
    if (phys_fd < 0 || ftruncate(phys_fd, (off_t)SIM_PHYS_SIZE))
        abort();
    phys = map_at(0, SIM_PHYS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, phys_fd, 0);
    reserve(KVA_VIRT, SIM_PHYS_SIZE);
    reserve(WINDOW_VIRT, WINDOW_SLOTS * PAGE_SIZE);
    reserve(DOMAIN_VIRT, DOMAIN_SIZE);
    reserve(FRAME_TABLE_VIRT, SIM_PHYS_SIZE / PAGE_SIZE * sizeof(struct page));
}

void sim_mmu_reset(void)
{
    for (unsigned int i = 0; i < MAX_CPUS; i++)
        mmu[i] = (struct sim_mmu){.part = MFN_NONE};
}

void sim_mmu_ram(mfn_t start, mfn_t end)
{
    uint64_t at = start.v << PAGE_SHIFT, size = (end.v - start.v) << PAGE_SHIFT;
    void *p = map_at(KVA_VIRT + at, size, PROT_READ | PROT_WRITE, MAP_SHARED, phys_fd, at);

    ASAN_POISON_MEMORY_REGION(p, size);
}

void *sim_phys(mfn_t mfn)
{
    if (mfn.v >= SIM_PHYS_SIZE >> PAGE_SHIFT)
        panic("no memory at frame %lx", mfn.v);
    return phys + (mfn.v << PAGE_SHIFT);
}

/* -- windows ---------------------------------------------------------------------------------- */

void *sim_mem(const void *p, size_t n)
{
    uint64_t off = (uintptr_t)p - WINDOW_VIRT;

    if (off >= WINDOW_SLOTS * PAGE_SIZE)
        return (void *)(uintptr_t)p;
    if (sim_access_hook) {
        void (*hook)(void) = sim_access_hook;
        sim_access_hook = NULL;
        hook();
        sim_access_hook = hook;
    }
    struct sim_mmu *m = &mmu[this_cpu()->id];
    uint64_t slot = off >> PAGE_SHIFT;
    off &= PAGE_SIZE - 1;
    if (off + n > PAGE_SIZE)
        panic("access of %zu bytes leaves window %lu", n, slot);
    if (!m->tlb[slot])
        m->tlb[slot] = m->window[slot];
    if (!m->tlb[slot])
        panic("page fault in window %lu", slot);
    return (char *)sim_phys(_mfn(m->tlb[slot])) + off;
}

void mmu_window_set(unsigned int slot, mfn_t mfn)
{
    sim_count.window_writes++;
    mmu[this_cpu()->id].window[slot] = mfn.v == FRAME_NONE ? 0 : mfn.v;
}

void mmu_invalidate(const void *va)
{
    uint64_t slot = ((uintptr_t)va - WINDOW_VIRT) >> PAGE_SHIFT;

    sim_count.invalidations++;
    if (slot < WINDOW_SLOTS)
        mmu[this_cpu()->id].tlb[slot] = 0;
}

void mmu_flush_local(void)
{
    sim_count.flushes++;
    memset(mmu[this_cpu()->id].tlb, 0, sizeof(mmu[0].tlb));
}

void mmu_flush_all(void)
{
    mmu_flush_local();
}

/* -- the linear map --------------------------------------------------------------------------- */

void mem_poison(const void *p, size_t n)
{
    ASAN_POISON_MEMORY_REGION(p, n);
}

void mem_unpoison(const void *p, size_t n)
{
    ASAN_UNPOISON_MEMORY_REGION(p, n);
}

int mmu_kva_map(mfn_t mfn, unsigned int order)
{
    mem_unpoison((void *)(KVA_VIRT + (mfn.v << PAGE_SHIFT)), PAGE_SIZE << order);
    return 0;
}

void mmu_kva_unmap(mfn_t mfn, unsigned int order)
{
    mem_poison((void *)(KVA_VIRT + (mfn.v << PAGE_SHIFT)), PAGE_SIZE << order);
}

int mmu_frame_table_map(uint64_t start, uint64_t end)
{
    start = ALIGN_DOWN(start, PAGE_SIZE);
    end = ALIGN_UP(end, PAGE_SIZE);
    if (mprotect((void *)(FRAME_TABLE_VIRT + start), end - start, PROT_READ | PROT_WRITE))
        abort();
    return 0;
}

/* -- the domain part -------------------------------------------------------------------------- */

/* Maps what the table (level 3, 2 or 1; entries as AMD APM vol. 2, 5.3) maps, from va on. */
static void map_table(mfn_t table, unsigned int level, uint64_t va)
{
    const uint64_t *entry = sim_phys(table);

    for (unsigned int i = 0; i < 512; i++) {
        uint64_t at = va + ((uint64_t)i << (3 + 9 * level)), to = entry[i] & BITS(12, 51);
        if (!(entry[i] & 1))
            continue;
        if (at >= DOMAIN_VIRT + DOMAIN_SIZE)
            panic("domain part is too large for the simulated machine");
        if (level > 1)
            map_table(_mfn(to >> PAGE_SHIFT), level - 1, at);
        else
            map_at(at, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, phys_fd, to);
    }
}

void sim_mmu_switch(void)
{
    mfn_t part = mmu[this_cpu()->id].part;

    if (mfn_eq(part, mapped_part))
        return;
    if (mapped_part.v != FRAME_NONE)
        reserve(DOMAIN_VIRT, DOMAIN_SIZE);
    if (part.v != FRAME_NONE)
        map_table(part, 3, DOMAIN_VIRT);
    mapped_part = part;
}

void mmu_domain_part(mfn_t root)
{
    mmu[this_cpu()->id].part = root;
    mapped_part = mfn_eq(root, mapped_part) ? MFN_NONE : mapped_part; /* its entries may be new */
    sim_mmu_switch();
    mmu_flush_local();
}

void *mmu_part_address(unsigned long va, mfn_t mfn)
{
    (void)va;
    return sim_phys(mfn);
}

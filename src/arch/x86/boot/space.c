/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces of CPUs: the shared top-level slots as they are, and a private slot with the
 * per-CPU area, descriptor tables, stacks with guard pages, and map windows. Frames of the private
 * part are nobody else's: they have no linear address.
 */
#include "arch/x86/boot/boot.h"
#include "arch/x86/cpu/layout.h"
#include "arch/x86/cpu/mmu.h"
#include "core/pcpu.h"
#include "core/printk.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "port/mmu.h"

extern uint64_t boot_l4[512], identity_l3[512], identity_l2[4 * 512];
void noreturn_fn cpu_switch_space(uint64_t cr3, void (*fn)(void)); /* head.S */

#define L3_WINDOW 1 /* WINDOW_VIRT is 1 GiB above PCPU_VIRT */
BUILD_BUG_ON(WINDOW_VIRT - PCPU_VIRT != 1UL << 30);
BUILD_BUG_ON(sizeof(struct pcpu) > PCPU_AREA_PAGES * PAGE_SIZE);
BUILD_BUG_ON(WINDOW_SLOTS > WINDOW_TEMP_FIRST || WINDOW_TEMP_FIRST + MMU_TEMP_SLOTS > 512);

uint64_t ap_cr3[MAX_CPUS]; /* head.S */

/* Tables and area of the boot CPU until it has its own. */
static struct {
    uint64_t l3[512], l2[2][512], l1[2][512];
    char area[PCPU_AREA_PAGES * PAGE_SIZE];
} early aligned_to(4096);

static void pcpu_fill(struct pcpu *p, unsigned int cpu)
{
    p->id = cpu;
    p->shared = &pcpu_shared[cpu];
    p->served_domid = FRAME_OWNER_NONE;
}

void space_early_init(void)
{
    for (unsigned int i = 0; i < 2; i++) {
        early.l3[i] = image_phys_of(early.l2[i]) | PTE_TABLE;
        early.l2[i][0] = image_phys_of(early.l1[i]) | PTE_TABLE;
    }
    for (unsigned int i = 0; i < PCPU_AREA_PAGES; i++)
        early.l1[0][i] = image_phys_of(early.area + i * PAGE_SIZE) | (PTE_DATA & ~PTE_GLOBAL);
    boot_l4[SLOT_PCPU] = image_phys_of(early.l3) | PTE_TABLE;
    pcpu_fill(this_cpu(), 0);
    pcpus_ready = true;
}

void memory_identity_init(void)
{
    for (uint64_t i = 0; i < 4 * 512; i++)
        identity_l2[i] = i * MIB(2) | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
}

const void *memory_identity(hpa_t at, size_t len)
{
    if (!at.v || at.v >= GIB(4) || len > GIB(4) - at.v)
        return NULL;
    return (const void *)at.v;
}

/* -- a CPU's own ------------------------------------------------------------------------------ */

static mfn_t private_frame(void)
{
    mfn_t mfn = heap_alloc(0, 0);

    if (mfn.v != FRAME_NONE)
        page_assign(page_of(mfn), FRAME_OWNER_PRIVATE, 0);
    return mfn;
}

static void entry_write(mfn_t table, unsigned int index, uint64_t value)
{
    uint64_t *t = mmu_temp_map(1, mfn_to_hpa(table));

    t[index] = value;
    mmu_temp_unmap(1);
}

/* A new frame at an entry; MFN_NONE when memory is out. */
static mfn_t entry_new(mfn_t table, unsigned int index, uint64_t flags)
{
    mfn_t mfn = table.v == FRAME_NONE ? MFN_NONE : private_frame();

    if (mfn.v != FRAME_NONE)
        entry_write(table, index, (mfn.v << PAGE_SHIFT) | flags);
    return mfn;
}

static bool pages_new(mfn_t l1, unsigned int first, unsigned int count)
{
    for (unsigned int i = first; i < first + count; i++)
        if (entry_new(l1, i, PTE_DATA).v == FRAME_NONE)
            return false;
    return true;
}

static void shared_slots_copy(mfn_t l4)
{
    uint64_t *to = mmu_temp_map(1, mfn_to_hpa(l4));

    for (unsigned int slot = 256; slot < 512; slot++)
        if (slot != SLOT_TABLES && slot != SLOT_PCPU && slot != SLOT_DOMAIN)
            to[slot] = *(mmu_entry(0, 4) + slot);
    to[SLOT_TABLES] = (l4.v << PAGE_SHIFT) | PTE_TABLE | PTE_NX;
    mmu_temp_unmap(1);
}

uint64_t space_create(unsigned int cpu)
{
    mfn_t l4 = private_frame(), l3 = entry_new(l4, SLOT_PCPU, PTE_TABLE);
    mfn_t area_l1 = entry_new(entry_new(l3, 0, PTE_TABLE), 0, PTE_TABLE);
    mfn_t window_l1 = entry_new(entry_new(l3, L3_WINDOW, PTE_TABLE), 0, PTE_TABLE);
    mfn_t area;
    struct pcpu *p;

    if (area_l1.v == FRAME_NONE || window_l1.v == FRAME_NONE ||
        !pages_new(area_l1, 1, PCPU_AREA_PAGES - 1) || !pages_new(area_l1, PCPU_DESC_PAGE, 1))
        return 0;
    for (unsigned int i = 0; i < PCPU_STACKS; i++)
        if (!pages_new(area_l1, PCPU_STACK_FIRST + i * PCPU_STACK_STEP, PCPU_STACK_PAGES))
            return 0;
    area = entry_new(area_l1, 0, PTE_DATA);
    if (area.v == FRAME_NONE)
        return 0;
    p = mmu_temp_map(1, mfn_to_hpa(area));
    pcpu_fill(p, cpu); /* its first page holds these */
    mmu_temp_unmap(1);
    shared_slots_copy(l4);
    ap_cr3[cpu] = l4.v << PAGE_SHIFT;
    return ap_cr3[cpu];
}

void space_enter(void (*fn)(void))
{
    uint64_t cr3 = space_create(0);

    if (!cr3)
        panic("no memory for the boot CPU's address space");
    cpu_switch_space(cr3, fn);
}

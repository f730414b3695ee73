/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug key: walks the page tables of every CPU and says what is mapped and whether the rules hold:
 * nothing in the lower half, nothing for user mode, nothing writable and executable, code nowhere
 * but in the image, the shared slots the same on all CPUs, and no guest's frame outside windows and
 * the domain part.
 */
#include "arch/x86/boot/boot.h"
#include "arch/x86/cpu/layout.h"
#include "arch/x86/cpu/mmu.h"
#include "core/keys.h"
#include "core/pcpu.h"
#include "core/printk.h"
#include "mem/frame.h"
#include "mem/window.h"
#include "port/mem.h"
#include "port/mmu.h"

#define PTE_USER       (1ULL << 2)
#define TOLD_MAX       8u
#define FIRST_NO_DOMID 0x7ff0u

extern uint64_t ap_cr3[MAX_CPUS];

struct walk {
    unsigned int cpu;
    uint64_t pages, code_pages, faults; /* 4 KiB units */
    bool parts;                         /* the rules of windows and domain parts hold here */
};

static void fault(struct walk *w, uint64_t va, uint64_t entry, const char *what)
{
    if (w->faults++ < TOLD_MAX)
        log_err("CPU %u: %016lx entry %016lx: %s", w->cpu, va, entry, what);
}

static void leaf_check(struct walk *w, uint64_t va, uint64_t entry, uint64_t pages)
{
    mfn_t mfn = hpa_to_mfn(_hpa(entry & PTE_ADDRESS));
    bool code = !(entry & PTE_NX);

    w->pages += pages;
    w->code_pages += code ? pages : 0;
    if (entry & PTE_USER)
        fault(w, va, entry, "for user mode");
    if (code && (entry & PTE_WRITE))
        fault(w, va, entry, "writable and executable");
    if (code && va - IMAGE_VIRT >= IMAGE_MAX)
        fault(w, va, entry, "code outside the image");
    if (!w->parts && frame_valid(mfn) && page_owner(page_of(mfn)) < FIRST_NO_DOMID)
        fault(w, va, entry, "a guest's frame");
}

static uint64_t entry_of(mfn_t table, unsigned int index)
{
    const uint64_t *t = window_map(table);
    uint64_t entry = mem_load64(&t[index]);

    window_unmap(t);
    return entry;
}

/* The tables below `entry`, which maps from va on; level of the table that it points to. */
static void walk(struct walk *w, uint64_t entry, uint64_t va, unsigned int level)
{
    mfn_t table = hpa_to_mfn(_hpa(entry & PTE_ADDRESS));
    unsigned int shift = PAGE_SHIFT + 9 * (level - 1);
    const uint64_t *t = window_map(table);

    for (uint64_t i = 0; i < 512; i++) {
        uint64_t e = mem_load64(&t[i]), at = va + (i << shift);

        if (!(e & PTE_PRESENT))
            continue;
        w->parts = at >= DOMAIN_VIRT && at < IMAGE_VIRT && (at < PCPU_VIRT || at >= WINDOW_VIRT);
        if (level == 1 || (level == 2 && (e & PTE_LARGE)))
            leaf_check(w, at, e, 1ULL << (shift - PAGE_SHIFT));
        else
            walk(w, e, at, level - 1);
    }
    window_unmap(t);
}

static void cpu_check(unsigned int cpu)
{
    struct walk w = {.cpu = cpu};
    mfn_t top = hpa_to_mfn(_hpa(ap_cr3[cpu])), first = hpa_to_mfn(_hpa(ap_cr3[0]));

    for (unsigned int slot = 0; slot < 512; slot++) {
        uint64_t entry = entry_of(top, slot);
        uint64_t va = (slot >= 256 ? 0xffff000000000000ULL : 0) | (uint64_t)slot << 39;
        bool own = slot == SLOT_TABLES || slot == SLOT_PCPU || slot == SLOT_DOMAIN;

        if (slot < 256 && entry)
            fault(&w, va, entry, "in the lower half");
        if (!own && cpu && ((entry ^ entry_of(first, slot)) & PTE_ADDRESS))
            fault(&w, va, entry, "not the shared table");
        if (!(entry & PTE_PRESENT) || slot == SLOT_TABLES || (cpu && !own))
            continue;
        walk(&w, entry, va, 3);
    }
    log_info("CPU %u: tables at %#lx map %lu pages%s, %lu of code; %lu faults", cpu, ap_cr3[cpu],
             w.pages, cpu ? " of its own" : "", w.code_pages, w.faults);
}

static void spaces_key(void)
{
    unsigned int cpu;

    for_each_cpu (cpu, &cpus_online)
        cpu_check(cpu);
}
DEBUG_KEY('p', "page tables of every CPU, and whether they keep the rules", spaces_key);

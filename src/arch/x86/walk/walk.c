/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page walk. An entry is read once, without a reference on its table: if the guest's physical
 * map changed meanwhile the read is done again. Accessed and dirty bits are set by compare and swap
 * against what was read; when that fails the walk begins anew, as the CPU's would.
 */
#include "arch/x86/walk/walk.h"
#include "lib/bits.h"
#include "mem/frame.h"
#include "mem/window.h"

#include "port/mem.h"

#define CR0_WP   BIT(16)
#define CR0_PG   BIT(31)
#define CR4_PSE  BIT(4)
#define CR4_PAE  BIT(5)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

#define PTE_P    BIT(0)
#define PTE_RW   BIT(1)
#define PTE_US   BIT(2)
#define PTE_A    BIT(5)
#define PTE_D    BIT(6)
#define PTE_PS   BIT(7)
#define PTE_NX   BIT(63)

/* Walks begun anew because of another vCPU that changes entries all the time. */
#define RESTARTS 16

/* The shape of a paging mode. */
struct shape {
    uint8_t levels, index_bits, entry_size;
    uint8_t large;     /* highest level that has large pages, 1 = none */
    uint64_t frame;    /* address bits of an entry */
    uint64_t reserved; /* in every entry */
};

/* Where an entry was found. */
struct place {
    gpa_t gpa;
    uint64_t pte;
};

static struct shape shape_of(const struct domain *d, const struct vcpu_control *c)
{
    uint64_t beyond = BITS(d->p2m.bits, 52) & ~BIT(52);
    uint64_t nx = c->efer & EFER_NXE ? 0 : PTE_NX;

    if (likely(c->efer & EFER_LMA))
        return (struct shape){4, 9, 8, 3, BITS(12, 51), beyond | nx};
    if (c->cr4 & CR4_PAE)
        return (struct shape){3, 9, 8, 2, BITS(12, 51), beyond | BITS(52, 62) | nx};
    return (struct shape){2, 10, 4, c->cr4 & CR4_PSE ? 2 : 1, BITS(12, 31), 0};
}

/* False: no memory there. */
static bool pte_read(struct domain *d, struct place *at, unsigned int size)
{
    uint64_t generation;

    do {
        mfn_t mfn = p2m_peek(d, gpa_to_gfn(at->gpa), &generation);
        if (unlikely(mfn.v == FRAME_NONE))
            return false;
        char *va = window_map(mfn);
        const void *entry = va + at->gpa.v % PAGE_SIZE;
        at->pte = likely(size == 8) ? mem_load64(entry) : mem_load32(entry);
        window_unmap(va);
    } while (unlikely(generation != READ_ONCE(d->p2m.generation)));
    return true;
}

/* False: the entry has changed. A table that may not be written keeps its bits. */
static bool pte_set(struct domain *d, const struct place *at, unsigned int size, uint64_t bits)
{
    struct page *pg = p2m_get_page(d, gpa_to_gfn(at->gpa), true);
    uint64_t pte = at->pte;
    bool same;

    if (!pg)
        return true;
    char *va = window_map(page_mfn(pg));
    void *entry = va + at->gpa.v % PAGE_SIZE;
    if (size == 8)
        same = mem_cmpxchg64(entry, pte, pte | bits) == pte;
    else
        same = mem_cmpxchg32(entry, (uint32_t)pte, (uint32_t)(pte | bits)) == pte;
    window_unmap(va);
    page_put(pg);
    return same;
}

static bool has_reserved(const struct shape *s, uint64_t pte, unsigned int level, bool leaf)
{
    uint64_t reserved = s->reserved;

    if (unlikely(pte & PTE_PS && level > 1 && !leaf && s->entry_size == 8))
        return true; /* a large page where there are none */
    if (leaf && level > 1)
        reserved |= s->entry_size == 8 ? BITS(13, 11 + 9 * (level - 1)) : BIT(21);
    return pte & reserved;
}

/* rights: RW and US as all levels together give them, NX if any level has it. */
static bool allowed(const struct vcpu_control *c, unsigned int access, uint64_t rights)
{
    bool user = access & WALK_USER;

    if (user && !(rights & PTE_US))
        return false;
    if (access & WALK_WRITE && !(rights & PTE_RW) && (user || c->cr0 & CR0_WP))
        return false;
    if (access & WALK_FETCH)
        return !(rights & PTE_NX) && (user || !(rights & PTE_US) || !(c->cr4 & CR4_SMEP));
    return user || !(access & WALK_SMAP) || !(rights & PTE_US) || !(c->cr4 & CR4_SMAP);
}

static gpa_t leaf_gpa(const struct shape *s, uint64_t pte, unsigned int level, uint64_t linear)
{
    uint64_t inside = (1ULL << (PAGE_SHIFT + s->index_bits * (level - 1))) - 1;
    uint64_t base = pte & s->frame & ~inside;

    if (level == 2 && s->entry_size == 4) /* PSE-36 */
        base |= (pte & BITS(13, 20)) << 19;
    return _gpa(base | (linear & inside));
}

enum outcome { DONE, FAULT, AGAIN };

static enum outcome walk_once(struct domain *d, const struct vcpu_control *c, const struct shape *s,
                              uint64_t linear, unsigned int access, gpa_t *gpa, uint32_t *error)
{
    uint64_t table = c->cr3 & (s->levels == 3 ? BITS(5, 31) : s->frame);
    uint64_t both = PTE_RW | PTE_US, any = 0;

    for (unsigned int level = s->levels;; level--) {
        unsigned int shift = PAGE_SHIFT + s->index_bits * (level - 1);
        uint64_t index = (linear >> shift) & ((1u << s->index_bits) - 1);
        struct place at = {.gpa = _gpa(table + index * s->entry_size)};
        if (!pte_read(d, &at, s->entry_size) || !(at.pte & PTE_P))
            return FAULT;

        bool leaf = level == 1 || (at.pte & PTE_PS && level <= s->large);
        bool top_pae = s->levels == 3 && level == 3; /* has neither rights nor accessed bit */
        if (unlikely(has_reserved(s, at.pte, level, leaf))) {
            *error |= PF_PRESENT | PF_RESERVED;
            return FAULT;
        }
        if (likely(!top_pae)) {
            both &= at.pte;
            any |= at.pte;
        }
        uint64_t want = top_pae ? 0 : PTE_A;
        if (leaf) {
            if (unlikely(!allowed(c, access, both | (any & PTE_NX)))) {
                *error |= PF_PRESENT;
                return FAULT;
            }
            if (access & WALK_WRITE)
                want |= PTE_D;
        }
        if (unlikely(want & ~at.pte) && !pte_set(d, &at, s->entry_size, want))
            return AGAIN;
        if (leaf) {
            *gpa = leaf_gpa(s, at.pte, level, linear);
            return DONE;
        }
        table = at.pte & s->frame;
    }
}

int walk(struct vcpu *v, const struct vcpu_control *c, uint64_t linear, unsigned int access,
         gpa_t *gpa, uint32_t *error)
{
    struct domain *d = v->domain;
    bool fetch_bit = c->efer & EFER_NXE || c->cr4 & CR4_SMEP;

    if (!(c->efer & EFER_LMA))
        linear = (uint32_t)linear;
    else if (unlikely((uint64_t)((int64_t)(linear << 16) >> 16) != linear)) {
        *error = 0;
        return -XEN_EFAULT;
    }
    if (unlikely(!(c->cr0 & CR0_PG))) {
        *gpa = _gpa(linear);
        return 0;
    }
    struct shape s = shape_of(d, c);
    for (int n = 0; n < RESTARTS; n++) {
        *error = (access & WALK_WRITE ? PF_WRITE : 0) | (access & WALK_USER ? PF_USER : 0) |
                 (access & WALK_FETCH && fetch_bit ? PF_FETCH : 0);
        enum outcome o = walk_once(d, c, &s, linear, access, gpa, error);
        if (likely(o != AGAIN))
            return o == DONE ? 0 : -XEN_EFAULT;
    }
    return -XEN_EFAULT;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page walk. Entries are read once, without a reference on their tables: if the guest's
 * physical map changed meanwhile the walk begins anew. Accessed and dirty bits are set by compare
 * and swap against what was read; when that fails the walk begins anew, as the CPU's would.
 *
 * A walk of four levels is remembered with the places and values of its entries. A later one of the
 * same page reads the same places again and, when nothing differs, has the same result.
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
    uint64_t root;     /* address bits of CR3 */
    uint64_t frame;    /* address bits of an entry */
    uint64_t reserved; /* in every entry, beside addresses beyond the guest's and NX */
};

static const struct shape shape_long = {4, 9, 8, 3, BITS(12, 51), BITS(12, 51), 0};
static const struct shape shape_pae = {3, 9, 8, 2, BITS(5, 31), BITS(12, 51), BITS(52, 62)};
static const struct shape shape_32_pse = {2, 10, 4, 2, BITS(12, 31), BITS(12, 31), 0};
static const struct shape shape_32 = {2, 10, 4, 1, BITS(12, 31), BITS(12, 31), 0};

/* A walk on its way down. */
struct walker {
    struct domain *d;
    const struct vcpu_control *c;
    uint64_t generation; /* of the physical map at its start */
    uint64_t linear;
    unsigned int access;
    uint64_t reserved;  /* bits in every entry */
    uint64_t both, any; /* of all entries so far: RW and US; NX */
    uint64_t table;     /* physical address; of the page at the end */
    uint32_t error;
    const void *entry[4]; /* by level - 1: where the entry was read, if in a window; its value */
    uint64_t pte[4];
    unsigned int leaf; /* its level */
};

enum outcome { NEXT, DONE, FAULT, AGAIN };

/* -- entries ---------------------------------------------------------------------------------- */

static uint64_t entry_load(const void *entry, unsigned int size)
{
    return size == 8 ? mem_load64(entry) : mem_load32(entry);
}

static uint64_t entry_read_miss(gpa_t gpa, mfn_t mfn, unsigned int size)
{
    if (mfn.v == FRAME_NONE)
        return 0;
    const char *va = window_map(mfn);
    uint64_t pte = entry_load(va + gpa.v % PAGE_SIZE, size);
    window_unmap(va);
    return pte;
}

/* 0, not present, when there is no memory. */
static inline uint64_t entry_read(struct walker *w, gpa_t gpa, unsigned int size,
                                  unsigned int level)
{
    mfn_t mfn = p2m_peek(&w->d->p2m, gpa_to_gfn(gpa), w->generation);
    const char *va = window_peek(mfn);

    if (unlikely(!va))
        return entry_read_miss(gpa, mfn, size);
    w->entry[level - 1] = va + gpa.v % PAGE_SIZE;
    return w->pte[level - 1] = entry_load(va + gpa.v % PAGE_SIZE, size);
}

/* Sets bits; false: the entry has changed. A table that may not be written keeps its bits. */
static bool entry_mark(struct domain *d, gpa_t gpa, unsigned int size, uint64_t pte, uint64_t bits)
{
    struct page *pg = p2m_get_page(d, gpa_to_gfn(gpa), true);
    bool same;

    if (!pg)
        return true;
    char *va = window_map(page_mfn(pg));
    void *entry = va + gpa.v % PAGE_SIZE;
    if (size == 8)
        same = mem_cmpxchg64(entry, pte, pte | bits) == pte;
    else
        same = mem_cmpxchg32(entry, (uint32_t)pte, (uint32_t)(pte | bits)) == pte;
    window_unmap(va);
    page_put(pg);
    return same;
}

/* Reserved bits of an entry with PTE_PS above level 1. */
static uint64_t large_reserved(const struct shape *s, unsigned int level)
{
    if (s->entry_size == 4)
        return level > s->large ? 0 : BIT(21);
    return level > s->large ? PTE_PS : BITS(13, 11 + 9 * (level - 1));
}

static bool allowed_at_length(const struct vcpu_control *c, unsigned int access, uint64_t both,
                              uint64_t any)
{
    bool user = access & WALK_USER, user_page = both & PTE_US;

    if (user && !user_page)
        return false;
    if (access & WALK_WRITE && !(both & PTE_RW) && (user || c->cr0 & CR0_WP))
        return false;
    if (access & WALK_FETCH)
        return !(any & PTE_NX) && (user || !user_page || !(c->cr4 & CR4_SMEP));
    return user || !user_page || !(access & WALK_SMAP) || !(c->cr4 & CR4_SMAP);
}

static inline bool allowed(const struct vcpu_control *c, unsigned int access, uint64_t both,
                           uint64_t any)
{
    if (likely(!(access & ~WALK_WRITE) && both & PTE_RW)) /* hypercall arguments */
        return true;
    return allowed_at_length(c, access, both, any);
}

static void set_page(struct walker *w, const struct shape *s, uint64_t pte, unsigned int level)
{
    uint64_t inside = (1ULL << (PAGE_SHIFT + s->index_bits * (level - 1))) - 1;

    w->leaf = level;
    w->table = (pte & s->frame & ~inside) | (w->linear & inside & PAGE_MASK);
    if (level == 2 && s->entry_size == 4) /* PSE-36 */
        w->table |= (pte & BITS(13, 20)) << 19;
}

/* Takes the entry read at `at` into account. */
static enum outcome entry_follow(struct walker *w, const struct shape *s, gpa_t at, uint64_t pte,
                                 unsigned int level)
{
    bool leaf = level == 1 || (pte & PTE_PS && level <= s->large);
    bool top_pae = s->levels == 3 && level == 3; /* has neither rights nor an accessed bit */
    uint64_t want = top_pae ? 0 : PTE_A;

    if (!(pte & PTE_P))
        return FAULT;
    w->error = PF_PRESENT | PF_RESERVED;
    if (pte & (w->reserved | (level > 1 && pte & PTE_PS ? large_reserved(s, level) : 0)))
        return FAULT;
    w->error = PF_PRESENT;
    if (!top_pae) {
        w->both &= pte;
        w->any |= pte;
    }
    if (leaf) {
        if (!allowed(w->c, w->access, w->both, w->any))
            return FAULT;
        if (w->access & WALK_WRITE)
            want |= PTE_D;
    }
    w->error = 0;
    if (want & ~pte && !entry_mark(w->d, at, s->entry_size, pte, want))
        return AGAIN;
    if (!leaf) {
        w->table = pte & s->frame;
        return NEXT;
    }
    set_page(w, s, pte, level);
    return DONE;
}

/* -- walks ------------------------------------------------------------------------------------ */

static inline __attribute__((always_inline)) enum outcome descend(struct walker *w,
                                                                  const struct shape *s)
{
    w->table = w->c->cr3 & s->root;
    w->reserved = s->reserved;
    if (s->entry_size == 8)
        w->reserved |=
            (~0ULL << w->d->p2m.bits & BITS(12, 51)) | (w->c->efer & EFER_NXE ? 0 : PTE_NX);
    for (unsigned int level = s->levels;; level--) {
        unsigned int shift = PAGE_SHIFT + s->index_bits * (level - 1);
        uint64_t index = (w->linear >> shift) & ((1u << s->index_bits) - 1);
        gpa_t at = _gpa(w->table + index * s->entry_size);
        uint64_t pte = entry_read(w, at, s->entry_size, level);
        /* Most entries are a table's that has been used before. */
        if (likely(level > 1 &&
                   !((pte ^ (PTE_P | PTE_A)) & (PTE_P | PTE_A | PTE_PS | w->reserved)))) {
            w->both &= pte;
            w->any |= pte;
            w->table = pte & s->frame;
            continue;
        }
        enum outcome o = entry_follow(w, s, at, pte, level);
        if (o != NEXT)
            return o;
    }
}

static enum outcome descend_short(struct walker *w)
{
    const struct shape *s = w->c->cr4 & CR4_PSE ? &shape_32_pse : &shape_32;

    return descend(w, w->c->cr4 & CR4_PAE ? &shape_pae : s);
}

/* -- memory of walks -------------------------------------------------------------------------- */

static struct walk_memo *memo_slot(uint64_t linear)
{
    return &this_cpu()->walk[(linear >> PAGE_SHIFT) % WALK_MEMO_SLOTS];
}

/* After a walk that was done. An entry that had to be marked is another one by now. */
static void memo_store(const struct walker *w)
{
    struct walk_memo *m = memo_slot(w->linear);

    m->generation = 0;
    for (unsigned int i = 0; i < w->leaf - 1; i++)
        m->entry[i] = &m->pte[i]; /* always equal */
    for (unsigned int i = w->leaf - 1; i < 4; i++) {
        if (!w->entry[i] || !window_stays(w->entry[i]) || !(w->pte[i] & PTE_A))
            return;
        m->entry[i] = w->entry[i];
        m->pte[i] = w->pte[i];
    }
    m->page = w->linear >> PAGE_SHIFT;
    m->cr3 = w->c->cr3;
    m->efer = w->c->efer;
    m->both = w->both;
    m->any = w->any;
    m->result = w->table;
    m->epoch = this_cpu()->window_epoch;
    m->dirty = w->pte[w->leaf - 1] & PTE_D;
    m->generation = w->generation;
}

/* What a walk would find now, if that is what one found before; NULL if that takes a walk. */
static inline const struct walk_memo *memo_find(const struct vcpu_control *c, uint64_t linear,
                                                unsigned int access, uint64_t generation)
{
    const struct walk_memo *m = memo_slot(linear);

    if (unlikely(m->page != linear >> PAGE_SHIFT || m->cr3 != c->cr3 || m->efer != c->efer ||
                 m->generation != generation || m->epoch != this_cpu()->window_epoch))
        return NULL;
    if (unlikely(mem_load64(m->entry[0]) != m->pte[0] || mem_load64(m->entry[1]) != m->pte[1] ||
                 mem_load64(m->entry[2]) != m->pte[2] || mem_load64(m->entry[3]) != m->pte[3]))
        return NULL;
    if (unlikely(access & WALK_WRITE && !m->dirty))
        return NULL;
    return likely(allowed(c, access, m->both, m->any)) ? m : NULL;
}

/* -- the whole --------------------------------------------------------------------------------- */

/* The walker's error, with the bits that depend on the access. */
static uint32_t error_code(const struct walker *w)
{
    bool fetch_bit = w->c->efer & EFER_NXE || w->c->cr4 & CR4_SMEP;

    return w->error | (w->access & WALK_WRITE ? PF_WRITE : 0) |
           (w->access & WALK_USER ? PF_USER : 0) |
           (w->access & WALK_FETCH && fetch_bit ? PF_FETCH : 0);
}

static enum outcome walk_once(struct walker *w)
{
    w->generation = READ_ONCE(w->d->p2m.generation);
    w->both = PTE_RW | PTE_US;
    w->any = w->error = 0;
    memset(w->entry, 0, sizeof(w->entry));
    enum outcome o = w->c->efer & EFER_LMA ? descend(w, &shape_long) : descend_short(w);
    if (w->generation != READ_ONCE(w->d->p2m.generation))
        return AGAIN;
    if (o == DONE && w->c->efer & EFER_LMA)
        memo_store(w);
    return o;
}

static int walk_anew(struct domain *d, const struct vcpu_control *c, uint64_t linear,
                     unsigned int access, gpa_t *gpa, uint32_t *error)
{
    struct walker w = {.d = d, .c = c, .linear = linear, .access = access};
    bool wide = c->efer & EFER_LMA;
    enum outcome o = FAULT;

    if (!wide)
        w.linear = (uint32_t)linear;
    if (!(c->cr0 & CR0_PG)) {
        *gpa = _gpa(w.linear);
        return 0;
    }
    bool canonical = (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
    for (int n = 0; n < RESTARTS && (!wide || canonical); n++) {
        o = walk_once(&w);
        if (likely(o != AGAIN))
            break;
    }
    if (likely(o == DONE)) {
        *gpa = _gpa(w.table | linear % PAGE_SIZE);
        return 0;
    }
    *error = canonical || !wide ? error_code(&w) : 0;
    return -XEN_EFAULT;
}

int walk(struct vcpu *v, const struct vcpu_control *c, uint64_t linear, unsigned int access,
         gpa_t *gpa, uint32_t *error)
{
    struct domain *d = v->domain;
    uint64_t generation = READ_ONCE(d->p2m.generation);
    const struct walk_memo *m = memo_find(c, linear, access, generation);

    if (likely(m && generation == READ_ONCE(d->p2m.generation))) {
        *gpa = _gpa(m->result | linear % PAGE_SIZE);
        return 0;
    }
    return walk_anew(d, c, linear, access, gpa, error);
}

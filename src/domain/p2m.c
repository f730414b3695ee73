/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Second-stage tables of four levels, level 1 the lowest. Written under the lock, an entry by one
 * store; read without. A table that is taken out of the tree stays readable for a grace period.
 */
#include "arch/x86/p2m/npt.h"
#include "core/pcpu.h"
#include "core/printk.h"
#include "core/reclaim.h"
#include "domain/domain.h"
#include "lib/bits.h"
#include "mem/heap.h"

#define PTE_PRESENT    BIT(0)
#define PTE_LARGE      BIT(7)
#define PTE_FRAME      BITS(12, 51)
#define PTE_TYPE_SHIFT 52
#define ENTRIES        512u
#define LEVELS         4u

/* Tables freed by one p2m_fini_step(). */
#define FINI_TABLES 64

const struct p2m_format *p2m_format = &npt_format;

/* What a type allows: the guest to read, write, execute, and Krypton to look in for it. */
enum { R = 1, W = 2, X = 4, DOOR = 8 };
static const uint8_t rights[P2M_TYPES] = {
    [P2M_RAM] = R | W | X | DOOR,
    [P2M_RAM_RO] = R | X | DOOR,
    [P2M_LOGDIRTY] = R | X | DOOR,
    [P2M_GRANT] = R | W | DOOR,
    [P2M_GRANT_RO] = R | DOOR,
    [P2M_FOREIGN] = R | W | DOOR,
    [P2M_MMIO] = R | W,
    [P2M_MODULE] = R,
};

/* -- entries ---------------------------------------------------------------------------------- */

static unsigned int level_order(unsigned int level)
{
    return 9 * (level - 1);
}

static unsigned int pte_index(uint64_t gfn, unsigned int level)
{
    return (unsigned int)(gfn >> level_order(level)) % ENTRIES;
}

static bool pte_is_leaf(uint64_t pte, unsigned int level)
{
    return pte & PTE_PRESENT && (level == 1 || pte & PTE_LARGE);
}

static bool pte_is_table(uint64_t pte, unsigned int level)
{
    return pte & PTE_PRESENT && !pte_is_leaf(pte, level);
}

static mfn_t pte_mfn(uint64_t pte)
{
    return _mfn((pte & PTE_FRAME) >> PAGE_SHIFT);
}

static enum p2m_type pte_type(uint64_t pte)
{
    return pte & PTE_PRESENT ? (enum p2m_type)((pte >> PTE_TYPE_SHIFT) % 16) : P2M_HOLE;
}

static uint64_t pte_leaf(mfn_t mfn, enum p2m_type type, unsigned int level)
{
    if (type == P2M_HOLE)
        return 0;
    return mfn.v << PAGE_SHIFT | (uint64_t)type << PTE_TYPE_SHIFT | p2m_format->leaf[type] |
           (level > 1 ? PTE_LARGE : 0);
}

static uint64_t *pte_table(uint64_t pte)
{
    return mfn_kva(pte_mfn(pte));
}

/* The entry for gfn that pte, found at `level`, makes. */
static struct p2m_entry pte_entry(uint64_t pte, uint64_t gfn, unsigned int level)
{
    struct p2m_entry e = {.mfn = MFN_NONE, .type = P2M_HOLE, .order = level_order(level)};

    if (pte_is_leaf(pte, level)) {
        e.type = pte_type(pte);
        e.mfn = mfn_add(pte_mfn(pte), gfn & ((1ULL << e.order) - 1));
    }
    return e;
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn)
{
    mfn_t root = READ_ONCE(d->p2m.root);
    unsigned int level = LEVELS;
    uint64_t pte;

    if (root.v == FRAME_NONE || gfn.v >> (d->p2m.bits - PAGE_SHIFT))
        return pte_entry(0, gfn.v, LEVELS);
    const uint64_t *table = mfn_kva(root);
    while (pte = READ_ONCE(table[pte_index(gfn.v, level)]), pte_is_table(pte, level)) {
        table = pte_table(pte);
        level--;
    }
    return pte_entry(pte, gfn.v, level);
}

/* -- tables ----------------------------------------------------------------------------------- */

static uint64_t *table_alloc(struct p2m *p2m)
{
    uint64_t *table = p2m->pool_pages < p2m->pool_limit ? kpage_alloc(0) : NULL;

    if (table)
        p2m->pool_pages++;
    return table;
}

/* Its address must be even. */
static void __attribute__((aligned(16))) table_free(struct reclaim *r)
{
    kpage_free(r, 0);
}

/* Frees a table after a grace period. The record for that lies in the table itself: a CPU that
 * still walks it finds entries that are not present (words with bit 0 clear), faults, and finds
 * the new state. */
static void table_retire(struct p2m *p2m, uint64_t *table)
{
    p2m->pool_pages--;
    reclaim_defer((struct reclaim *)(void *)table, table_free);
}

/* Retires a table of `level` that no entry names any more, and all below it. */
static void tree_retire(struct p2m *p2m, uint64_t *table, unsigned int level)
{
    for (unsigned int i = 0; i < ENTRIES; i++)
        if (pte_is_table(table[i], level))
            tree_retire(p2m, pte_table(table[i]), level - 1);
        else
            p2m->entries[pte_type(table[i])] -= 1ULL << level_order(level);
    table_retire(p2m, table);
}

/* Puts a table in place of an entry of `level`, with what the entry said; NULL: no memory. */
static uint64_t *entry_split(struct p2m *p2m, uint64_t *pte, unsigned int level)
{
    uint64_t *table = table_alloc(p2m);

    if (!table)
        return NULL;
    if (*pte & PTE_PRESENT)
        for (unsigned int i = 0; i < ENTRIES; i++)
            table[i] = pte_leaf(mfn_add(pte_mfn(*pte), (uint64_t)i << level_order(level - 1)),
                                pte_type(*pte), level - 1);
    smp_wmb();
    WRITE_ONCE(*pte, kva_mfn(table).v << PAGE_SHIFT | p2m_format->table);
    return table;
}

/* The place of gfn's entry at `level`. *pte is NULL when a hole is wanted and there is one. */
static int entry_find(struct p2m *p2m, uint64_t gfn, unsigned int level, bool hole, uint64_t **pte)
{
    uint64_t *table = mfn_kva(p2m->root);

    *pte = NULL;
    for (unsigned int l = LEVELS; l > level; l--) {
        uint64_t *at = &table[pte_index(gfn, l)];
        if (hole && !(*at & PTE_PRESENT))
            return 0;
        table = pte_is_table(*at, l) ? pte_table(*at) : entry_split(p2m, at, l);
        if (!table)
            return -XEN_ENOMEM;
    }
    *pte = &table[pte_index(gfn, level)];
    return 0;
}

static void entry_write(struct p2m *p2m, uint64_t *pte, uint64_t new, unsigned int level)
{
    uint64_t old = *pte, size = 1ULL << level_order(level);
    enum p2m_type old_type = pte_type(old), new_type = pte_type(new);
    bool was_table = pte_is_table(old, level);
    bool same_frame = pte_mfn(old).v == pte_mfn(new).v;

    WRITE_ONCE(*pte, new);
    /* A full barrier: see domain/flush.c. */
    if (was_table || (old & PTE_PRESENT && (!same_frame || rights[old_type] & ~rights[new_type])))
        __atomic_fetch_add(&p2m->generation, 1, __ATOMIC_SEQ_CST);
    p2m->entries[new_type] += size;
    if (was_table)
        tree_retire(p2m, pte_table(old), level - 1);
    else
        p2m->entries[old_type] -= size;
}

static int change_locked(struct p2m *p2m, gfn_t gfn, mfn_t mfn, unsigned int order,
                         enum p2m_type type, const struct p2m_entry *expect, struct p2m_entry *old)
{
    unsigned int level = order / 9 + 1;
    uint64_t *pte, mask = (1ULL << order) - 1;

    if (p2m->root.v == FRAME_NONE)
        return -XEN_EINVAL;
    int err = entry_find(p2m, gfn.v, level, type == P2M_HOLE, &pte);
    if (err)
        return err;
    struct p2m_entry was = pte_entry(pte ? *pte : 0, gfn.v, level);
    if (old)
        *old = was;
    if (expect && (was.type != expect->type || !mfn_eq(was.mfn, expect->mfn)))
        return -XEN_EAGAIN;
    if (pte)
        entry_write(p2m, pte, pte_leaf(mfn, type, level), level);
    p2m->max_gfn = max(p2m->max_gfn, gfn.v | mask);
    return 0;
}

static int change(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type,
                  const struct p2m_entry *expect, struct p2m_entry *old)
{
    struct p2m *p2m = &d->p2m;
    uint64_t mask = (1ULL << order) - 1;

    if (order % 9 || order > 18 || gfn.v & mask || (type != P2M_HOLE && mfn.v & mask) ||
        gfn.v >> (p2m->bits - PAGE_SHIFT))
        return -XEN_EINVAL;
    lock(&p2m->lock);
    int err = change_locked(p2m, gfn, mfn, order, type, expect, old);
    unlock(&p2m->lock);
    return err;
}

int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type,
            struct p2m_entry *old)
{
    return change(d, gfn, mfn, order, type, NULL, old);
}

int p2m_replace(struct domain *d, gfn_t gfn, const struct p2m_entry *expect, mfn_t mfn,
                enum p2m_type type)
{
    return change(d, gfn, mfn, 0, type, expect, NULL);
}

int p2m_walk(struct domain *d, gfn_t start, gfn_t end,
             int (*fn)(void *ctx, gfn_t gfn, const struct p2m_entry *e), void *ctx)
{
    uint64_t gfn = start.v, limit = min(end.v, d->p2m.max_gfn + 1);

    while (gfn < limit) {
        struct p2m_entry e = p2m_lookup(d, _gfn(gfn));
        int ret = e.type == P2M_HOLE ? 0 : fn(ctx, _gfn(gfn), &e);
        if (ret)
            return ret;
        gfn = (gfn | ((1ULL << e.order) - 1)) + 1;
    }
    return 0;
}

/* -- life ------------------------------------------------------------------------------------- */

int p2m_init(struct domain *d, uint64_t pool_limit)
{
    static uint64_t tag;
    struct p2m *p2m = &d->p2m;

    *p2m = (struct p2m){
        .root = MFN_NONE,
        .pool_limit = pool_limit,
        .generation = __atomic_add_fetch(&tag, 1, __ATOMIC_RELAXED) << 40,
        .bits = 48,
    };
    lock_init(&p2m->lock, RANK_P2M);
    uint64_t *root = table_alloc(p2m);
    if (!root)
        return -XEN_ENOMEM;
    p2m->root = kva_mfn(root);
    return 0;
}

/* Retires the tables below one of `level`; false when the budget is used up before. */
static bool fini_below(struct p2m *p2m, uint64_t *table, unsigned int level, int *budget)
{
    for (unsigned int i = 0; i < ENTRIES; i++) {
        uint64_t pte = table[i];
        if (!pte_is_table(pte, level))
            continue;
        if (level > 2 && !fini_below(p2m, pte_table(pte), level - 1, budget))
            return false;
        if ((*budget)-- == 0)
            return false;
        WRITE_ONCE(table[i], 0);
        table_retire(p2m, pte_table(pte));
    }
    return true;
}

bool p2m_fini_step(struct domain *d)
{
    struct p2m *p2m = &d->p2m;
    int budget = FINI_TABLES;

    if (p2m->root.v == FRAME_NONE)
        return false;
    lock(&p2m->lock);
    uint64_t *root = mfn_kva(p2m->root);
    bool done = fini_below(p2m, root, LEVELS, &budget);
    if (done) {
        WRITE_ONCE(p2m->root.v, FRAME_NONE);
        table_retire(p2m, root);
    }
    __atomic_fetch_add(&p2m->generation, 1, __ATOMIC_SEQ_CST);
    unlock(&p2m->lock);
    return !done;
}

/* -- frames ----------------------------------------------------------------------------------- */

#define TYPES_OWN   (BIT(P2M_RAM) | BIT(P2M_RAM_RO) | BIT(P2M_LOGDIRTY))
#define TYPES_READ  (TYPES_OWN | BIT(P2M_GRANT) | BIT(P2M_GRANT_RO) | BIT(P2M_FOREIGN))
#define TYPES_WRITE (BIT(P2M_RAM) | BIT(P2M_GRANT) | BIT(P2M_FOREIGN))

static bool frame_get(const struct domain *d, struct page *pg, enum p2m_type type)
{
    unsigned int owner;

    if (likely(BIT(type) & TYPES_OWN))
        return page_get(pg, d->id);
    return page_get_any(pg, &owner);
}

/* The frame at gfn when its type is among `types`. An entry whose generation is still the same once
 * the reference is held was there while the reference was taken, so its own held the frame. */
static __attribute__((noinline)) struct page *walk_get(struct domain *d, gfn_t gfn, uint64_t types)
{
    for (;;) {
        uint64_t generation = READ_ONCE(d->p2m.generation);
        smp_rmb();
        struct p2m_entry e = p2m_lookup(d, gfn);
        if (!(types >> e.type & 1) || !frame_valid(e.mfn))
            return NULL;
        struct page *pg = page_of(e.mfn);
        bool got = frame_get(d, pg, e.type);
        if (likely(generation == READ_ONCE(d->p2m.generation))) {
            if (got)
                *p2m_look_slot(gfn) = (struct p2m_look){.gfn = gfn.v,
                                                        .generation = generation,
                                                        .mfn = e.mfn.v,
                                                        .type = (uint8_t)e.type};
            return got ? pg : NULL;
        }
        if (got)
            page_put(pg);
    }
}

struct page *p2m_get_page(struct domain *d, gfn_t gfn, bool write)
{
    const struct p2m_look *l = p2m_look_slot(gfn);
    uint64_t types = write ? TYPES_WRITE : TYPES_READ, generation = READ_ONCE(d->p2m.generation);
    struct page *pg = page_of(_mfn(l->mfn));

    /* Own memory only: what is another's is found the long way. */
    if (likely(l->gfn == gfn.v && l->generation == generation &&
               (types & TYPES_OWN) >> l->type & 1 && page_get(pg, d->id))) {
        if (likely(generation == READ_ONCE(d->p2m.generation)))
            return pg;
        page_put(pg);
    }
    return walk_get(d, gfn, types);
}

mfn_t p2m_peek_miss(struct p2m *p2m, gfn_t gfn)
{
    struct page *pg = walk_get(container_of(p2m, struct domain, p2m), gfn, TYPES_READ);

    if (!pg)
        return MFN_NONE;
    mfn_t mfn = page_mfn(pg);
    page_put(pg);
    return mfn;
}

struct page *p2m_get_own_page(struct domain *d, gfn_t gfn, bool write)
{
    struct page *pg = walk_get(d, gfn, write ? BIT(P2M_RAM) : TYPES_OWN);

    if (pg && page_flags(pg) & PAGE_SPECIAL) {
        page_put(pg);
        return NULL;
    }
    return pg;
}

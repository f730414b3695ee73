/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain/p2m.h with NPT entries: against a flat model, entries of all sizes and types are what was
 * set last, counts and generation follow, frames are had by their rights only, and all tables come
 * back. The hardware's view is checked by a walker of its own.
 */
#include "unit/fixture.h"

#include "arch/x86/p2m/npt.h"
#include "lib/bits.h"

static struct domain d;
static struct vcpu v;

/* As AMD APM vol. 2, 5.3 has the CPU do it. 0 = not present. */
static uint64_t hardware_walk(uint64_t gfn, unsigned int *order)
{
    uint64_t base = d.p2m.root.v;

    for (unsigned int level = 4;; level--) {
        const uint64_t *table = sim_phys(_mfn(base));
        uint64_t pte = table[gfn >> (9 * (level - 1)) & 511];
        *order = 9 * (level - 1);
        if (!(pte & 1))
            return 0;
        assert_true(pte & BIT(2));
        assert_int_equal(pte & BIT(8), 0); /* global, reserved above level 1 */
        if (level == 1 || pte & BIT(7))
            return pte;
        assert_true(pte & BIT(1) && !(pte & BIT(63)));
        base = (pte & BITS(12, 51)) >> 12;
    }
}

enum { SPAN = 4 * 512, BASE = 512 * 512 - 2 * 512 }; /* across a 1G border */
static struct {
    enum p2m_type type;
    uint64_t mfn;
} model[SPAN];

static void check(uint64_t i)
{
    struct p2m_entry e = p2m_lookup(&d, _gfn(BASE + i));
    unsigned int order;
    uint64_t pte = hardware_walk(BASE + i, &order);

    assert_int_equal(e.type, model[i].type);
    assert_int_equal(e.order, order);
    if (e.type == P2M_HOLE) {
        assert_int_equal(e.mfn.v, FRAME_NONE);
        assert_int_equal(pte, 0);
        return;
    }
    assert_int_equal(e.mfn.v, model[i].mfn);
    assert_int_equal((pte & BITS(12, 51)) >> 12, model[i].mfn & ~((1ULL << order) - 1));
    bool write =
        e.type == P2M_RAM || e.type == P2M_GRANT || e.type == P2M_FOREIGN || e.type == P2M_MMIO;
    bool exec = e.type == P2M_RAM || e.type == P2M_RAM_RO || e.type == P2M_LOGDIRTY;
    assert_int_equal(!!(pte & BIT(1)), write);
    assert_int_equal(!(pte & BIT(63)), exec);
}

static void random_walk(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    kpage_drain();
    uint64_t free = heap_free_pages();
    fixture_domain(&d, &v, 1);
    srand(1);
    for (int step = 0; step < 3000; step++) {
        unsigned int order = rand() % 4 ? 0 : 9;
        uint64_t size = 1ULL << order, i = (uint64_t)rand() % SPAN & ~(size - 1);
        enum p2m_type type = (enum p2m_type)(rand() % P2M_TYPES);
        uint64_t mfn = (uint64_t)rand() % 100000 & ~(size - 1), generation = d.p2m.generation;
        bool taken = false;
        struct p2m_entry old;

        for (uint64_t k = i; k < i + size; k++)
            taken |=
                model[k].type != P2M_HOLE && (type == P2M_HOLE || model[k].mfn != mfn + (k - i));
        assert_int_equal(
            p2m_set(&d, _gfn(BASE + i), type == P2M_HOLE ? MFN_NONE : _mfn(mfn), order, type, &old),
            0);
        if (!order)
            assert_int_equal(old.type, model[i].type);
        if (taken)
            assert_true(d.p2m.generation > generation);
        for (uint64_t k = i; k < i + size; k++) {
            model[k].type = type;
            model[k].mfn = mfn + (k - i);
        }
        check(i);
        check(i + size - 1);
        check((uint64_t)rand() % SPAN);
        if (step % 100 == 0) {
            uint64_t count[P2M_TYPES] = {0};
            for (uint64_t k = 0; k < SPAN; k++) {
                check(k);
                count[model[k].type]++;
            }
            for (int t = P2M_HOLE + 1; t < P2M_TYPES; t++)
                assert_int_equal(d.p2m.entries[t], count[t]);
        }
        fixture_grace();
    }
    while (p2m_fini_step(&d))
        ;
    assert_int_equal(p2m_lookup(&d, _gfn(BASE)).type, P2M_HOLE);
    assert_int_equal(p2m_set(&d, _gfn(0), _mfn(1), 0, P2M_RAM, NULL), -XEN_EINVAL);
    assert_int_equal(d.p2m.pool_pages, 0);
    fixture_grace();
    assert_int_equal(heap_free_pages(), free);
}

/* A gigabyte is split one level at a time, and a gigabyte put over tables retires them. */
static void gigabyte(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    fixture_domain(&d, &v, 1);
    assert_int_equal(p2m_set(&d, _gfn(1 << 18), _mfn(3 << 18), 18, P2M_MODULE, NULL), 0);
    assert_int_equal(d.p2m.pool_pages, 2);
    assert_int_equal(p2m_lookup(&d, _gfn((1 << 18) + 12345)).mfn.v, (3 << 18) + 12345);
    assert_int_equal(p2m_set(&d, _gfn((1 << 18) + 5), MFN_NONE, 0, P2M_HOLE, NULL), 0);
    assert_int_equal(d.p2m.pool_pages, 4);
    assert_int_equal(p2m_lookup(&d, _gfn((1 << 18) + 5)).type, P2M_HOLE);
    assert_int_equal(p2m_lookup(&d, _gfn((1 << 18) + 6)).mfn.v, (3 << 18) + 6);
    assert_int_equal(p2m_lookup(&d, _gfn((1 << 18) + 511)).order, 0);
    assert_int_equal(p2m_lookup(&d, _gfn((1 << 18) + 512)).order, 9);
    assert_int_equal(d.p2m.entries[P2M_MODULE], (1 << 18) - 1);
    uint64_t generation = d.p2m.generation;
    assert_int_equal(p2m_set(&d, _gfn(1 << 18), _mfn(3 << 18), 18, P2M_MODULE, NULL), 0);
    assert_true(d.p2m.generation > generation);
    assert_int_equal(d.p2m.pool_pages, 2);
    assert_int_equal(d.p2m.entries[P2M_MODULE], 1 << 18);
    fixture_end(&d);
}

static void refuses(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    fixture_domain(&d, &v, 1);
    assert_int_equal(p2m_set(&d, _gfn(1ULL << 36), _mfn(1), 0, P2M_RAM, NULL), -XEN_EINVAL);
    assert_int_equal(p2m_set(&d, GFN_NONE, _mfn(1), 0, P2M_RAM, NULL), -XEN_EINVAL);
    assert_int_equal(p2m_set(&d, _gfn(1), _mfn(512), 9, P2M_RAM, NULL), -XEN_EINVAL);
    assert_int_equal(p2m_set(&d, _gfn(512), _mfn(1), 9, P2M_RAM, NULL), -XEN_EINVAL);
    assert_int_equal(p2m_set(&d, _gfn(0), _mfn(0), 5, P2M_RAM, NULL), -XEN_EINVAL);
    assert_int_equal(p2m_lookup(&d, _gfn(1ULL << 36)).type, P2M_HOLE);
    d.p2m.pool_limit = 3;
    assert_int_equal(p2m_set(&d, _gfn(0), _mfn(9), 0, P2M_MODULE, NULL), -XEN_ENOMEM);
    assert_int_equal(p2m_lookup(&d, _gfn(0)).type, P2M_HOLE);
    assert_int_equal(p2m_set(&d, _gfn(0), MFN_NONE, 0, P2M_HOLE, NULL), 0);
    d.p2m.pool_limit = 4;
    assert_int_equal(p2m_set(&d, _gfn(0), _mfn(9), 0, P2M_MODULE, NULL), 0);
    struct p2m_entry e = {.mfn = _mfn(8), .type = P2M_MODULE};
    assert_int_equal(p2m_replace(&d, _gfn(0), &e, _mfn(10), P2M_MODULE), -XEN_EAGAIN);
    e.mfn = _mfn(9);
    assert_int_equal(p2m_replace(&d, _gfn(0), &e, _mfn(10), P2M_MODULE), 0);
    assert_int_equal(p2m_lookup(&d, _gfn(0)).mfn.v, 10);
    fixture_end(&d);
}

static bool can_get(uint64_t gfn, bool write)
{
    struct page *pg = p2m_get_page(&d, _gfn(gfn), write);

    if (pg)
        page_put(pg);
    return pg;
}

static bool can_get_own(uint64_t gfn, bool write)
{
    struct page *pg = p2m_get_own_page(&d, _gfn(gfn), write);

    if (pg)
        page_put(pg);
    return pg;
}

/* Rights by type; twice, so that the look-aside answers too. */
static void pages(void **state)
{
    static const uint8_t want[P2M_TYPES] = {
        [P2M_RAM] = 15,  [P2M_RAM_RO] = 5,   [P2M_LOGDIRTY] = 5,
        [P2M_GRANT] = 3, [P2M_GRANT_RO] = 1, [P2M_FOREIGN] = 3,
    };

    sim_init(SIM_RAM_SIZE, 1);
    fixture_domain(&d, &v, 7);
    mfn_t mfn = fixture_ram(&d, 100);
    for (int type = P2M_HOLE; type < P2M_TYPES; type++)
        for (int round = 0; round < 2; round++) {
            assert_int_equal(p2m_set(&d, _gfn(100), mfn, 0, (enum p2m_type)type, NULL), 0);
            assert_int_equal(can_get(100, false), want[type] & 1);
            assert_int_equal(can_get(100, true), want[type] >> 1 & 1);
            assert_int_equal(can_get_own(100, false), want[type] >> 2 & 1);
            assert_int_equal(can_get_own(100, true), want[type] >> 3 & 1);
        }
    assert_int_equal(p2m_set(&d, _gfn(100), mfn, 0, P2M_RAM, NULL), 0);
    assert_int_equal(page_refs(page_of(mfn)), 1);
    page_set_flags(page_of(mfn), PAGE_SPECIAL, 0);
    assert_true(can_get(100, true));
    assert_false(can_get_own(100, true));

    /* Another domain's frame: by grant only. */
    mfn_t other = heap_alloc(0, 0);
    page_assign(page_of(other), 8, 0);
    assert_int_equal(p2m_set(&d, _gfn(101), other, 0, P2M_RAM, NULL), 0);
    assert_false(can_get(101, false));
    assert_int_equal(p2m_set(&d, _gfn(101), other, 0, P2M_GRANT, NULL), 0);
    assert_true(can_get(101, true));
    assert_int_equal(p2m_set(&d, _gfn(101), MFN_NONE, 0, P2M_HOLE, NULL), 0);
    page_put(page_of(other));
    fixture_end(&d);
}

/* The look-aside never answers with what was there before, nor for another domain. */
static void look_aside(void **state)
{
    static struct domain e;
    static struct vcpu w;

    sim_init(SIM_RAM_SIZE, 2);
    fixture_domain(&d, &v, 1);
    fixture_domain(&e, &w, 2);
    mfn_t a = fixture_ram(&d, 5), b = fixture_ram(&e, 5);
    for (int i = 0; i < 3; i++) {
        struct page *pa = p2m_get_page(&d, _gfn(5), true), *pb = p2m_get_page(&e, _gfn(5), true);
        assert_int_equal(page_mfn(pa).v, a.v);
        assert_int_equal(page_mfn(pb).v, b.v);
        page_put(pa);
        page_put(pb);
    }
    sim_cpu_set(1);
    fixture_drop(&d, 5);
    sim_cpu_set(0);
    assert_false(can_get(5, false));
    /* The id again: a new domain's map is another one. */
    fixture_end(&d);
    fixture_domain(&d, &v, 1);
    assert_false(can_get(5, false));
    fixture_end(&d);
    fixture_end(&e);
}

static int count_leaf(void *ctx, gfn_t gfn, const struct p2m_entry *e)
{
    uint64_t *sum = ctx;

    sum[0]++;
    sum[1] += gfn.v;
    return gfn.v == 4096 ? 42 : 0;
}

static void walks(void **state)
{
    uint64_t sum[2] = {0};

    sim_init(SIM_RAM_SIZE, 1);
    fixture_domain(&d, &v, 1);
    assert_int_equal(p2m_set(&d, _gfn(3), _mfn(9), 0, P2M_MODULE, NULL), 0);
    assert_int_equal(p2m_set(&d, _gfn(1024), _mfn(512), 9, P2M_MODULE, NULL), 0);
    assert_int_equal(p2m_set(&d, _gfn(4096), _mfn(9), 0, P2M_MODULE, NULL), 0);
    assert_int_equal(p2m_walk(&d, _gfn(0), _gfn(4096), count_leaf, sum), 0);
    assert_int_equal(sum[0], 2);
    assert_int_equal(sum[1], 1027);
    assert_int_equal(p2m_walk(&d, _gfn(1030), GFN_NONE, count_leaf, sum), 42);
    assert_int_equal(sum[1], 1027 + 1030 + 4096);
    fixture_end(&d);
}

UNIT_MAIN(cmocka_unit_test(random_walk), cmocka_unit_test(gigabyte), cmocka_unit_test(refuses),
          cmocka_unit_test(pages), cmocka_unit_test(look_aside), cmocka_unit_test(walks))

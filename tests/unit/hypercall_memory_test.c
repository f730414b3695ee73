/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/hypercall/{memory,physmap}.c: reservations, placement, the memory map, by 64- and 32-bit
 * callers: what is where afterwards, what was counted, and the exact refusals (hypercalls.md S4.4,
 * addendum A.2, B1.9, B1.10).
 */
#include "unit/hcall.h"

#include "mem/window.h"

static struct domain *d;

enum { LIST = ARG + 0x800, MANY = 40 };

static void setup(void)
{
    lab_start(1);
    d = hcall_domain(1);
    hcall_caller(d->vcpu[0], false);
}

/* The structure at ARG, the list at `list`. */
static long reservation(uint32_t op, const uint64_t *gfns, uint32_t n, uint32_t order,
                        uint64_t list)
{
    struct xen_memory_reservation r = {.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};
    struct compat_memory_reservation narrow = {.extent_start = (uint32_t)list,
                                               .nr_extents = n,
                                               .extent_order = order,
                                               .domid = DOMID_SELF};

    r.extent_start.p = (void *)(uintptr_t)list;
    hcall_put(ARG, compat ? (void *)&narrow : &r, compat ? sizeof(narrow) : sizeof(r));
    for (uint32_t i = 0; gfns && i < n; i++) {
        uint32_t gfn32 = (uint32_t)gfns[i];
        hcall_put(LIST + i * (compat ? 4 : 8), compat ? (void *)&gfn32 : &gfns[i], compat ? 4 : 8);
    }
    return hcall(12, op, ARG);
}

static long populate(uint64_t gfn, uint32_t order)
{
    return reservation(XENMEM_populate_physmap, &gfn, 1, order, LIST);
}
static long decrease(uint64_t gfn, uint32_t order)
{
    return reservation(XENMEM_decrease_reservation, &gfn, 1, order, LIST);
}

static void reservations(void **state)
{
    static const uint64_t three[] = {100, 300000, 102};
    static const uint64_t gap[] = {100, 101, 102};

    setup();
    for (EACH_MODE) {
        uint64_t before = d->tot_pages;
        assert_int_equal(reservation(XENMEM_populate_physmap, three, 3, 0, LIST), 3);
        assert_int_equal(d->tot_pages, before + 3);
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 512; k++)
                assert_int_equal(((uint64_t *)(void *)hcall_mem(three[i] << 12))[k], 0);
        memset(hcall_mem(100 << 12), 'x', PAGE_SIZE);
        mfn_t old = p2m_lookup(d, _gfn(100)).mfn;
        /* Over RAM: it is replaced. */
        assert_int_equal(populate(100, 0), 1);
        assert_int_equal(d->tot_pages, before + 3);
        assert_int_equal(*hcall_mem(100 << 12), 0);
        assert_true(page_refs(page_of(old)) == 0 || mfn_eq(p2m_lookup(d, _gfn(100)).mfn, old));
        /* A hole ends it. */
        assert_int_equal(reservation(XENMEM_decrease_reservation, gap, 3, 0, LIST), 1);
        assert_int_equal(reservation(XENMEM_decrease_reservation, three, 3, 0, LIST), 0);
        assert_int_equal(decrease(300000, 0), 1);
        assert_int_equal(decrease(102, 0), 1);
        assert_int_equal(d->tot_pages, before);
        assert_int_equal(p2m_lookup(d, _gfn(102)).type, P2M_HOLE);

        /* Never an errno for what the guest got wrong. */
        assert_int_equal(hcall(12, XENMEM_populate_physmap, HOLE), 0);
        assert_int_equal(hcall(12, XENMEM_populate_physmap | 5 << 6, HOLE), 5);
        assert_int_equal(reservation(XENMEM_populate_physmap, NULL, 3, 0, HOLE), 0);
        assert_int_equal(reservation(XENMEM_populate_physmap, NULL, 0, 0, HOLE), 0);
        assert_int_equal(reservation(XENMEM_populate_physmap, NULL, UINT32_MAX, 0, LIST), 0);
        assert_int_equal(populate(512, 10), 0);
        assert_int_equal(populate(512, UINT32_MAX), 0);
        assert_int_equal(populate(513, 9), 0); /* not aligned */
        if (!compat)
            assert_int_equal(populate(1ULL << 40, 0), 0);
        assert_int_equal(populate(0xffffffff, 0), 1);
        assert_int_equal(decrease(0xffffffff, 0), 1);
        assert_int_equal(d->tot_pages, before);

        /* The list leaves memory after two: two are done. */
        uint64_t at = HOLE - 2 * (compat ? 4 : 8);
        for (uint64_t i = 0; i < 2; i++) {
            uint64_t gfn = 200 + i;
            hcall_put(at + i * (compat ? 4 : 8), &gfn, compat ? 4 : 8);
        }
        assert_int_equal(reservation(XENMEM_populate_physmap, NULL, 5, 0, at), 2);
        assert_int_equal(reservation(XENMEM_decrease_reservation, NULL, 5, 0, at), 2);

        /* Memory at no address. */
        assert_int_equal(reservation(XENMEM_increase_reservation, NULL, 4, 0, 0), 4);
        assert_int_equal(d->tot_pages, before + 4);
        for (; d->tot_pages > before;)
            domain_put_page(d, page_of(_mfn(d->pages)));
    }
    hcall_end();
}

static void limits(void **state)
{
    setup();
    for (EACH_MODE) {
        uint64_t before = d->tot_pages;
        d->max_pages = before + 600;
        assert_int_equal(populate(1024, 9), 1);
        assert_int_equal(p2m_lookup(d, _gfn(1030)).order, 9);
        assert_int_equal(populate(1024, 9), 0); /* only holes take a large one */
        assert_int_equal(populate(2048, 9), 0); /* more than max_pages */
        assert_int_equal(d->tot_pages, before + 512);
        assert_int_equal(populate(1030, 0), 1);
        assert_int_equal(d->tot_pages, before + 512);
        assert_int_equal(decrease(1024, 9), 1);
        assert_int_equal(d->tot_pages, before);
        for (uint64_t i = 0; i < 512; i++)
            assert_int_equal(p2m_lookup(d, _gfn(1024 + i)).type, P2M_HOLE);

        /* Out of memory, or of tables for it. */
        sim_alloc_fail = 1;
        assert_int_equal(populate(100, 0), 0);
        sim_alloc_fail = 2;
        assert_int_equal(populate(1 << 20 | (uint64_t)compat << 18, 0), 0);
        sim_alloc_fail = 0;
        assert_int_equal(d->tot_pages, before);
        uint64_t pool = d->p2m.pool_limit;
        d->p2m.pool_limit = d->p2m.pool_pages;
        assert_int_equal(populate(1 << 20 | (uint64_t)compat << 18, 0), 0);
        d->p2m.pool_limit = pool;
        assert_int_equal(d->tot_pages, before);
    }
    d->is_hardware = true;
    d->max_pages = 10000;
    assert_int_equal(populate(1 << 18, 12), 0); /* allowed, but no size of the tables */
    hcall_end();
}

/* Long lists give way after each step and lose nothing. */
static void restarted(void **state)
{
    uint64_t gfns[MANY];

    setup();
    for (uint64_t i = 0; i < MANY; i++)
        gfns[i] = 0x100 + i;
    for (EACH_MODE) {
        uint64_t before = d->tot_pages;
        hcall_press(true);
        assert_int_equal(reservation(XENMEM_populate_physmap, gfns, MANY, 0, LIST), MANY);
        assert_int_equal(restarts, MANY - 1);
        assert_int_equal(d->tot_pages, before + MANY);
        assert_int_equal(reservation(XENMEM_decrease_reservation, gfns, MANY, 0, LIST), MANY);
        assert_int_equal(restarts, MANY - 1);
        hcall_press(false);
        assert_int_equal(d->tot_pages, before);
        /* Progress comes from the guest. */
        assert_int_equal(hcall(12, XENMEM_populate_physmap | (MANY + 1) << 6, ARG), MANY + 1);
        assert_int_equal(hcall(12, XENMEM_populate_physmap | MANY << 6, ARG), MANY);
        assert_int_equal(hcall(12, XENMEM_populate_physmap | 0xffffffc0, ARG), 0x3ffffff);
        assert_int_equal(d->tot_pages, before);
    }
    hcall_end();
}

static void counts(void **state)
{
    setup();
    for (EACH_MODE) {
        domid_t id = DOMID_SELF;
        assert_int_equal(hcall_struct(12, XENMEM_current_reservation, &id, 2), HCALL_PAGES - 1);
        assert_int_equal(hcall_struct(12, XENMEM_maximum_reservation, &id, 2),
                         (long)lab_config.max_pages);
        assert_int_equal(hcall_struct(12, XENMEM_maximum_gpfn, &id, 2), HCALL_PAGES - 1);
        id = 1;
        assert_int_equal(hcall_struct(12, XENMEM_current_reservation, &id, 2), HCALL_PAGES - 1);
        id = 77;
        assert_int_equal(hcall_struct(12, XENMEM_current_reservation, &id, 2), -XEN_ESRCH);
        hcall_bad_pointers(12, XENMEM_current_reservation);
    }
    hcall_end();
}

static long get_map(uint32_t n, uint64_t buffer, uint32_t *got)
{
    struct xen_memory_map map = {.nr_entries = n};
    struct compat_memory_map narrow = {.nr_entries = n, .buffer = (uint32_t)buffer};
    long result;

    map.buffer.p = (void *)(uintptr_t)buffer;
    result = hcall_struct(12, XENMEM_memory_map, compat ? (void *)&narrow : &map,
                          compat ? sizeof(narrow) : sizeof(map));
    *got = compat ? narrow.nr_entries : map.nr_entries;
    return result;
}

static void memory_map(void **state)
{
    uint32_t got;

    setup();
    assert_int_equal(get_map(10, LIST, &got), -XEN_ENOSYS);
    d->memory_map = kalloc(sizeof(*d->memory_map));
    d->memory_map->nr = 3;
    for (uint32_t i = 0; i < 3; i++)
        d->memory_map->entry[i] = (struct memory_map_entry){i * MIB(1), MIB(1), i + 1};
    for (EACH_MODE) {
        hcall_bad_pointers(12, XENMEM_memory_map);
        for (uint32_t room = 0; room < 6; room++) {
            uint32_t n = min(room, 3u);
            memset(hcall_mem(LIST), 'x', 100);
            assert_int_equal(get_map(room, LIST, &got), 0);
            assert_int_equal(got, n);
            assert_memory_equal(hcall_mem(LIST), d->memory_map->entry, n * 20);
            assert_int_equal(*hcall_mem(LIST + n * 20), 'x');
            assert_int_equal(get_map(room, HOLE - 20, &got), n > 1 ? -XEN_EFAULT : 0);
        }
    }
    hcall_end();
}

static long add(uint16_t domid, uint32_t space, uint64_t idx, uint64_t gfn)
{
    struct xen_add_to_physmap a = {.domid = domid, .space = space, .idx = idx, .gpfn = gfn};
    struct compat_add_to_physmap n = {
        .domid = domid, .space = space, .idx = (uint32_t)idx, .gpfn = (uint32_t)gfn};

    hcall_put(ARG, compat ? (void *)&n : &a, compat ? sizeof(n) : sizeof(a));
    return hcall(12, XENMEM_add_to_physmap, ARG);
}

static long remove_gfn(uint16_t domid, uint64_t gfn)
{
    struct xen_remove_from_physmap a = {.domid = domid, .gpfn = gfn};
    struct compat_remove_from_physmap n = {.domid = domid, .gpfn = (uint32_t)gfn};

    hcall_put(ARG, compat ? (void *)&n : &a, compat ? sizeof(n) : sizeof(a));
    return hcall(12, XENMEM_remove_from_physmap, ARG);
}

static void shared_info(void **state)
{
    setup();
    for (EACH_MODE) {
        uint64_t before = d->tot_pages;
        mfn_t mfn = d->shared_info.mfn;
        assert_int_equal(add(DOMID_SELF, 0, 0, 0x500), 0);
        assert_int_equal(p2m_lookup(d, _gfn(0x500)).mfn.v, mfn.v);
        assert_int_equal(d->tot_pages, before);
        /* In the place of RAM, which is given back; it is at one gfn at a time. */
        assert_int_equal(populate(0x501, 0), 1);
        assert_int_equal(add(1, 0, 0, 0x501), 0);
        assert_int_equal(d->tot_pages, before);
        assert_int_equal(p2m_lookup(d, _gfn(0x500)).type, P2M_HOLE);
        assert_int_equal(add(DOMID_SELF, 0, 0, 0x501), 0);
        assert_int_equal(p2m_lookup(d, _gfn(0x501)).mfn.v, mfn.v);
        /* It is not RAM to give away or to build on. */
        assert_int_equal(decrease(0x501, 0), 0);
        assert_int_equal(populate(0x501, 0), 0);
        assert_int_equal(add(DOMID_SELF, 2, 0x501, 0x502), -XEN_EINVAL);
        assert_int_equal(p2m_lookup(d, _gfn(0x501)).mfn.v, mfn.v);
        assert_int_equal(remove_gfn(DOMID_SELF, 0x501), 0);
        assert_int_equal(page_refs(page_of(mfn)), 1);
        assert_int_equal(add(DOMID_SELF, 0, 0, 0x502), 0);
        /* Another special page takes its place. */
        assert_int_equal(add(DOMID_SELF, 1, 0, 0x502), 0);
        assert_true(!mfn_eq(p2m_lookup(d, _gfn(0x502)).mfn, mfn));
        assert_int_equal(add(DOMID_SELF, 0, 0, 0x503), 0);
        assert_true(!mfn_eq(p2m_lookup(d, _gfn(0x502)).mfn, mfn));
        assert_int_equal(p2m_lookup(d, _gfn(0x502)).type, P2M_RAM);

        assert_int_equal(add(DOMID_SELF, 0, 1, 0x500), -XEN_EINVAL);
        assert_int_equal(add(DOMID_SELF, 0, 0, compat ? UINT32_MAX : ~0ULL),
                         compat ? 0 : -XEN_EINVAL);
        assert_int_equal(add(77, 0, 0, 0x500), -XEN_ESRCH);
        assert_int_equal(add(DOMID_SELF, 4, 0, 0x500), -XEN_ENOSYS);
        assert_int_equal(add(DOMID_SELF, 5, 0, 0x500), -XEN_EINVAL);
        assert_int_equal(add(DOMID_SELF, 6, 0, 0x500), -XEN_EINVAL);
        hcall_bad_pointers(12, XENMEM_add_to_physmap);
        assert_int_equal(page_refs(page_of(mfn)), 1);
    }
    hcall_end();
}

static void grant_frames(void **state)
{
    setup();
    for (EACH_MODE) {
        /* The highest first: the table grows in one go. */
        for (uint64_t i = 4; i-- > 0;)
            assert_int_equal(add(DOMID_SELF, 1, i, 0x600 + i), 0);
        for (uint64_t i = 0; i < 4; i++) {
            struct p2m_entry e = p2m_lookup(d, _gfn(0x600 + i));
            assert_int_equal(e.type, P2M_RAM);
            assert_int_equal(page_refs(page_of(e.mfn)), 1);
            for (uint64_t k = 0; k < i; k++)
                assert_true(!mfn_eq(e.mfn, p2m_lookup(d, _gfn(0x600 + k)).mfn));
        }
        assert_int_equal(add(DOMID_SELF, 1, 4, 0x604), -XEN_EINVAL);
        assert_int_equal(add(DOMID_SELF, 1, 1u << 31, 0x604), -XEN_EINVAL);
        if (!compat)
            assert_int_equal(add(DOMID_SELF, 1, 1ULL << 32, 0x604), -XEN_EINVAL);
        mfn_t mfn = p2m_lookup(d, _gfn(0x600)).mfn;
        assert_int_equal(add(DOMID_SELF, 1, 0, 0x605), 0);
        assert_int_equal(p2m_lookup(d, _gfn(0x605)).mfn.v, mfn.v);
        assert_int_equal(p2m_lookup(d, _gfn(0x600)).type, P2M_HOLE);
        assert_int_equal(decrease(0x605, 0), 0);
        for (uint64_t i = 0; i < 6; i++)
            (void)remove_gfn(DOMID_SELF, 0x600 + i);
        assert_int_equal(page_refs(page_of(mfn)), 1);
        assert_int_equal(d->tot_pages, HCALL_PAGES - 1);
    }
    hcall_end();
}

static void moved_and_removed(void **state)
{
    setup();
    for (EACH_MODE) {
        uint64_t before = d->tot_pages;
        assert_int_equal(populate(0x700, 0), 1);
        memset(hcall_mem(0x700000), 'm', 8);
        mfn_t mfn = p2m_lookup(d, _gfn(0x700)).mfn;
        assert_int_equal(add(DOMID_SELF, 2, 0x700, 0x701), 0);
        assert_int_equal(p2m_lookup(d, _gfn(0x701)).mfn.v, mfn.v);
        assert_int_equal(p2m_lookup(d, _gfn(0x700)).type, P2M_HOLE);
        assert_int_equal(add(DOMID_SELF, 2, 0x701, 0x701), 0);
        assert_int_equal(add(DOMID_SELF, 2, 0x700, 0x702), -XEN_EINVAL);
        /* No memory for the tables of the new place: it stays where it was. */
        uint64_t pool = d->p2m.pool_limit;
        d->p2m.pool_limit = d->p2m.pool_pages;
        assert_true(add(DOMID_SELF, 2, 0x701, 0x20000000 + (uint64_t)compat * 0x1000000) < 0);
        d->p2m.pool_limit = pool;
        assert_int_equal(p2m_lookup(d, _gfn(0x701)).mfn.v, mfn.v);
        /* Over RAM: that is given back. */
        assert_int_equal(populate(0x702, 0), 1);
        assert_int_equal(add(DOMID_SELF, 2, 0x701, 0x702), 0);
        assert_int_equal(d->tot_pages, before + 1);
        assert_int_equal(*hcall_mem(0x702000), 'm');

        /* Removed: allocated, at no address. */
        assert_int_equal(remove_gfn(DOMID_SELF, 0x702), 0);
        assert_int_equal(d->tot_pages, before + 1);
        assert_int_equal(page_refs(page_of(mfn)), 1);
        assert_int_equal(remove_gfn(DOMID_SELF, 0x702), -XEN_ENOENT);
        assert_int_equal(remove_gfn(DOMID_SELF, compat ? UINT32_MAX : ~0ULL), -XEN_ENOENT);
        assert_int_equal(remove_gfn(77, 0x702), -XEN_ESRCH);
        hcall_bad_pointers(12, XENMEM_remove_from_physmap);
        domain_put_page(d, page_of(mfn));
    }
    hcall_end();
}

UNIT_MAIN(cmocka_unit_test(reservations), cmocka_unit_test(limits), cmocka_unit_test(restarted),
          cmocka_unit_test(counts), cmocka_unit_test(memory_map), cmocka_unit_test(shared_info),
          cmocka_unit_test(grant_frames), cmocka_unit_test(moved_and_removed))

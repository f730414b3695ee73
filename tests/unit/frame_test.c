/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem/frame.h: references are had only from the right owner and never from zero, the last one runs
 * the hook and frees, flags and owner survive reference changes.
 */
#include "unit/unit.h"

#include "mem/heap.h"
#include "sim.h"

static struct page *released;

static void on_release(struct page *pg)
{
    assert_int_equal(page_refs(pg), 0);
    assert_int_equal(page_owner(pg), 5);
    released = pg;
}

static struct page *fresh(unsigned int owner, unsigned int flags)
{
    struct page *pg = page_of(heap_alloc(0, 0));

    page_assign(pg, owner, flags);
    return pg;
}

static void references(void **state)
{
    unsigned int owner;

    sim_init(SIM_RAM_SIZE, 1);
    uint64_t free = heap_free_pages();
    struct page *pg = fresh(5, PAGE_SPECIAL);
    page_release_hook = on_release;

    assert_true(frame_valid(page_mfn(pg)));
    assert_false(page_get(pg, 6));
    assert_true(page_get(pg, 5));
    assert_true(page_get_any(pg, &owner));
    assert_int_equal(owner, 5);
    assert_int_equal(page_refs(pg), 3);
    page_set_flags(pg, PAGE_LISTED, PAGE_SPECIAL);
    assert_int_equal(page_flags(pg), PAGE_LISTED);
    page_put_many(pg, 2);
    assert_true(sim_panics(page_put_many(pg, 1)));
    assert_null(released);
    page_put(pg);
    assert_ptr_equal(released, pg);
    assert_int_equal(page_owner(pg), FRAME_OWNER_FREE);
    assert_int_equal(heap_free_pages(), free);
    assert_false(page_get(pg, 5));
    assert_false(page_get(pg, FRAME_OWNER_FREE));
    assert_false(page_get_any(pg, &owner));
    assert_true(sim_panics(page_put(pg)));
    page_release_hook = NULL;
}

static void saturates(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    struct page *pg = fresh(5, 0);

    pg->state += (1u << 31) - 2;
    assert_true(page_get(pg, 5));
    assert_false(page_get(pg, 5));
    assert_int_equal(page_owner(pg), 5);
    page_put_many(pg, (1u << 31) - 1);
    page_put(pg);
}

static void assign_only_free(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    struct page *pg = fresh(5, 0);

    assert_true(sim_panics(page_assign(pg, 6, 0)));
    page_put(pg);
    assert_true(sim_panics(page_assign(page_of(_mfn(1)), 6, 0) /* in the heap */));
}

static void krypton_frame_leaves_map(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    kpage_drain();
    uint64_t free = heap_free_pages();
    void *va = kpage_alloc(0);

    page_put(page_of(kva_mfn(va)));
    assert_true(kpage_drain());
    assert_int_equal(heap_free_pages(), free);
}

static void sparse(void **state)
{
    mfn_t high = _mfn(GIB(5) >> PAGE_SHIFT);

    sim_init(SIM_RAM_SIZE, 1);
    assert_false(frame_valid(_mfn(SIM_RAM_SIZE >> PAGE_SHIFT)));
    assert_false(frame_valid(MFN_NONE));
    assert_int_equal(frame_table_add(high, mfn_add(high, 3)), 0);
    assert_true(frame_valid(high) && frame_valid(mfn_add(high, 2)));
    assert_false(frame_valid(mfn_add(high, 3)));
    assert_int_equal(frame_limit, high.v + 3);
    assert_int_equal(page_owner(page_of(high)), FRAME_OWNER_NONE);
}

UNIT_MAIN(cmocka_unit_test(references), cmocka_unit_test(saturates),
          cmocka_unit_test(assign_only_free), cmocka_unit_test(krypton_frame_leaves_map),
          cmocka_unit_test(sparse))

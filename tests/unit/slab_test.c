/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kalloc of mem/heap.h: objects are zero, aligned and disjoint for all sizes, pages come back when
 * the last object goes, and the sanitizer sees what is beyond or after an object.
 */
#include "unit/unit.h"

#include "mem/heap.h"
#include "sim.h"

#include <sanitizer/asan_interface.h>

enum { N = 300 };
static struct {
    uint8_t *p;
    size_t size;
    uint8_t mark;
} object[N];

static void drop(int i)
{
    for (size_t b = 0; b < object[i].size; b++)
        assert_int_equal(object[i].p[b], object[i].mark);
    kfree(object[i].p);
    object[i].p = NULL;
}

static void random_walk(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    uint64_t free = heap_free_pages();
    srand(1);
    for (int step = 0; step < 20000; step++) {
        int i = rand() % N;
        if (object[i].p) {
            drop(i);
            continue;
        }
        size_t size = (size_t)rand() % (rand() % 8 ? 3000 : 65537);
        uint8_t *p = kalloc(size);
        assert_non_null(p);
        assert_true(IS_ALIGNED((uintptr_t)p, size >= 64 ? 64u : 16u));
        for (size_t b = 0; b < size; b++)
            assert_int_equal(p[b], 0);
        object[i].p = p;
        object[i].size = size;
        object[i].mark = (uint8_t)(step | 1);
        memset(p, object[i].mark, size);
        if (size >= 8 && size % 16) /* no whole class nor pages */
            assert_true(__asan_address_is_poisoned(p + size));
    }
    for (int i = 0; i < N; i++)
        if (object[i].p)
            drop(i);
    kpage_drain();
    assert_in_range(free - heap_free_pages(), 0, 6 + 2 * 4); /* a slab of each class may stay */
}

static void limits(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    assert_null(kalloc(65537));
    kfree(NULL);
    uint64_t *p = kalloc_array(10, sizeof(*p));
    p[9] = 1;
    kfree(p);
    assert_null(kalloc_array((size_t)1 << 40, sizeof(*p)));
    assert_true(__asan_address_is_poisoned(p));
}

static void out_of_memory(void **state)
{
    void **list = NULL, **p;

    sim_init(SIM_RAM_SIZE, 1);
    while ((p = kalloc(2048))) {
        *p = list;
        list = p;
    }
    assert_null(kalloc(16384));
    while (list) {
        p = *list;
        kfree(list);
        list = p;
    }
    p = kalloc(65536);
    assert_non_null(p);
    kfree(p);
}

UNIT_MAIN(cmocka_unit_test(random_walk), cmocka_unit_test(limits), cmocka_unit_test(out_of_memory))

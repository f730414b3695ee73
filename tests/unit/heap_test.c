/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem/heap.h: blocks are aligned, disjoint and zero unless asked otherwise; everything freed merges
 * back; low memory is kept for those who need it; Krypton's pages are flushed before reuse.
 */
#include "unit/unit.h"

#include "mem/heap.h"
#include "sim.h"

enum { N = 200 };
static struct {
    mfn_t mfn;
    unsigned int order;
} block[N];
static uint8_t *in_use; /* by frame */

static void check_zero(mfn_t mfn, unsigned int order)
{
    const uint64_t *p = sim_phys(mfn);

    for (size_t i = 0; i < (PAGE_SIZE << order) / 8; i++)
        assert_int_equal(p[i], 0);
}

static void claim(mfn_t mfn, unsigned int order, uint8_t to)
{
    for (uint64_t i = 0; i < 1ULL << order; i++) {
        assert_int_equal(in_use[mfn.v + i], !to);
        in_use[mfn.v + i] = to;
    }
}

static void random_walk(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    uint64_t total = heap_free_pages();
    in_use = calloc(SIM_RAM_SIZE >> PAGE_SHIFT, 1);
    srand(1);
    for (int step = 0; step < 10000; step++) {
        int i = rand() % N;
        unsigned int order = (unsigned int)rand() % 6, flags = rand() % 2 ? ALLOC_NO_SCRUB : 0;
        if (block[i].mfn.v) {
            claim(block[i].mfn, block[i].order, 0);
            heap_free(block[i].mfn, block[i].order);
            block[i].mfn = _mfn(0);
        } else {
            mfn_t mfn = heap_alloc(order, flags);
            assert_true(mfn.v != FRAME_NONE && IS_ALIGNED(mfn.v, 1ULL << order));
            block[i].mfn = mfn;
            block[i].order = order;
            claim(mfn, order, 1);
            if (!flags)
                check_zero(mfn, order);
            memset(sim_phys(mfn), 0xa5, PAGE_SIZE << order);
        }
        if (rand() % 4 == 0)
            heap_scrub_step();
    }
    for (int i = 0; i < N; i++)
        if (block[i].mfn.v)
            heap_free(block[i].mfn, block[i].order);
    free(in_use);
    assert_int_equal(heap_free_pages(), total);
}

static void merges(void **state)
{
    unsigned int order = 13; /* half of the 64 MiB */

    sim_init(SIM_RAM_SIZE, 1);
    assert_int_equal(heap_alloc(order + 1, ALLOC_NO_SCRUB).v,
                     FRAME_NONE); /* frame 0 is not there */
    for (int scrubbed = 0; scrubbed < 2; scrubbed++) {
        mfn_t mfn = heap_alloc(order, ALLOC_NO_SCRUB);
        assert_int_equal(mfn.v, 1u << order);
        /* Page by page, so that clean and dirty ones lie side by side. */
        for (uint64_t i = 0; i < 1u << order; i++) {
            heap_free(mfn_add(mfn, i), 0);
            if (scrubbed && i % 3 == 0)
                heap_scrub_step();
        }
    }
    while (heap_scrub_step())
        ;
    assert_int_equal(sim_count.window_writes % 2, 0);
    unsigned int writes = sim_count.window_writes;
    mfn_t mfn = heap_alloc(order, 0);
    assert_int_equal(mfn.v, 1u << order);
    assert_int_equal(sim_count.window_writes, writes); /* clean already */
    check_zero(mfn, order);
    heap_free(mfn, order);
}

static void exhausts(void **state)
{
    static mfn_t all[SIM_RAM_SIZE >> PAGE_SHIFT];
    size_t n = 0;

    sim_init(SIM_RAM_SIZE, 1);
    kpage_drain();
    uint64_t total = heap_free_pages();
    kpage_free(kpage_alloc(0), 0); /* waits for its flush; is got in need */
    while ((all[n] = heap_alloc(0, ALLOC_NO_SCRUB)).v != FRAME_NONE)
        n++;
    assert_int_equal(n, total);
    assert_int_equal(heap_free_pages(), 0);
    assert_int_equal(heap_alloc(0, ALLOC_BELOW_4G).v, FRAME_NONE);
    assert_null(kpage_alloc(0));
    while (n--)
        heap_free(all[n], 0);
    assert_int_equal(heap_free_pages(), total);
}

static unsigned int rounds;

static void flush_round(void)
{
    rounds++;
}

static void kpages(void **state)
{
    void *p[100];

    sim_init(SIM_RAM_SIZE, 1);
    kpage_drain();
    uint64_t free = heap_free_pages();
    kpage_flush_hook = flush_round;
    for (int i = 0; i < 100; i++) {
        p[i] = kpage_alloc(0);
        check_zero(kva_mfn(p[i]), 0);
        memset(p[i], 0xff, PAGE_SIZE);
        assert_memory_equal(sim_phys(kva_mfn(p[i])), p[i], PAGE_SIZE);
        assert_int_equal(page_owner(page_of(kva_mfn(p[i]))), FRAME_OWNER_KRYPTON);
        assert_ptr_equal(mfn_kva(kva_mfn(p[i])), p[i]);
    }
    sim_count.flushes = 0;
    for (int i = 0; i < 100; i++)
        kpage_free(p[i], 0);
    assert_int_equal(rounds, 1);
    kpage_drain();
    assert_int_equal(rounds, 2);
    assert_int_equal(sim_count.flushes, 2);
    kpage_drain(); /* nothing waits */
    assert_int_equal(rounds, 2);
    assert_int_equal(heap_free_pages(), free);
    p[0] = kpage_alloc(3);
    assert_true(IS_ALIGNED(kva_mfn(p[0]).v, 8));
    check_zero(kva_mfn(p[0]), 3);
    kpage_free(p[0], 3);
    kpage_flush_hook = NULL;
}

static void zones(void **state)
{
    mfn_t high = _mfn(GIB(4) >> PAGE_SHIFT), mfn;

    sim_init(SIM_RAM_SIZE, 1);
    sim_ram_add(high, mfn_add(high, 16));
    for (int i = 0; i < 16; i++)
        assert_true(heap_alloc(0, 0).v >= high.v);
    mfn = heap_alloc(0, 0);
    assert_true(mfn.v < high.v);
    heap_free(mfn, 0);
    for (uint64_t i = 0; i < 16; i++)
        heap_free(mfn_add(high, i), 0);
    mfn = heap_alloc(4, ALLOC_NO_SCRUB);
    assert_int_equal(mfn.v, high.v);
    heap_free(mfn, 4);
    mfn = heap_alloc(4, ALLOC_BELOW_4G);
    assert_true(mfn.v < high.v);
    heap_free(mfn, 4);
}

static void refuses_double_free(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    mfn_t mfn = heap_alloc(0, 0);
    page_assign(page_of(mfn), 3, 0);
    assert_true(sim_panics(heap_free(mfn, 0)));
    page_put(page_of(mfn));
}

UNIT_MAIN(cmocka_unit_test(random_walk), cmocka_unit_test(merges), cmocka_unit_test(exhausts),
          cmocka_unit_test(kpages), cmocka_unit_test(zones), cmocka_unit_test(refuses_double_free))

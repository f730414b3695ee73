/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem/window.h: under random maps and unmaps each window shows its frame through the TLB model, a
 * hit costs no write and no invalidation, nothing of another domain stays in sight, and nothing of
 * anybody after the CPU serves somebody else.
 */
#include "unit/unit.h"

#include "mem/heap.h"
#include "mem/window.h"
#include "sim.h"

#include "port/mem.h"
#include "port/mmu.h"

enum { N = 600, MINE = 3, OTHER = 4 };
static mfn_t frame[N];
static uint64_t touched;

static void make_frames(void)
{
    for (int i = 0; i < N; i++) {
        frame[i] = heap_alloc(0, 0);
        page_assign(page_of(frame[i]), i % 2 ? OTHER : MINE, 0);
        *(uint64_t *)sim_phys(frame[i]) = frame[i].v;
    }
}

static void drop_frames(void)
{
    for (int i = 0; i < N; i++)
        page_put(page_of(frame[i]));
}

static void random_walk(void **state)
{
    struct {
        void *va;
        mfn_t mfn;
    } open[WINDOW_DEPTH];
    unsigned int depth = 0;

    sim_init(SIM_RAM_SIZE, 2);
    make_frames();
    srand(1);
    for (int step = 0; step < 50000; step++) {
        if (depth < WINDOW_DEPTH && (!depth || rand() % 2)) {
            open[depth].mfn = frame[rand() % (rand() % 2 ? 20 : N)];
            open[depth].va = window_map(open[depth].mfn);
            depth++;
        } else {
            depth--;
            window_unmap((char *)open[depth].va + rand() % 4096);
        }
        for (unsigned int i = 0; i < depth; i++)
            assert_int_equal(mem_load64(open[i].va), open[i].mfn.v);
        if (rand() % 1000 == 0)
            window_forget_all();
        if (!depth && rand() % 50 == 0) {
            window_serve(rand() % 3 ? MINE : FRAME_OWNER_NONE);
            mmu_flush_local();
        }
    }
    while (depth)
        window_unmap(open[--depth].va);
    window_serve(FRAME_OWNER_NONE);
    mmu_flush_local();
    drop_frames();
}

static void hit_is_free(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    make_frames();
    window_serve(MINE);
    window_unmap(window_map(frame[0]));
    sim_count = (struct sim_count){0};
    for (int i = 0; i < 100; i++)
        window_unmap(window_map(frame[0]));
    assert_int_equal(sim_count.window_writes + sim_count.invalidations, 0);
    window_unmap(window_map(frame[2])); /* an empty slot */
    assert_int_equal(sim_count.window_writes, 1);
    assert_int_equal(sim_count.invalidations, 0);
    drop_frames();
}

static void others_go(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    make_frames();
    window_serve(MINE);
    void *va = window_map(frame[1]), *nested = window_map(frame[1]);
    assert_int_equal(mem_load64(va), frame[1].v);
    assert_ptr_equal(va, nested);
    window_unmap(nested);
    assert_int_equal(mem_load64(va), frame[1].v);
    window_unmap(va);
    assert_true(sim_panics(touched = mem_load64(va)));

    va = window_map(frame[0]);
    window_unmap(va);
    assert_int_equal(mem_load64(va), frame[0].v); /* stays */
    window_forget_all();
    assert_true(sim_panics(touched = mem_load64(va)));

    va = window_map(frame[0]);
    window_unmap(va);
    window_serve(OTHER);
    mmu_flush_local();
    assert_true(sim_panics(touched = mem_load64(va)));
    drop_frames();
}

static void each_cpu_its_own(void **state)
{
    sim_init(SIM_RAM_SIZE, 2);
    make_frames();
    void *va = window_map(frame[0]);
    sim_cpu_set(1);
    assert_true(sim_panics(touched = mem_load64(va)));
    sim_cpu_set(0);
    window_unmap(va);
    drop_frames();
}

static void whole_pages(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    make_frames();
    window_copy(frame[1], frame[0]);
    assert_int_equal(*(uint64_t *)sim_phys(frame[1]), frame[0].v);
    window_zero(frame[0]);
    assert_int_equal(*(uint64_t *)sim_phys(frame[0]), 0);
    drop_frames();
}

UNIT_MAIN(cmocka_unit_test(random_walk), cmocka_unit_test(hit_is_free), cmocka_unit_test(others_go),
          cmocka_unit_test(each_cpu_its_own), cmocka_unit_test(whole_pages))

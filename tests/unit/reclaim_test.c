/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/reclaim.h: under random stepping of CPUs, nothing is freed before each CPU has passed the
 * top of its loop since it was deferred, and everything is freed in the end.
 */
#include "unit/unit.h"

#include "core/reclaim.h"
#include "sim.h"

enum { N = 300, CPUS = 4 };

static struct {
    struct reclaim r;
    bool pending;
    unsigned int passed; /* CPUs since it was deferred */
} object[N];
static unsigned int freed;

static void free_object(struct reclaim *r)
{
    size_t i = (size_t)((char *)r - (char *)object) / sizeof(object[0]);

    assert_true(object[i].pending);
    assert_int_equal(object[i].passed, (1u << CPUS) - 1);
    object[i].pending = false;
    freed++;
}

/* One turn of a CPU's loop, as exit/loop.c makes it. */
static void turn(unsigned int cpu)
{
    sim_cpu_set(cpu);
    for (int i = 0; i < N; i++)
        object[i].passed |= 1u << cpu;
    reclaim_quiescent();
    if (__atomic_exchange_n(&this_cpu()->shared->work, 0, __ATOMIC_SEQ_CST) & WORK_RECLAIM)
        reclaim_run();
}

static void grace(void **state)
{
    unsigned int deferred = 0;

    sim_init(SIM_RAM_SIZE, CPUS);
    srand(5);
    for (int step = 0; step < 20000; step++) {
        int i = rand() % N;
        sim_cpu_set((unsigned int)rand() % CPUS);
        if (!object[i].pending && rand() % 2) {
            object[i].pending = true;
            object[i].passed = 0;
            reclaim_defer(&object[i].r, free_object);
            deferred++;
        }
        turn((unsigned int)rand() % CPUS);
    }
    for (int round = 0; round < 100; round++)
        for (unsigned int cpu = 0; cpu < CPUS; cpu++)
            turn(cpu);
    assert_int_equal(freed, deferred);
    assert_true(deferred > 1000);
}

/* CPUs in guest mode or asleep are made to pass. */
static void asks(void **state)
{
    sim_init(SIM_RAM_SIZE, CPUS);
    pcpu_shared[1].serving = (void *)object;
    pcpu_shared[2].idle = true;
    object[0].pending = true;
    object[0].passed = 0;
    reclaim_defer(&object[0].r, free_object);
    turn(0);
    assert_int_equal(sim_count.kicks, 2);
    for (unsigned int cpu = 1; cpu < CPUS; cpu++)
        assert_int_equal(pcpu_shared[cpu].work, WORK_RECLAIM);
    for (int round = 0; round < 2; round++)
        for (unsigned int cpu = 0; cpu < CPUS; cpu++)
            turn(cpu);
    assert_false(object[0].pending);
}

UNIT_MAIN(cmocka_unit_test(grace), cmocka_unit_test(asks))

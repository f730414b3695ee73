/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/timer.h: against a model of many timers started, stopped and migrated at random, each fires
 * once, on its CPU, never early, and as soon as its CPU's hardware deadline makes it look.
 */
#include "unit/unit.h"

#include "core/timer.h"
#include "sim.h"

enum { N = 60, CPUS = 3 };

static struct {
    struct ktimer t;
    bool queued;
    nsec_t expires;
    unsigned int cpu, fired;
} model[N];

static void fire(void *arg)
{
    size_t i = (size_t)arg;

    assert_true(model[i].queued);
    assert_true(model[i].expires <= sim_now());
    assert_int_equal(model[i].cpu, this_cpu()->id);
    model[i].queued = false;
    model[i].fired++;
    if (i % 7 == 0) { /* starts itself anew */
        model[i].queued = true;
        model[i].expires = sim_now() + 500;
        ktimer_start(&model[i].t, model[i].expires, this_cpu()->id);
    }
}

static void settle(void)
{
    for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
        sim_cpu_set(cpu);
        while (this_cpu()->shared->work & WORK_TIMER) {
            this_cpu()->shared->work = 0;
            ktimer_run();
        }
        for (int i = 0; i < N; i++)
            if (model[i].queued && model[i].cpu == cpu) {
                assert_true(model[i].expires > sim_now());
                assert_true(sim_deadline(cpu) <= model[i].expires);
            }
    }
}

static void random_walk(void **state)
{
    unsigned int fired = 0;

    sim_init(SIM_RAM_SIZE, CPUS);
    srand(3);
    for (size_t i = 0; i < N; i++)
        ktimer_init(&model[i].t, fire, (void *)i);
    for (int step = 0; step < 20000; step++) {
        int i = rand() % N;
        unsigned int cpu = (unsigned int)rand() % CPUS;
        sim_cpu_set((unsigned int)rand() % CPUS);
        switch (rand() % 4) {
        case 0:
        case 1:
            model[i].expires = sim_now() + rand() % 3000 - 200;
            model[i].cpu = cpu;
            model[i].queued = true;
            ktimer_start(&model[i].t, model[i].expires, cpu);
            break;
        case 2:
            assert_int_equal(ktimer_stop(&model[i].t), model[i].queued);
            model[i].queued = false;
            break;
        case 3:
            ktimer_migrate(&model[i].t, cpu);
            if (model[i].queued)
                model[i].cpu = cpu;
            break;
        }
        settle();
        sim_advance(rand() % 100);
        settle();
    }
    for (int i = 0; i < N; i++) {
        ktimer_stop_sync(&model[i].t);
        fired += model[i].fired;
    }
    assert_true(fired > 1000);
    for (unsigned int cpu = 0; cpu < CPUS; cpu++)
        assert_null(pcpu_shared[cpu].timers.root);
}

static struct ktimer loop;
static unsigned int loops;

static void again(void *arg)
{
    loops++;
    ktimer_start(&loop, 0, 0);
}

/* A timer that is always due does not keep its CPU. */
static void bounded(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    ktimer_init(&loop, again, NULL);
    ktimer_start(&loop, 0, 0);
    this_cpu()->shared->work = 0;
    ktimer_run();
    assert_in_range(loops, 1, 100);
    assert_true(this_cpu()->shared->work & WORK_TIMER);
    assert_true(ktimer_stop(&loop));
}

static void waits_for_callback(void **state)
{
    sim_init(SIM_RAM_SIZE, 2);
    pcpu_shared[1].timers.running = &loop;
    assert_true(sim_panics(ktimer_stop_sync(&loop)));
    assert_non_null(strstr(sim_panic_text, "waits for ever"));
    sim_cpu_set(1); /* from its own callback it may go on */
    ktimer_stop_sync(&loop);
}

UNIT_MAIN(cmocka_unit_test(random_walk), cmocka_unit_test(bounded),
          cmocka_unit_test(waits_for_callback))

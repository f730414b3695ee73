/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/clock.h: time follows the stamp's scale, is continuous or jumps ahead at a new stamp, never
 * back, and also works for TSC values before the base.
 */
#include "unit/unit.h"

#include "core/clock.h"
#include "sim.h"

static void scales(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    assert_int_equal(clock_now(), sim_now());
    sim_advance(12345);
    assert_int_equal(clock_now(), sim_now());
    clock_stamp_set(cpu_tsc(), SEC(5), 1u << 31, 2); /* two ns a tick */
    assert_int_equal(clock_now(), SEC(5));
    assert_int_equal(clock_at_tsc(cpu_tsc() + 100), SEC(5) + 200);
    assert_int_equal(clock_at_tsc(cpu_tsc() - 100), SEC(5) - 200);
    sim_advance(SEC(3000)); /* more than 32 bits of ticks */
    assert_int_equal(clock_now(), SEC(6005));
}

static void never_back(void **state)
{
    nsec_t last = 0;

    sim_init(SIM_RAM_SIZE, 1);
    srand(1);
    for (int i = 0; i < 5000; i++) {
        sim_advance(rand() % 1000);
        assert_true(clock_now() >= last);
        last = clock_now();
        uint32_t version = this_cpu()->shared->clock.version;
        clock_stamp_set(cpu_tsc() - (uint64_t)(rand() % 500), sim_now() + rand() % 600 - 300,
                        (1u << 31) + (uint32_t)rand() % 1000000, 1);
        assert_int_equal(this_cpu()->shared->clock.version, version + 2);
        assert_true(clock_now() >= last);
        last = clock_now();
    }
    assert_true(irq_enabled());
}

UNIT_MAIN(cmocka_unit_test(scales), cmocka_unit_test(never_back))

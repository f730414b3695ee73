/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/lock.h: a lock excludes, ranks only rise except for a pair, and a wait that cannot end is
 * found.
 */
#include "unit/unit.h"

#include "core/lock.h"
#include "core/printk.h"
#include "sim.h"

static void excludes(void **state)
{
    struct spinlock l = SPINLOCK_INIT(RANK_DOMAIN);

    sim_init(SIM_RAM_SIZE, 2);
    assert_false(lock_is_held(&l));
    for (int i = 0; i < 70000; i++) { /* tickets wrap */
        lock(&l);
        unlock(&l);
    }
    lock(&l);
    assert_true(lock_is_held(&l));
    sim_cpu_set(1);
    assert_false(try_lock(&l));
    assert_true(sim_panics(lock(&l)));
    assert_non_null(strstr(sim_panic_text, "waits for ever"));
}

static void try_takes(void **state)
{
    struct spinlock l = SPINLOCK_INIT(RANK_DOMAIN);

    sim_init(SIM_RAM_SIZE, 1);
    assert_true(try_lock(&l));
    assert_false(try_lock(&l));
    unlock(&l);
    assert_false(lock_is_held(&l));
    assert_true(try_lock(&l));
    unlock(&l);
}

static void ranks_rise(void **state)
{
    struct spinlock domain = SPINLOCK_INIT(RANK_DOMAIN), p2m = SPINLOCK_INIT(RANK_P2M);
    struct spinlock heap = SPINLOCK_INIT(RANK_HEAP), other = SPINLOCK_INIT(RANK_P2M);

    sim_init(SIM_RAM_SIZE, 1);
    lock(&domain);
    lock(&p2m);
    assert_true(sim_panics(lock(&domain)));
    assert_true(sim_panics(lock(&other)));
    unlock(&domain); /* in any order */
    lock(&heap);
    unlock(&p2m);
    assert_true(sim_panics(lock(&p2m)));
    unlock(&heap);
    lock(&other);
    unlock(&other);
    assert_int_equal(this_cpu()->held_locks, 0);
}

static void pairs(void **state)
{
    struct spinlock a = SPINLOCK_INIT(RANK_GRANT), b = SPINLOCK_INIT(RANK_GRANT);

    sim_init(SIM_RAM_SIZE, 1);
    lock_pair(&a, &b);
    assert_true(lock_is_held(&a) && lock_is_held(&b));
    unlock_pair(&a, &b);
    assert_false(lock_is_held(&a) || lock_is_held(&b));
    lock_pair(&a, &a);
    assert_true(lock_is_held(&a));
    unlock_pair(&a, &a);
    assert_false(lock_is_held(&a));
    assert_int_equal(this_cpu()->held_locks, 0);
}

UNIT_MAIN(cmocka_unit_test(excludes), cmocka_unit_test(try_takes), cmocka_unit_test(ranks_rise),
          cmocka_unit_test(pairs))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arch/x86/dev/vlapic_timer.c: interrupts come at the tick at which the count says so, in all
 * modes, through changes of divider and mode; a period that no host could keep is bounded.
 */
#include "unit/vm.h"

#define ONE_SHOT 0x40u
#define PERIODIC 0x20041u
#define DEADLINE 0x40042u
#define MASKED   0x10000u

static struct domain *d;
static struct vcpu *v;
static unsigned int fired[256];

static uint32_t reg_get(uint32_t offset)
{
    uint64_t value;

    value = bus_read(v, BUS_MMIO, VLAPIC_BASE + offset, 4);
    return (uint32_t)value;
}

static void reg_set(uint32_t offset, uint32_t value)
{
    bus_write(v, BUS_MMIO, VLAPIC_BASE + offset, 4, value);
}

static void start(unsigned int cpus)
{
    static domid_t id;

    vm_machine(cpus);
    d = vm_create(++id, 1);
    v = d->vcpu[0];
    reg_set(0xf0, 0x1ff);
    reg_set(0x3e0, 0xb); /* divide by 1 */
    memset(fired, 0, sizeof(fired));
}

/* Runs what is due on every CPU; counts and acknowledges the interrupts. */
static void settle(void)
{
    unsigned int self = sim_this_cpu->id;
    int vector;

    for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
        sim_cpu_set(cpu);
        if (pcpu_shared[cpu].work & WORK_TIMER) {
            pcpu_shared[cpu].work &= ~WORK_TIMER;
            ktimer_run();
        }
    }
    sim_cpu_set(self);
    while ((vector = vlapic_pending(v)) >= 0) {
        vlapic_accept(v, (uint8_t)vector);
        reg_set(0xb0, 0);
        fired[vector]++;
    }
}

static void pass(nsec_t ns)
{
    sim_advance(ns);
    settle();
}

static void one_shot(void **state)
{
    start(1);
    reg_set(0x320, ONE_SHOT);
    reg_set(0x380, 1000); /* 10 us */
    assert_int_equal(reg_get(0x390), 1000);
    pass(1005);
    assert_int_equal(reg_get(0x390), 900);
    pass(8990);
    assert_int_equal(reg_get(0x390), 1);
    assert_int_equal(fired[0x40], 0);
    pass(5);
    assert_int_equal(reg_get(0x390), 0);
    assert_int_equal(fired[0x40], 1);
    pass(SEC(100));
    assert_int_equal(fired[0x40], 1);
    reg_set(0x380, 1000);
    reg_set(0x380, 0); /* stopped */
    pass(SEC(1));
    assert_int_equal(fired[0x40], 1);
    reg_set(0x380, 0xffffffff); /* the longest, with the largest divider */
    reg_set(0x3e0, 0xa);
    reg_set(0x380, 0xffffffff);
    pass(0xfffffffeLL * 1280);
    assert_int_equal(fired[0x40], 1);
    pass(1280);
    assert_int_equal(fired[0x40], 2);
}

static void masked(void **state)
{
    start(1);
    reg_set(0x320, ONE_SHOT | MASKED);
    reg_set(0x380, 100);
    pass(500);
    assert_int_equal(reg_get(0x390), 50); /* counts all the same */
    pass(600);
    assert_int_equal(fired[0x40], 0);
    reg_set(0x320, ONE_SHOT);
    pass(SEC(1));
    assert_int_equal(fired[0x40], 0);
}

static void dividers(void **state)
{
    static const struct {
        uint32_t code;
        unsigned int by;
    } rows[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};

    start(1);
    reg_set(0x320, ONE_SHOT);
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        reg_set(0x3e0, rows[i].code);
        reg_set(0x380, 100);
        pass(1000 * rows[i].by - 1);
        assert_int_equal(fired[0x40], i);
        pass(1);
        assert_int_equal(fired[0x40], i + 1);
    }
    reg_set(0x380, 100); /* by 1, then by 4 from half-way on */
    pass(500);
    reg_set(0x3e0, 1);
    assert_int_equal(reg_get(0x390), 50);
    pass(1999);
    assert_int_equal(fired[0x40], 8);
    pass(1);
    assert_int_equal(fired[0x40], 9);
}

static void periodic(void **state)
{
    start(1);
    reg_set(0x320, PERIODIC);
    reg_set(0x380, 10000); /* 100 us */
    for (unsigned int i = 0; i < 10; i++) {
        pass(USEC(100) - 10);
        assert_int_equal(fired[0x41], i);
        assert_int_equal(reg_get(0x390), 1);
        pass(10);
        assert_int_equal(fired[0x41], i + 1);
        assert_int_equal(reg_get(0x390), 10000);
    }
    sim_advance(USEC(730)); /* nobody looked: what was missed is not made up for */
    settle();
    assert_int_equal(fired[0x41], 11);
    pass(USEC(70));
    assert_int_equal(fired[0x41], 12);
    reg_set(0x320, ONE_SHOT); /* the running count becomes the last */
    pass(USEC(100));
    assert_int_equal(fired[0x40], 1);
    pass(SEC(1));
    assert_int_equal(fired[0x40], 1);
    assert_int_equal(fired[0x41], 12);
}

static void periodic_is_bounded(void **state)
{
    unsigned int before;

    start(1);
    reg_set(0x320, PERIODIC);
    reg_set(0x380, 1);
    before = sim_count.timer_sets;
    for (unsigned int i = 0; i < 1000; i++)
        pass(USEC(1));
    assert_in_range(fired[0x41], 19, 21);
    assert_true(sim_count.timer_sets - before < 100);
}

static void deadline(void **state)
{
    uint64_t value, now;

    start(1);
    assert_true(vlapic_write_msr(v, 0x6e0, 12345)); /* not in this mode: ignored */
    assert_true(vlapic_read_msr(v, 0x6e0, &value) && value == 0);
    reg_set(0x320, ONE_SHOT);
    reg_set(0x380, 100);
    reg_set(0x320, DEADLINE); /* stops the count */
    reg_set(0x380, 100);
    assert_int_equal(reg_get(0x390), 0);
    pass(SEC(1));
    assert_int_equal(fired[0x40] + fired[0x42], 0);

    now = cpu_tsc() + (uint64_t)d->tsc_offset;
    assert_true(vlapic_write_msr(v, 0x6e0, now + 5000));
    assert_true(vlapic_read_msr(v, 0x6e0, &value) && value == now + 5000);
    pass(4999);
    assert_int_equal(fired[0x42], 0);
    pass(3);
    assert_int_equal(fired[0x42], 1);
    assert_true(vlapic_read_msr(v, 0x6e0, &value) && value == 0);

    assert_true(vlapic_write_msr(v, 0x6e0, 1)); /* past */
    pass(2);
    assert_int_equal(fired[0x42], 2);
    assert_true(vlapic_write_msr(v, 0x6e0, ~0ULL)); /* centuries */
    pass(SEC(1000));
    assert_int_equal(fired[0x42], 2);
    assert_true(vlapic_write_msr(v, 0x6e0, 0));

    v->tsc_adjust = 1000000; /* the guest moved its TSC */
    now = cpu_tsc() + (uint64_t)d->tsc_offset + 1000000;
    assert_true(vlapic_write_msr(v, 0x6e0, now + 5000));
    pass(4999);
    assert_int_equal(fired[0x42], 2);
    pass(3);
    assert_int_equal(fired[0x42], 3);
    reg_set(0x320, DEADLINE);
    now = cpu_tsc() + (uint64_t)d->tsc_offset + 1000000;
    assert_true(vlapic_write_msr(v, 0x6e0, now + 5000));
    reg_set(0x320, ONE_SHOT); /* disarms */
    pass(SEC(1));
    assert_int_equal(fired[0x42], 3);
}

/* The callback was due on the old CPU when the vCPU, now elsewhere, started the timer anew. */
static void late_callback(void **state)
{
    start(2);
    reg_set(0x320, ONE_SHOT);
    reg_set(0x380, 100);
    sim_advance(1000);
    v->cpu = 1;
    reg_set(0x380, 100);
    settle();
    assert_int_equal(fired[0x40], 0);
    pass(999);
    assert_int_equal(fired[0x40], 0);
    pass(1);
    assert_int_equal(fired[0x40], 1);
    v->cpu = 0;
}

static void init_stops_it(void **state)
{
    start(1);
    reg_set(0x320, PERIODIC);
    reg_set(0x380, 10000);
    intc->reset(v);
    assert_int_equal(reg_get(0x390), 0);
    reg_set(0xf0, 0x1ff);
    reg_set(0x320, ONE_SHOT);
    pass(SEC(1));
    assert_int_equal(fired[0x40] + fired[0x41], 0);
}

UNIT_MAIN(cmocka_unit_test(one_shot), cmocka_unit_test(masked), cmocka_unit_test(dividers),
          cmocka_unit_test(periodic), cmocka_unit_test(periodic_is_bounded),
          cmocka_unit_test(deadline), cmocka_unit_test(late_callback),
          cmocka_unit_test(init_stops_it))

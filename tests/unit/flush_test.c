/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain/flush.h: when flush_domain() returns, every CPU that served the domain has left its guest,
 * and none enters again before it has been told that its translations are stale; also when kicks
 * arrive late and CPUs flush at the same time.
 */
#include "unit/fixture.h"

#include "domain/flush.h"

enum { CPUS = 4 };
static struct domain d, other;
static struct vcpu v[CPUS], w;
static bool in_guest[CPUS]; /* the CPU runs v[cpu] with the translations it has seen */

static void on_kick(void)
{
    in_guest[this_cpu()->id] = false;
    flush_acknowledge();
}

static void setup(void)
{
    sim_init(SIM_RAM_SIZE, CPUS);
    sim_kick_handler = on_kick;
    memset(in_guest, 0, sizeof(in_guest));
    for (int i = 0; i < CPUS; i++)
        fixture_domain(&d, &v[i], 1);
    fixture_domain(&other, &w, 2);
}

static void serve(unsigned int cpu, struct domain *whom)
{
    pcpu_shared[cpu].serving = whom;
}

/* What exit/loop.c does. True: translations had to be flushed. */
static bool enter(unsigned int cpu)
{
    sim_cpu_set(cpu);
    irq_disable();
    bool stale = flush_check(&v[cpu]);
    in_guest[cpu] = true;
    irq_enable();
    return stale;
}

static void waits_for_servers(void **state)
{
    setup();
    for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
        serve(cpu, cpu == 3 ? &other : &d);
        if (cpu < 3)
            assert_true(enter(cpu)); /* never seen yet */
    }
    sim_cpu_set(0);
    in_guest[0] = false;
    sim_kick_queued = true;
    fixture_ram(&d, 1);
    fixture_drop(&d, 1);
    flush_domain(&d);
    assert_int_equal(sim_count.kicks, 2);
    for (unsigned int cpu = 0; cpu < 3; cpu++)
        assert_false(in_guest[cpu]);
    for (unsigned int cpu = 0; cpu < 3; cpu++) {
        assert_true(enter(cpu));
        assert_false(enter(cpu));
    }
    assert_int_equal(d.has_run.bits, 7);
}

static void follows_cpu(void **state)
{
    setup();
    enter(0);
    assert_false(enter(0));
    sim_cpu_set(1);
    assert_true(flush_check(&v[0])); /* moved here */
    sim_cpu_set(0);
    assert_true(flush_check(&v[0])); /* and back: stale again */
    assert_false(flush_check(&v[0]));
}

static void late_kick(void **state)
{
    setup();
    serve(1, &d);
    sim_kick_queued = true;
    sim_cpu_set(1);
    irq_disable(); /* cannot take it */
    sim_cpu_set(0);
    assert_true(sim_panics(flush_domain(&d)));
    assert_non_null(strstr(sim_panic_text, "waits for ever"));
    sim_cpu_set(1);
    irq_enable();
    sim_cpu_set(0);
    flush_domain(&d);
}

/* CPU 1 waits for CPU 0, which waits for CPU 1 with interrupts off. */
static void spin(void)
{
    static bool inside;

    if (inside) { /* CPU 1's wait: 0 has acknowledged by itself, or does now */
        sim_cpu_set(0);
        sim_kick_deliver(1);
        flush_acknowledge();
        sim_cpu_set(1);
        return;
    }
    inside = true;
    sim_cpu_set(1);
    flush_domain(&d);
    sim_kick_deliver(1);
    sim_cpu_set(0);
    inside = false;
}

static void crossing(void **state)
{
    setup();
    serve(0, &d);
    serve(1, &d);
    sim_kick_queued = true;
    sim_spin_hook = spin;
    irq_disable();
    flush_domain(&d);
    irq_enable();
    for (int cpu = 0; cpu < 2; cpu++)
        assert_int_equal(pcpu_shared[cpu].flush_request, pcpu_shared[cpu].flush_done);
}

static void whole_tlb(void **state)
{
    setup();
    sim_count.flushes = 0;
    flush_all_cpus();
    assert_int_equal(sim_count.flushes, CPUS - 1);
    flush_domain(&d); /* nobody serves it */
    assert_int_equal(sim_count.kicks, CPUS - 1);
    kpage_flush_hook = flush_all_cpus;
    kpage_free(kpage_alloc(0), 0);
    sim_count.flushes = 0;
    kpage_drain();
    assert_int_equal(sim_count.flushes, CPUS);
    kpage_flush_hook = NULL;
}

UNIT_MAIN(cmocka_unit_test(waits_for_servers), cmocka_unit_test(follows_cpu),
          cmocka_unit_test(late_kick), cmocka_unit_test(crossing), cmocka_unit_test(whole_tlb))

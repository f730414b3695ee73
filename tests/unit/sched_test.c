/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain/sched/core.c and null.c: affinity always holds, runstates add up, no CPU is idle while
 * somebody waits, and nothing is lost when vCPUs are stopped, started, moved and made anew at any
 * moment, between a CPU's choice and the end of its switch too.
 */
#include "unit/sched_driver.h"

/* Each state's time is what the driver saw, and all add up to the vCPU's age. */
static void expect_runstates(void)
{
    for (unsigned int i = 0; i < nr_actors; i++) {
        struct vcpu_runstate_info info;
        uint64_t sum = 0;

        sched_get_runstate(&actors[i].v, &info);
        for (unsigned int k = 0; k < ARRAY_SIZE(info.time); k++)
            sum += info.time[k];
        assert_int_equal(sum, sim_now() - actors[i].born);
        assert_int_equal(info.time[RUNSTATE_running], actors[i].ran);
    }
}

static void runstates(void **state)
{
    driver_start(2, "credit2");
    for (int i = 0; i < 4; i++) {
        struct domain *d = driver_domain(256, i == 3 ? 60 : 0);
        driver_spinner(d);
        driver_wake(driver_vcpu(d, SLEEP, USEC(300), USEC(500)));
        driver_wake(driver_vcpu(d, YIELD, USEC(700), 0));
    }
    for (int i = 0; i < 10; i++) {
        driver_run(MSEC(37));
        expect_runstates();
    }
    vcpu_pause_set(&actors[0].v, VPAUSE_DOMAIN);
    driver_run(MSEC(5));
    uint64_t offline = actors[0].v.runstate.time[RUNSTATE_offline];
    driver_run(MSEC(5));
    vcpu_pause_clear(&actors[0].v, VPAUSE_DOMAIN);
    driver_run(MSEC(50));
    assert_int_equal(actors[0].v.runstate.time[RUNSTATE_offline], offline + MSEC(10));
    expect_runstates();
    driver_end();
}

static void hard_affinity(void **state)
{
    const cpumask_t none = {~7ULL};
    cpumask_t hard, soft;

    driver_start(3, "credit2");
    srand(3);
    for (int i = 0; i < 6; i++)
        driver_spinner(driver_domain(256, 0));
    for (int i = 0; i < 6; i++)
        driver_wake(driver_vcpu(&domains[i], SLEEP, USEC(200), USEC(300)));
    assert_int_equal(sched_set_affinity(&actors[0].v, &none, NULL), -XEN_EINVAL);
    for (int i = 0; i < 2000; i++) {
        cpumask_t mask = {(uint64_t)(rand() % 7 + 1)};
        struct actor *a = &actors[(unsigned int)rand() % nr_actors];

        sim_cpu_set((unsigned int)rand() % 3);
        assert_int_equal(sched_set_affinity(&a->v, &mask, NULL), 0);
        sched_get_affinity(&a->v, &hard, &soft);
        assert_int_equal(hard.bits, mask.bits);
        driver_run(USEC(rand() % 300)); /* checks after each step */
    }
    expect_runstates();
    driver_end();
}

static void soft_affinity(void **state)
{
    driver_start(4, "credit2");
    for (int i = 0; i < 3; i++) {
        const cpumask_t soft = {1ULL << (3 - i)};
        struct actor *a = driver_vcpu(driver_domain(256, 0), SLEEP, USEC(100), USEC(137));
        assert_int_equal(sched_set_affinity(&a->v, NULL, &soft), 0);
        driver_wake(a);
    }
    for (int i = 0; i < 200; i++) {
        driver_run(USEC(50));
        for (unsigned int cpu = 0; cpu < 4; cpu++)
            assert_true(!on_cpu[cpu] || cpumask_test(&on_cpu[cpu]->sched->soft, cpu));
    }
    /* Only a preference. */
    for (unsigned int i = 0; i < 3; i++) {
        const cpumask_t soft = {1};
        assert_int_equal(sched_set_affinity(&actors[i].v, NULL, &soft), 0);
        actors[i].kind = SPIN;
        actors[i].left = actors[i].run = NSEC_NEVER;
    }
    driver_run(MSEC(20));
    nsec_t before = actors[0].ran + actors[1].ran + actors[2].ran;
    driver_run(MSEC(20));
    assert_int_equal(actors[0].ran + actors[1].ran + actors[2].ran - before, 3 * MSEC(20));
    driver_end();
}

static void adjusts(void **state)
{
    struct sched_params p = {.weight = 0};

    driver_start(1, "credit2");
    struct domain *d = driver_domain(0, 0);
    assert_int_equal(sched_adjust(d, &p, NULL), -XEN_EINVAL);
    assert_int_equal(sched_adjust(d, NULL, &p), 0);
    assert_int_equal(p.weight, 256);
    assert_int_equal(p.cap, 0);
    assert_int_equal(sched_id(), XEN_SCHEDULER_CREDIT2);
    assert_string_equal(sched_name(), "credit2");
    driver_end();

    driver_start(1, "null");
    d = driver_domain(0, 0);
    assert_int_equal(sched_id(), XEN_SCHEDULER_NULL);
    assert_int_equal(sched_adjust(d, &p, NULL), -XEN_EINVAL);
    driver_end();
    snprintf(params.sched, sizeof(params.sched), "no such");
    assert_int_equal(sched_init(), -XEN_EINVAL);
}

/* Each vCPU has a CPU of its own for good; one too many waits until it is started when one is
 * free. */
static void null_scheduler(void **state)
{
    driver_start(2, "null");
    struct domain *d = driver_domain(0, 0), *e = driver_domain(0, 0);
    struct actor *a = driver_spinner(d), *b = driver_vcpu(d, SLEEP, USEC(100), USEC(100)), *c;
    driver_wake(b);
    c = driver_spinner(e);
    driver_run(MSEC(10));
    assert_int_equal(a->ran, MSEC(10));
    assert_in_range(b->ran, MSEC(5) - USEC(100), MSEC(5) + USEC(100));
    assert_int_equal(c->ran, 0);
    assert_int_equal(sim_deadline(a->v.cpu), NSEC_NEVER);
    expect_runstates();

    /* The CPUs are free when the domain has gone: for who starts then. */
    vcpu_pause_set(&a->v, VPAUSE_DYING);
    vcpu_pause_set(&b->v, VPAUSE_DYING);
    driver_run(MSEC(1));
    assert_int_equal(c->ran, 0);
    sched_domain_fini(d);
    assert_int_equal(sched_domain_init(d), 0);
    vcpu_pause_set(&c->v, VPAUSE_DOWN);
    vcpu_pause_clear(&c->v, VPAUSE_DOWN);
    driver_run(MSEC(1));
    assert_int_equal(c->ran, MSEC(1));

    /* It moves when it may not run there any more, and leaves nothing behind. */
    const cpumask_t other = {3 & ~(1ULL << c->v.cpu)};
    assert_int_equal(sched_set_affinity(&c->v, &other, NULL), 0);
    driver_run(MSEC(1));
    assert_true(cpumask_test(&other, c->v.cpu));
    assert_int_equal(c->ran, MSEC(2));
    struct actor *e1 = driver_spinner(e);
    driver_run(MSEC(1));
    assert_int_equal(e1->ran, MSEC(1));
    driver_end();
}

/* -- stress ----------------------------------------------------------------------------------- */

static struct vcpu *unloading[MAX_CPUS]; /* chosen against, not released yet */

static void stress_cpu(unsigned int cpu)
{
    sim_cpu_set(cpu);
    if (unloading[cpu]) {
        sched_release(unloading[cpu]);
        unloading[cpu] = NULL;
        return;
    }
    uint32_t work = __atomic_exchange_n(&pcpu_shared[cpu].work, 0, __ATOMIC_SEQ_CST);
    if (work & WORK_TIMER)
        ktimer_run();
    if (work & WORK_RESCHED) {
        struct vcpu *prev = on_cpu[cpu];
        on_cpu[cpu] = sched_pick(prev);
        unloading[cpu] = prev != on_cpu[cpu] ? prev : NULL;
    }
}

static void stress_anew(struct actor *a)
{
    struct domain *d = a->v.domain;
    unsigned int id = a->v.id;

    if (!a->v.pause || a->v.running)
        return;
    sched_vcpu_fini(&a->v);
    memset(a, 0, sizeof(*a));
    a->v.id = id;
    a->v.domain = d;
    a->v.pause = VPAUSE_DOWN;
    a->born = sim_now();
    a->v.runstate.state = RUNSTATE_offline;
    assert_int_equal(sched_vcpu_init(&a->v), 0);
}

static void stress_act(struct actor *a)
{
    static const uint32_t bits[] = {VPAUSE_BLOCKED, VPAUSE_BLOCKED, VPAUSE_DOWN, VPAUSE_DOMAIN,
                                    VPAUSE_SHUTDOWN};
    uint32_t bit = bits[(unsigned int)rand() % ARRAY_SIZE(bits)];
    const cpumask_t mask = {(uint64_t)(rand() % 15 + 1)};
    const struct sched_params p = {.weight = (uint16_t)(rand() % 1000 + 1),
                                   .cap = (uint16_t)(rand() % 3 ? 0 : rand() % 250)};

    sim_cpu_set((unsigned int)rand() % nr_cpus);
    switch (rand() % 16) {
    case 0:
        (void)sched_adjust(a->v.domain, &p, NULL);
        break;
    case 1:
        (void)sched_set_affinity(&a->v, rand() % 2 ? &mask : NULL, rand() % 2 ? &mask : NULL);
        break;
    case 2:
        stress_anew(a);
        break;
    case 3:
        if (a->v.running && on_cpu[a->v.cpu] == &a->v) {
            sim_cpu_set(a->v.cpu);
            sched_yield_vcpu(&a->v);
        }
        break;
    case 4 ... 8:
        vcpu_pause_set(&a->v, bit);
        break;
    default:
        vcpu_pause_clear(&a->v, rand() % 4 ? ~0u : bit);
        break;
    }
}

static void stress_time(void)
{
    nsec_t dt = rand() % USEC(300);

    sim_advance(dt);
    for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
        if (on_cpu[cpu])
            actor_of(on_cpu[cpu])->ran += dt;
}

/* Whether each vCPU is where its pause bits say. */
static void stress_accounts(void)
{
    uint32_t active[MAX_DOMAINS] = {0};

    for (unsigned int i = 0; i < nr_actors; i++) {
        const struct vcpu *v = &actors[i].v;
        if (v->pause)
            assert_true(!v->running && !v->sched->queued);
        else
            assert_true(v->running != v->sched->queued);
        active[v->domain - domains] += !v->pause;
    }
    for (unsigned int i = 0; i < nr_domains; i++)
        assert_int_equal(domains[i].sched->active, active[i]);
}

static void stress(const char *algorithm, unsigned int seed)
{
    driver_start(4, algorithm);
    srand(seed);
    for (unsigned int i = 0; i < 12; i++)
        driver_vcpu(i < 4 ? driver_domain(0, 0) : &domains[i % 4], SPIN, NSEC_NEVER, 0);
    for (unsigned int step = 0; step < 12000; step++) {
        if (rand() % 3)
            stress_cpu((unsigned int)rand() % 4);
        else
            stress_act(&actors[(unsigned int)rand() % nr_actors]);
        if (rand() % 4 == 0)
            stress_time();
        check(false);
        if (step % 50 == 49) {
            for (unsigned int cpu = 0; cpu < 4; cpu++)
                if (unloading[cpu])
                    stress_cpu(cpu);
            driver_settle();
            stress_accounts();
        }
    }
    expect_runstates();
    driver_end();
}

static void stress_share(void **state)
{
    /* With 115 a CPU that was to come for one vCPU found another, and nobody came. */
    static const unsigned int seeds[] = {1, 2, 3, 4, 115};

    for (unsigned int i = 0; i < ARRAY_SIZE(seeds); i++)
        stress("credit2", seeds[i]);
}

static void stress_null(void **state)
{
    stress("null", 1);
}

UNIT_MAIN(cmocka_unit_test(runstates), cmocka_unit_test(hard_affinity),
          cmocka_unit_test(soft_affinity), cmocka_unit_test(adjusts),
          cmocka_unit_test(null_scheduler), cmocka_unit_test(stress_share),
          cmocka_unit_test(stress_null))

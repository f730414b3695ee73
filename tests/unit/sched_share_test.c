/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain/sched/share.c against its figures: over one second of the virtual clock domains get what
 * their weights say to 2 %, however their vCPUs behave, and what their caps say to 1 %; nobody of a
 * weight that counts waits for 100 ms. With SHOW set the figures are printed.
 */
#include "unit/sched_driver.h"

#include <math.h>

static bool showing;

static void show(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (showing || (showing = getenv("SHOW")))
        vprintf(fmt, ap);
    va_end(ap);
}

/* What each domain is due of `cpus` CPUs: by weight, at most one CPU for each vCPU. */
static void dues(double *due, unsigned int cpus)
{
    double left = cpus, weights;
    bool full[MAX_DOMAINS] = {false}, again = true;

    while (again) {
        again = false;
        weights = 0;
        for (unsigned int i = 0; i < nr_domains; i++)
            if (!full[i])
                weights += domains[i].sched->params.weight;
        for (unsigned int i = 0; i < nr_domains && !again; i++)
            if (!full[i]) {
                due[i] = left * domains[i].sched->params.weight / weights;
                if (due[i] > domains[i].max_vcpus) {
                    due[i] = domains[i].max_vcpus;
                    left -= due[i];
                    full[i] = again = true;
                }
            }
    }
}

/* Runs for a second from now on: what was due is had to 2 %, or to one smallest slice. */
static void expect_dues(unsigned int cpus)
{
    double due[MAX_DOMAINS];
    nsec_t before[MAX_DOMAINS];

    dues(due, cpus);
    for (unsigned int i = 0; i < nr_domains; i++)
        before[i] = driver_ran(&domains[i]);
    driver_run(SEC(1));
    for (unsigned int i = 0; i < nr_domains; i++) {
        double got = (double)(driver_ran(&domains[i]) - before[i]) / 1e9;
        double off = (got / due[i] - 1) * 100;
        show("  domain %u, weight %u, %u vCPUs: due %.4f got %.4f CPUs, %+.2f %%\n", i + 1,
             domains[i].sched->params.weight, domains[i].max_vcpus, due[i], got, off);
        if (fabs(got - due[i]) > max(.02 * due[i], .0005))
            fail_msg("domain %u: %.4f CPUs, due are %.4f (%+.2f %%)", i + 1, got, due[i], off);
    }
}

/* Nobody whose weight is at least 1/16 of the greatest has waited for 100 ms. */
static void expect_waits(void)
{
    unsigned int most = 0;

    for (unsigned int i = 0; i < nr_domains; i++)
        most = max(most, (unsigned int)domains[i].sched->params.weight / domains[i].max_vcpus);
    for (unsigned int i = 0; i < nr_actors; i++) {
        const struct domain *d = actors[i].v.domain;
        if (d->sched->params.weight / d->max_vcpus >= most / 16)
            assert_true(actors[i].longest_wait < MSEC(100));
    }
}

static const struct {
    unsigned int cpus, n, weight[8], vcpus[8];
} mix[] = {
    {2, 8, {256, 256, 256, 256, 256, 256, 256, 256}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {2, 8, {256, 512, 256, 512, 256, 512, 256, 512}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {2, 8, {64, 128, 192, 256, 320, 384, 448, 512}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {2, 8, {1024, 64, 64, 64, 64, 1024, 64, 64}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {2, 8, {256, 16, 256, 256, 256, 256, 256, 16}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {2, 8, {65535, 30000, 65535, 30000, 65535, 30000, 65535, 30000}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {2, 8, {1, 2, 3, 4, 5, 6, 7, 8}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {2, 4, {256, 256, 256, 256}, {2, 2, 2, 2}},
    {2, 4, {256, 512, 1024, 128}, {2, 2, 2, 2}},
    {2, 2, {256, 256}, {4, 4}},
    {2, 2, {256, 768}, {4, 4}},
    {2, 2, {256, 256}, {7, 1}},
    {2, 2, {4096, 256}, {1, 7}}, /* its vCPU cannot be in two places */
    {2, 3, {256, 256, 256}, {1, 2, 5}},
    {2, 3, {100, 1000, 300}, {5, 2, 1}},
    {2, 3, {256, 256, 256}, {1, 1, 1}}, /* no even distribution over CPUs */
    {1, 4, {256, 512, 16, 100}, {1, 2, 1, 3}},
    {4, 5, {256, 256, 256, 256, 256}, {1, 1, 1, 1, 1}},
    {4, 6, {256, 512, 128, 1024, 256, 300}, {4, 2, 1, 4, 3, 1}},
};

static void weights(void **state)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(mix); i++) {
        show("mix %u\n", i);
        driver_start(mix[i].cpus, "credit2");
        for (unsigned int j = 0; j < mix[i].n; j++) {
            struct domain *d = driver_domain(mix[i].weight[j], 0);
            for (unsigned int k = 0; k < mix[i].vcpus[j]; k++)
                driver_spinner(d);
        }
        driver_run(MSEC(20));
        expect_dues(mix[i].cpus);
        expect_dues(mix[i].cpus);
        expect_waits();
        driver_end();
    }
}

/* A domain whose vCPUs yield all the time, or run in short bursts, gets no more than its due; one
 * that gives way to the others may get less. */
static void tricks(void **state)
{
    static const struct {
        enum script_kind kind;
        nsec_t run, sleep;
    } trick[] = {
        {YIELD, USEC(50), 0},       {YIELD, MSEC(3), 0},         {SLEEP, USEC(400), USEC(10)},
        {SLEEP, MSEC(2), USEC(1)},  {SLEEP, MSEC(7), USEC(200)}, {SLEEP, MSEC(4), MSEC(4)},
        {SLEEP, MSEC(30), MSEC(1)},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(trick); i++) {
        struct domain *honest[3], *d;
        double due[MAX_DOMAINS];

        show("trick %u\n", i);
        driver_start(2, "credit2");
        for (int j = 0; j < 3; j++)
            honest[j] = driver_domain(256, 0);
        for (int j = 0; j < 4; j++)
            driver_spinner(honest[j % 3]);
        d = driver_domain(256, 0);
        for (int j = 0; j < 4; j++)
            driver_wake(driver_vcpu(d, trick[i].kind, trick[i].run, trick[i].sleep));
        dues(due, 2);
        driver_run(SEC(1));
        show("  due %.4f got %.4f\n", due[3], (double)driver_ran(d) / 1e9);
        assert_true((double)driver_ran(d) / 1e9 < due[3] * 1.02);
        driver_end();
    }
}

/* Caps below and above 100, of busy domains with and without competition. */
static void caps(void **state)
{
    static const struct {
        unsigned int cap, vcpus, others;
    } capped[] = {{5, 1, 0},   {10, 1, 0},  {33, 1, 3},  {50, 2, 0},  {50, 4, 4}, {75, 1, 1},
                  {100, 4, 0}, {150, 2, 0}, {150, 4, 0}, {170, 3, 2}, {1, 1, 2},  {120, 7, 1}};

    for (unsigned int i = 0; i < ARRAY_SIZE(capped); i++) {
        driver_start(2, "credit2");
        struct domain *d = driver_domain(4096, capped[i].cap), *rest = driver_domain(256, 0);
        for (unsigned int j = 0; j < capped[i].vcpus; j++)
            driver_spinner(d);
        for (unsigned int j = 0; j < capped[i].others; j++)
            driver_spinner(rest);
        driver_run(MSEC(20));
        nsec_t before = driver_ran(d), others = driver_ran(rest);
        driver_run(SEC(1));
        double got = (double)(driver_ran(d) - before) / 1e7;
        show("cap %u, %u vCPUs, %u others: %.2f %%\n", capped[i].cap, capped[i].vcpus,
             capped[i].others, got);
        assert_true(got < capped[i].cap + 1 && got > capped[i].cap - 1);
        /* What is left goes to those who want it; one vCPU cannot be in two places. */
        if (capped[i].others != 1)
            assert_true((double)(driver_ran(rest) - others) / 1e7 >
                        min(200 - got, 100. * capped[i].others) - 1);

        struct sched_params p = {.weight = 4096};
        assert_int_equal(sched_adjust(d, &p, NULL), 0);
        before = driver_ran(d);
        driver_run(MSEC(200));
        assert_true(driver_ran(d) - before > MSEC(170) * min(2u, capped[i].vcpus));
        driver_end();
    }
}

/* Who ran alone, for however long, is soon level with those that come. */
static void newcomers(void **state)
{
    for (unsigned int weight = 16; weight <= 4096; weight *= 16) {
        driver_start(1, "credit2");
        struct domain *old = driver_domain(weight, 0);
        struct actor *a = driver_spinner(old);
        driver_run(SEC(3));
        assert_int_equal(a->ran, SEC(3));
        for (int i = 0; i < 3; i++)
            driver_spinner(driver_domain(256, 0));
        driver_run(MSEC(200));
        expect_dues(1);
        expect_waits();
        driver_end();
    }
}

/* CPUs whose vCPUs may run nowhere else go their own way, and their weights hold all the same; who
 * may then run elsewhere is level with those it meets. */
static void pinned(void **state)
{
    const cpumask_t one[2] = {{1}, {2}}, both = {3};

    for (int big = 0; big < 2; big++) {
        driver_start(2, "credit2");
        struct actor *a[5];
        static const unsigned int weight[2][5] = {{16, 256, 512, 256, 1024},
                                                  {4096, 256, 512, 256, 1024}};
        for (int i = 0; i < 5; i++) {
            a[i] = driver_vcpu(driver_domain(weight[big][i], 0), SPIN, NSEC_NEVER, 0);
            assert_int_equal(sched_set_affinity(&a[i]->v, &one[i != 0], NULL), 0);
            driver_wake(a[i]);
        }
        driver_run(SEC(2));
        assert_int_equal(a[0]->ran, SEC(2));
        for (int i = 1; i < 5; i++) {
            double due = 2e9 * weight[big][i] / 2048;
            assert_true((double)a[i]->ran > due * .98 && (double)a[i]->ran < due * 1.02);
        }
        for (int i = 0; i < 5; i++)
            assert_int_equal(sched_set_affinity(&a[i]->v, &both, NULL), 0);
        driver_run(MSEC(300));
        expect_dues(2);
        expect_waits();
        driver_end();
    }
}

/* A vCPU that wakes runs at once where one is running that had more. */
static void wake_up(void **state)
{
    driver_start(1, "credit2");
    driver_spinner(driver_domain(256, 0));
    driver_spinner(driver_domain(256, 0));
    struct actor *a = driver_vcpu(driver_domain(256, 0), SLEEP, USEC(100), MSEC(5));
    driver_wake(a);
    driver_run(MSEC(20));
    a->longest_wait = 0;
    driver_run(SEC(1));
    assert_true(a->longest_wait < USEC(100));
    assert_true(a->ran > MSEC(19));
    driver_end();
}

/* The same when there are CPUs to choose from, and its own runs one that had less. */
static void wake_up_elsewhere(void **state)
{
    driver_start(4, "credit2");
    for (int i = 0; i < 6; i++)
        driver_spinner(driver_domain(256, 0));
    for (int i = 0; i < 4; i++)
        driver_wake(driver_vcpu(driver_domain(256, 0), SLEEP, USEC(100), MSEC(3)));
    driver_run(MSEC(20));
    for (int i = 6; i < 10; i++)
        actors[i].longest_wait = 0;
    driver_run(SEC(1));
    for (int i = 6; i < 10; i++)
        assert_true(actors[i].longest_wait < MSEC(1));
    driver_end();
}

UNIT_MAIN(cmocka_unit_test(weights), cmocka_unit_test(tricks), cmocka_unit_test(caps),
          cmocka_unit_test(newcomers), cmocka_unit_test(pinned), cmocka_unit_test(wake_up),
          cmocka_unit_test(wake_up_elsewhere))

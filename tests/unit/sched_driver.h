/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps simulated CPUs through the scheduler on the virtual clock: each CPU asks and releases as
 * the exit loop does, each vCPU follows a script. After each step the invariants hold:
 * sched_check(), hard affinity, no CPU idle while somebody who may run there waits.
 */
#ifndef TESTS_UNIT_SCHED_DRIVER_H
#define TESTS_UNIT_SCHED_DRIVER_H

#include "unit/unit.h"

#include "core/clock.h"
#include "core/param.h"
#include "domain/sched/ops.h"
#include "mem/heap.h"
#include "sim.h"

enum { MAX_ACTORS = 24, MAX_DOMAINS = 12 };

/* Runs for `run` ns of CPU time, then yields or sleeps; a sleep of 0 has no end. */
enum script_kind { SPIN, YIELD, SLEEP };

struct actor {
    struct vcpu v;
    enum script_kind kind;
    nsec_t run, sleep;
    nsec_t left, wake_at;
    nsec_t ran, born, waits_since, longest_wait;
};

static struct actor actors[MAX_ACTORS];
static struct domain domains[MAX_DOMAINS];
static struct vcpu *vcpus[MAX_DOMAINS][8];
static struct vcpu *on_cpu[MAX_CPUS]; /* what the loop has loaded */
static unsigned int nr_actors, nr_domains;
static bool may_idle; /* null: CPUs are idle while others wait */

static struct actor *actor_of(struct vcpu *v)
{
    return container_of(v, struct actor, v);
}

static void driver_start(unsigned int cpus, const char *algorithm)
{
    sim_init(SIM_RAM_SIZE, cpus);
    snprintf(params.sched, sizeof(params.sched), "%s", algorithm);
    for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
        *sched_queue(cpu) = (struct sched_cpu){0};
    assert_int_equal(sched_init(), 0);
    memset(on_cpu, 0, sizeof(on_cpu));
    nr_actors = nr_domains = 0;
    may_idle = !strcmp(algorithm, "null");
}

static struct domain *driver_domain(unsigned int weight, unsigned int cap)
{
    struct domain *d = &domains[nr_domains];

    memset(d, 0, sizeof(*d));
    memset(vcpus[nr_domains], 0, sizeof(vcpus[0]));
    d->id = (domid_t)++nr_domains;
    snprintf(d->name, sizeof(d->name), "d%u", d->id);
    d->vcpu = vcpus[nr_domains - 1];
    lock_init(&d->lock, RANK_DOMAIN);
    assert_int_equal(sched_domain_init(d), 0);
    struct sched_params p = {.weight = (uint16_t)weight, .cap = (uint16_t)cap};
    if (weight)
        assert_int_equal(sched_adjust(d, &p, NULL), 0);
    return d;
}

/* A vCPU that is blocked. */
static struct actor *driver_vcpu(struct domain *d, enum script_kind kind, nsec_t run, nsec_t sleep)
{
    struct actor *a = &actors[nr_actors++];

    assert_true(nr_actors <= MAX_ACTORS && d->max_vcpus < ARRAY_SIZE(vcpus[0]));
    memset(a, 0, sizeof(*a));
    a->kind = kind;
    a->run = a->left = run;
    a->sleep = sleep;
    a->wake_at = NSEC_NEVER;
    a->born = sim_now();
    a->waits_since = -1;
    a->v.id = d->max_vcpus;
    a->v.domain = d;
    a->v.pause = VPAUSE_BLOCKED;
    a->v.runstate.state = RUNSTATE_blocked;
    d->vcpu[d->max_vcpus++] = &a->v;
    assert_int_equal(sched_vcpu_init(&a->v), 0);
    return a;
}

static struct actor *driver_spinner(struct domain *d)
{
    struct actor *a = driver_vcpu(d, SPIN, NSEC_NEVER, 0);

    vcpu_pause_clear(&a->v, VPAUSE_BLOCKED);
    return a;
}

static void driver_settle(void);

static void driver_end(void)
{
    for (unsigned int i = 0; i < nr_actors; i++)
        vcpu_pause_set(&actors[i].v, VPAUSE_DYING);
    driver_settle();
    for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
        assert_null(on_cpu[cpu]);
    for (unsigned int i = 0; i < nr_domains; i++)
        sched_domain_fini(&domains[i]);
    for (unsigned int i = 0; i < nr_actors; i++)
        sched_vcpu_fini(&actors[i].v);
}

/* -- invariants ------------------------------------------------------------------------------- */

static bool has_budget(const struct domain *d)
{
    return !d->sched->params.cap || d->sched->budget > 0;
}

static bool waits(const struct actor *a)
{
    return !a->v.pause && !a->v.running;
}

static void check(bool settled)
{
    char why[128];
    unsigned int cpu;

    if (sched_check(why, sizeof(why)))
        fail_msg("%s", why);
    for (cpu = 0; cpu < nr_cpus; cpu++)
        if (on_cpu[cpu] && settled)
            assert_true(cpumask_test(&on_cpu[cpu]->sched->hard, cpu));
    for (unsigned int i = 0; settled && !may_idle && i < nr_actors; i++)
        for (cpu = 0; waits(&actors[i]) && cpu < nr_cpus; cpu++)
            if (!on_cpu[cpu] && cpumask_test(&actors[i].v.sched->hard, cpu) &&
                has_budget(actors[i].v.domain))
                fail_msg("CPU %u is idle while vCPU %u waits", cpu, i);
}

/* -- time ------------------------------------------------------------------------------------- */

/* The loop's top, once. True: the CPU had something to do. */
static bool driver_cpu(unsigned int cpu)
{
    struct vcpu *prev = on_cpu[cpu], *next;
    uint32_t work = __atomic_exchange_n(&pcpu_shared[cpu].work, 0, __ATOMIC_SEQ_CST);

    sim_cpu_set(cpu);
    if (work & WORK_TIMER)
        ktimer_run();
    if (work & WORK_RESCHED) {
        next = sched_pick(prev);
        if (prev && prev != next)
            sched_release(prev);
        on_cpu[cpu] = next;
        check(false);
    }
    return work;
}

static void driver_settle(void)
{
    bool busy = true;

    for (unsigned int round = 0; busy; round++) {
        assert_true(round < 100);
        busy = false;
        for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
            busy |= driver_cpu(cpu);
    }
    check(true);
    for (unsigned int i = 0; i < nr_actors; i++) {
        struct actor *a = &actors[i];
        bool now = waits(a) && has_budget(a->v.domain);
        if (now && a->waits_since < 0)
            a->waits_since = sim_now();
        if (!now && a->waits_since >= 0) {
            a->longest_wait = max(a->longest_wait, sim_now() - a->waits_since);
            a->waits_since = -1;
        }
    }
}

static void driver_act(struct actor *a)
{
    sim_cpu_set(a->v.cpu);
    a->left = a->run;
    if (a->kind == YIELD) {
        sched_yield_vcpu(&a->v);
    } else {
        vcpu_pause_set(&a->v, VPAUSE_BLOCKED);
        a->wake_at = a->sleep ? sim_now() + a->sleep : NSEC_NEVER;
    }
}

static void driver_wake(struct actor *a)
{
    a->wake_at = NSEC_NEVER;
    sim_cpu_set((unsigned int)rand() % nr_cpus);
    vcpu_pause_clear(&a->v, VPAUSE_BLOCKED);
}

static void driver_run(nsec_t time)
{
    nsec_t end = sim_now() + time;

    for (;;) {
        nsec_t now = sim_now(), next = end;

        driver_settle();
        for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
            next = min(next, sim_deadline(cpu));
            if (on_cpu[cpu] && actor_of(on_cpu[cpu])->left < next - now)
                next = now + actor_of(on_cpu[cpu])->left;
        }
        for (unsigned int i = 0; i < nr_actors; i++)
            next = min(next, actors[i].wake_at);
        if (next > now)
            sim_advance(next - now);
        for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
            if (on_cpu[cpu]) {
                struct actor *a = actor_of(on_cpu[cpu]);
                a->ran += next - now;
                if (a->left != NSEC_NEVER)
                    a->left -= next - now;
            }
        if (next == end)
            break;
        for (unsigned int i = 0; i < nr_actors; i++) {
            if (actors[i].v.running && !actors[i].left)
                driver_act(&actors[i]);
            if (actors[i].wake_at <= next)
                driver_wake(&actors[i]);
        }
    }
}

static inline nsec_t driver_ran(const struct domain *d)
{
    nsec_t sum = 0;

    for (unsigned int i = 0; i < d->max_vcpus; i++)
        sum += actor_of(d->vcpu[i])->ran;
    return sum;
}

#endif

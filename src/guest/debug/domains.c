/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug keys about domains: what they are, what their vCPUs do, run queues, invariants. The
 * letters are Xen's where Xen has the key. docs/debugging.md shows what they print.
 */
#include "core/clock.h"
#include "core/keys.h"
#include "core/printk.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/sched.h"
#include "guest/console/guest_console.h"

/* Calls fn for every domain, by id. */
static void each_domain(void (*fn)(struct domain *d))
{
    struct domain *d;
    int id = -1;

    while ((d = domain_next(id))) {
        id = d->id;
        fn(d);
        domain_put(d);
    }
    if (id < 0)
        log_info("no domains");
}

/* -- q ---------------------------------------------------------------------------------------- */

static const char *pause_text(uint32_t pause)
{
    if (!pause)
        return "runnable";
    if (pause & VPAUSE_DYING)
        return "dying";
    if (pause & VPAUSE_SHUTDOWN)
        return "shut down";
    if (pause & VPAUSE_DOWN)
        return "down";
    if (pause & VPAUSE_DOMAIN)
        return "paused";
    return pause & VPAUSE_WAIT ? "waits for Krypton" : "blocked";
}

/* In the order of enum vmexit_reason; what is not named is counted under "other". */
static const struct {
    uint8_t reason;
    const char *name;
} exits_shown[] = {
    {VMEXIT_HYPERCALL, "hypercall"},
    {VMEXIT_HLT, "hlt"},
    {VMEXIT_NONE, "interrupt"},
    {VMEXIT_INTR_WINDOW, "window"},
    {VMEXIT_CPUID, "cpuid"},
    {VMEXIT_MSR, "msr"},
    {VMEXIT_IO, "port"},
    {VMEXIT_NPF, "npf"},
};

static void vcpu_show(struct vcpu *v)
{
    uint64_t total = 0, other, n[ARRAY_SIZE(exits_shown)];
    struct vcpu_runstate_info run;
    const bool running = READ_ONCE(v->running);

    sched_get_runstate(v, &run);
    for (unsigned int i = 0; i < VMEXIT_NR; i++)
        total += READ_ONCE(v->exits[i]);
    other = total;
    for (unsigned int i = 0; i < ARRAY_SIZE(n); i++) {
        n[i] = READ_ONCE(v->exits[exits_shown[i].reason]);
        other -= n[i];
    }
    log_info("  vCPU %u: %s, CPU %u, pause %#x work %#x, ran %lu ms", v->id,
             running ? "running" : pause_text(READ_ONCE(v->pause)), READ_ONCE(v->cpu),
             READ_ONCE(v->pause), READ_ONCE(v->work), run.time[RUNSTATE_running] / 1000000);
    log_info("    %lu exits: %s %lu, %s %lu, %s %lu, %s %lu, %s %lu, %s %lu, %s %lu, %s %lu, "
             "other %lu",
             total, exits_shown[0].name, n[0], exits_shown[1].name, n[1], exits_shown[2].name, n[2],
             exits_shown[3].name, n[3], exits_shown[4].name, n[4], exits_shown[5].name, n[5],
             exits_shown[6].name, n[6], exits_shown[7].name, n[7], other);
}

static void domain_show(struct domain *d)
{
    static const char *const states[] = {"building", "running", "shut down", "dying", "dead"};
    struct sched_params share;
    struct vcpu *v;

    log_info("d%u %s: %s, %lu of %lu pages, %lu p2m tables, %u references", d->id, d->name,
             states[d->state], d->tot_pages, d->max_pages, d->p2m.pool_pages, READ_ONCE(d->refs));
    if (d->state >= DOMAIN_DYING || sched_adjust(d, NULL, &share))
        return;
    log_info("  weight %u cap %u, pause count %u, %u of %u vCPUs up, has run on %#lx", share.weight,
             share.cap, d->pause_count, d->online_vcpus, d->max_vcpus, d->has_run.bits);
    guest_console_dump(d);
    for_each_vcpu (d, v)
        vcpu_show(v);
}

static void key_domains(void)
{
    each_domain(domain_show);
}
DEBUG_KEY('q', "domains and their vCPUs", key_domains);

/* -- d ---------------------------------------------------------------------------------------- */

#define DUMP_MAX  16u /* domains */
#define DUMP_WAIT MSEC(5)
#define DUMP_TRYS 40u

/* Domains that are paused so that their registers can be read; own to the key and its timer. */
static struct {
    struct ktimer timer;
    struct domain *d[DUMP_MAX];
    unsigned int nr, tries;
} dump;

static void registers_show(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v) {
        log_info("d%u %s vCPU %u:", d->id, d->name, v->id);
        if (READ_ONCE(v->pause) & VPAUSE_DOWN)
            log_info("  down");
        else if (READ_ONCE(v->running))
            log_info("  does not stop");
        else
            virt->dump(v);
    }
}

static bool dump_stopped(void)
{
    struct vcpu *v;

    for (unsigned int i = 0; i < dump.nr; i++)
        for_each_vcpu (dump.d[i], v)
            if (READ_ONCE(v->running))
                return false;
    return true;
}

static void dump_step(void *arg)
{
    (void)arg;
    if (!dump_stopped() && ++dump.tries < DUMP_TRYS) {
        ktimer_start(&dump.timer, clock_now() + DUMP_WAIT, this_cpu()->id);
        return;
    }
    for (unsigned int i = 0; i < dump.nr; i++) {
        registers_show(dump.d[i]);
        if (domain_unpause(dump.d[i]))
            log_warn("d%u was not paused", dump.d[i]->id);
        domain_put(dump.d[i]);
    }
    dump.nr = 0;
}

static void dump_pause(struct domain *d)
{
    if (dump.nr == DUMP_MAX || d->state != DOMAIN_RUNNING)
        return;
    domain_ref(d);
    domain_pause(d);
    dump.d[dump.nr++] = d;
}

static void key_registers(void)
{
    if (dump.nr)
        return;
    each_domain(dump_pause);
    dump.tries = 0;
    ktimer_init(&dump.timer, dump_step, NULL);
    ktimer_start(&dump.timer, clock_now() + DUMP_WAIT, this_cpu()->id);
}
DEBUG_KEY('d', "registers of all vCPUs (they are stopped for it)", key_registers);

/* -- r, ! ------------------------------------------------------------------------------------- */

static void key_queues(void)
{
    sched_dump();
}
DEBUG_KEY('r', "run queues", key_queues);

static unsigned int broken;

static void invariants_check(struct domain *d)
{
    char why[100];

    if (d->state >= DOMAIN_DYING)
        return;
    if (evtchn_check(d, why, sizeof(why))) {
        log_err("event channels: %s", why);
        broken++;
    }
    if (grant_check(d, why, sizeof(why))) {
        log_err("grants: %s", why);
        broken++;
    }
    if (d->tot_pages > d->max_pages) {
        log_err("d%u: %lu pages, limit %lu", d->id, d->tot_pages, d->max_pages);
        broken++;
    }
}

/* CPUs run meanwhile: what is reported once may be a change under way, what stays is wrong. */
static void key_invariants(void)
{
    char why[100];

    broken = 0;
    each_domain(invariants_check);
    if (sched_check(why, sizeof(why))) {
        log_err("scheduler: %s", why);
        broken++;
    }
    log_info("invariants: %u broken", broken);
}
DEBUG_KEY('!', "check the invariants of events, grants, scheduler, memory", key_invariants);

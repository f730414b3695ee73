/* SPDX-License-Identifier: Apache-2.0 */
/* The life of boot-time guests: see supervise.h. */
#include "boot/supervise.h"

#include "lib/format.h"
#include "core/clock.h"
#include "core/printk.h"
#include "boot/guest.h"
#include "host/power.h"

#include <stdarg.h>

#define REFUSED ~0u

static struct guest_list list;
static struct guest guests[BOOT_MAX_MODULES];
static struct spinlock ids_lock = SPINLOCK_INIT(RANK_CONTROL);
static unsigned int alive; /* (a) guests that run or will run again */

static const char *reason_name(uint32_t code)
{
    static const char *const names[] = {
        [SHUTDOWN_poweroff] = "poweroff", [SHUTDOWN_reboot] = "reboot",
        [SHUTDOWN_suspend] = "suspend",   [SHUTDOWN_crash] = "crash",
        [SHUTDOWN_watchdog] = "watchdog", [SHUTDOWN_soft_reset] = "soft reset",
    };

    if (code == REFUSED)
        return "not started";
    return code < ARRAY_SIZE(names) && names[code] ? names[code] : "unknown reason";
}

static enum power_verdict machine_verdict(void)
{
    bool started = false, clean = true;

    for (unsigned int i = 0; i < list.nr; i++) {
        started = started || guests[i].started;
        clean =
            clean && guests[i].started &&
            (guests[i].last_code == SHUTDOWN_poweroff || guests[i].last_code == SHUTDOWN_reboot);
    }
    if (!started)
        return POWER_NOTHING_STARTED;
    return clean ? POWER_ALL_OFF : POWER_GUEST_CRASHED;
}

static void machine_end(void)
{
    for (unsigned int i = 0; i < list.nr; i++) {
        const struct guest *g = &guests[i];

        log_info("%s: %s, ran %ld.%03ld s", g->config->name, reason_name(g->last_code),
                 g->run_time / SEC(1), g->run_time % SEC(1) / MSEC(1));
    }
    log_info("No guest is left: powering off");
    power_stop_others();
    power_off(machine_verdict());
}

static void guest_gone(struct guest *g)
{
    g->gone = true;
    if (!__atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST))
        machine_end();
}

void guest_failed(struct guest *g, const char *fmt, ...)
{
    char why[160];
    va_list ap;

    va_start(ap, fmt);
    vformat(why, sizeof(why), fmt, ap);
    va_end(ap);
    log_err("%s: not started: %s", g->config->name, why);
    g->last_code = REFUSED;
    if (g->domain)
        domain_kill(g->domain); /* supervise_dead() follows */
    else
        guest_gone(g);
}

static bool wants_restart(const struct guest *g, uint32_t code)
{
    switch (code) {
    case SHUTDOWN_reboot:
        return g->config->restart >= GUEST_RESTART_REBOOT;
    case SHUTDOWN_crash:
    case SHUTDOWN_watchdog:
        return g->config->restart >= GUEST_RESTART_CRASH;
    case SHUTDOWN_poweroff:
        return g->config->restart >= GUEST_RESTART_ALWAYS;
    default:
        return false;
    }
}

static void supervise_shutdown(struct guest *g)
{
    struct domain *d = g->domain;

    g->started = g->started || g->phase == BUILD_DONE;
    g->last_code = d->shutdown_code;
    if (d->start_time && d->end_time > d->start_time)
        g->run_time += d->end_time - d->start_time;
    g->restart = g->phase == BUILD_DONE && wants_restart(g, d->shutdown_code);
    log_info("%s: %s%s", g->config->name, reason_name(g->last_code),
             g->restart ? ", will be started again" : "");
    domain_kill(d);
}

static domid_t next_id(void)
{
    struct domain *d;
    domid_t id;

    lock(&ids_lock);
    do {
        id = list.next_id++;
        if (list.next_id >= DOMID_FIRST_RESERVED)
            list.next_id = 1;
        d = domain_get(id);
        if (d)
            domain_put(d);
    } while (d || !id);
    unlock(&ids_lock);
    return id;
}

static void supervise_dead(struct guest *g)
{
    struct domain *d = g->domain;

    ktimer_stop_sync(&g->deadline);
    g->domain = NULL;
    d->owner = NULL;
    domain_put(d);
    if (g->restart)
        build_start(g, next_id());
    else
        guest_gone(g);
}

static void supervise_event(struct domain *d)
{
    struct guest *g = d->owner;

    if (!g)
        return;
    if (d->state == DOMAIN_SHUTDOWN)
        supervise_shutdown(g);
    else if (d->state == DOMAIN_DEAD)
        supervise_dead(g);
}

static void modules_complain(const char *line)
{
    log_err("%s", line);
}

void boot_domains(const struct boot_module *modules, unsigned int nr)
{
    modules_parse(&list, modules, nr, modules_complain);
    if (list.dom0)
        log_err("module 1 has no domain=: it would be dom0, which is not supported yet");
    domain_event_hook = supervise_event;
    alive = list.nr;
    for (unsigned int i = 0; i < list.nr; i++) {
        const struct guest_config *c = &list.guests[i];

        guests[i].config = c;
        guests[i].kernel = &modules[c->kernel];
        guests[i].ramdisk = c->ramdisk >= 0 ? &modules[c->ramdisk] : NULL;
    }
    if (!list.nr) {
        log_err("No guest can be started");
        machine_end();
    }
    for (unsigned int i = 0; i < list.nr; i++)
        build_start(&guests[i], list.guests[i].domid);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched_op (public sched.h): yield, block, poll, shutdown, watchdog. hypercalls.md S1.2, addendum
 * A.2, B1.5.
 */
#include "guest/hypercall/hypercall.h"

#include "abi/compat.h"
#include "core/clock.h"
#include "domain/evtchn.h"
#include "domain/privilege.h"
#include "domain/sched.h"
#include "guest/access.h"

#include "port/mem.h"
#include "domain/shared.h"

#define POLL_MAX_PORTS 128u

static long op_yield(struct call *c, void *arg)
{
    (void)arg;
    sched_yield_vcpu(c->v);
    return 0;
}

static void upcall_unmask(struct vcpu *v)
{
    struct vcpu_info *info = vcpu_info_map(v);

    if (info) {
        mem_store8(&info->evtchn_upcall_mask, 0);
        shared_unmap(info);
    }
}

static long op_block(struct call *c, void *arg)
{
    (void)arg;
    upcall_unmask(c->v);
    vcpu_block(c->v);
    if (vcpu_has_event(c->v))
        vcpu_wake(c->v);
    return CALL_BLOCKED;
}

static long op_shutdown(struct call *c, void *arg)
{
    domain_shutdown(c->d, ((struct sched_shutdown *)arg)->reason);
    return 0;
}

static long op_shutdown_code(struct call *c, void *arg)
{
    lock(&c->d->lock);
    if (!c->d->shutting_down)
        c->d->shutdown_code = ((struct sched_shutdown *)arg)->reason;
    unlock(&c->d->lock);
    return 0;
}

/* Any port pending, or a bad one: no sleep. The vCPU is marked as polling already, so an event
 * that comes meanwhile wakes it. */
static long poll_scan(struct call *c, const struct sched_poll *p, uint64_t ports)
{
    for (unsigned int i = 0; i < p->nr_ports; i++) {
        evtchn_port_t port;
        int pending;

        if (guest_read_at(c->v, &port, ports, i, sizeof(port)))
            return -XEN_EFAULT;
        pending = evtchn_poll_port(c->d, port);
        if (pending)
            return pending;
        if (p->nr_ports == 1)
            WRITE_ONCE(c->v->poll_port, port);
    }
    return 0;
}

static long op_poll(struct call *c, void *arg)
{
    struct sched_poll *p = arg;
    struct vcpu *v = c->v;
    uint64_t ports;
    long found;

    ports = (uint64_t)(uintptr_t)p->ports.p;
    if (p->nr_ports > POLL_MAX_PORTS)
        return -XEN_EINVAL;
    WRITE_ONCE(v->poll_port, 0);
    vcpu_block(v);
    WRITE_ONCE(v->polling, true);
    smp_mb();
    found = vcpu_has_event(v) ? 1 : poll_scan(c, p, ports);
    if (found) {
        vcpu_wake(v);
        return found < 0 ? found : 0;
    }
    if (p->timeout)
        ktimer_start(&v->poll_timer, (nsec_t)min(p->timeout, (uint64_t)NSEC_NEVER), this_cpu()->id);
    return CALL_BLOCKED;
}

static void poll_from_compat(void *arg, const void *compat)
{
    const struct compat_sched_poll *in = compat;
    struct sched_poll *p = arg;

    *p = (struct sched_poll){.nr_ports = in->nr_ports, .timeout = in->timeout};
    p->ports.p = (void *)(uintptr_t)in->ports;
}

static long op_remote_shutdown(struct call *c, void *arg)
{
    struct sched_remote_shutdown *a = arg;
    struct domain *d = domain_get(a->domain_id);
    long err;

    if (!d)
        return -XEN_ESRCH;
    err = privilege_control(c->d);
    if (!err)
        domain_shutdown(d, a->reason);
    domain_put(d);
    return err;
}

static void watchdog_expired(void *arg)
{
    domain_shutdown(arg, SHUTDOWN_watchdog);
}

/* Two per domain; id 0 makes one, timeout 0 ends one. */
static long op_watchdog(struct call *c, void *arg)
{
    struct sched_watchdog *a = arg;
    struct domain *d = c->d;
    uint32_t id = a->id;
    long result = 0;

    lock(&d->lock);
    if (!id && a->timeout) {
        id = !d->watchdog_used[0] ? 1 : !d->watchdog_used[1] ? 2 : 0;
        result = id ? (long)id : -XEN_ENOSPC;
    } else if (!id || id > ARRAY_SIZE(d->watchdog) || !d->watchdog_used[id - 1])
        result = -XEN_EINVAL;
    if (result >= 0 && id) {
        struct ktimer *t = &d->watchdog[id - 1];

        if (result)
            ktimer_init(t, watchdog_expired, d);
        d->watchdog_used[id - 1] = a->timeout;
        if (a->timeout)
            ktimer_start(t, clock_now() + SEC(a->timeout), this_cpu()->id);
        else
            ktimer_stop(t);
    }
    unlock(&d->lock);
    return result;
}

static long op_pin_override(struct call *c, void *arg)
{
    (void)arg;
    return c->d->is_hardware ? -XEN_ENOSYS : -XEN_EPERM;
}

static const struct subop sched_rows[] = {
    [SCHEDOP_yield] = {.name = "yield", .bound = "short", .fn = op_yield},
    [SCHEDOP_block] = {.name = "block", .bound = "short", .fn = op_block},
    [SCHEDOP_shutdown] = {.name = "shutdown",
                          .bound = "vCPUs of the domain",
                          .size = sizeof(struct sched_shutdown),
                          .dir = SUBOP_IN,
                          .fn = op_shutdown},
    [SCHEDOP_poll] = {.name = "poll",
                      .bound = "128 ports",
                      .size = sizeof(struct sched_poll),
                      .compat_size = sizeof(struct compat_sched_poll),
                      .dir = SUBOP_IN,
                      .from_compat = poll_from_compat,
                      .fn = op_poll},
    [SCHEDOP_remote_shutdown] = {.name = "remote_shutdown",
                                 .bound = "vCPUs of the domain",
                                 .size = sizeof(struct sched_remote_shutdown),
                                 .dir = SUBOP_IN,
                                 .fn = op_remote_shutdown},
    [SCHEDOP_shutdown_code] = {.name = "shutdown_code",
                               .bound = "short",
                               .size = sizeof(struct sched_shutdown),
                               .dir = SUBOP_IN,
                               .fn = op_shutdown_code},
    [SCHEDOP_watchdog] = {.name = "watchdog",
                          .bound = "short",
                          .size = sizeof(struct sched_watchdog),
                          .dir = SUBOP_IN,
                          .fn = op_watchdog},
    [SCHEDOP_pin_override] = {.name = "pin_override", .bound = "short", .fn = op_pin_override},
};

long do_sched_op(struct call *c)
{
    return subop_dispatch(c, sched_rows, ARRAY_SIZE(sched_rows), (uint32_t)c->arg[0], c->arg[1]);
}

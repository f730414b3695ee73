/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_channel_op (public event_channel.h): arguments in and out of domain/evtchn.h. 32-bit
 * callers use the same layouts.
 */
#include "guest/hypercall/hypercall.h"

#include "domain/evtchn.h"
#include "domain/privilege.h"

/* Runs body with `d` = the target that the caller may act on. */
static long with_target(const struct call *c, domid_t id,
                        long (*fn)(struct domain *d, const struct call *c, void *arg), void *arg)
{
    struct domain *d = call_domain(c, id);
    long err;

    if (!d)
        return -XEN_ESRCH;
    err = privilege_target(c->d, d);
    if (!err)
        err = fn(d, c, arg);
    domain_put(d);
    return err;
}

static long evtchn_target_alloc(struct domain *d, const struct call *c, void *arg)
{
    struct evtchn_alloc_unbound *a = arg;

    return evtchn_alloc_unbound(d, a->remote_dom == DOMID_SELF ? c->d->id : a->remote_dom,
                                &a->port);
}

static long op_alloc_unbound(struct call *c, void *arg)
{
    struct evtchn_alloc_unbound *a = arg;

    return with_target(c, a->dom, evtchn_target_alloc, a);
}

static long op_bind_interdomain(struct call *c, void *arg)
{
    struct evtchn_bind_interdomain *a = arg;
    struct domain *remote = call_domain(c, a->remote_dom);
    long err;

    if (!remote)
        return -XEN_ESRCH;
    err = privilege_evtchn_peer(c->d, remote);
    if (!err)
        err = evtchn_bind_interdomain(c->d, remote, a->remote_port, &a->local_port);
    domain_put(remote);
    return err;
}

static long op_bind_virq(struct call *c, void *arg)
{
    struct evtchn_bind_virq *a = arg;

    return evtchn_bind_virq(c->d, a->virq, a->vcpu, &a->port);
}

/* No guest here has physical interrupts. */
static long op_bind_pirq(struct call *c, void *arg)
{
    (void)c;
    (void)arg;
    return -XEN_EINVAL;
}

static long op_bind_ipi(struct call *c, void *arg)
{
    struct evtchn_bind_ipi *a = arg;

    return evtchn_bind_ipi(c->d, a->vcpu, &a->port);
}

static long op_close(struct call *c, void *arg)
{
    return evtchn_close(c->d, ((struct evtchn_close *)arg)->port);
}

static long op_send(struct call *c, void *arg)
{
    return evtchn_send(c->d, ((struct evtchn_send *)arg)->port);
}

static long evtchn_target_status(struct domain *d, const struct call *c, void *arg)
{
    struct evtchn_status *a = arg;

    (void)c;
    return evtchn_status(d, a->port, a);
}

static long op_status(struct call *c, void *arg)
{
    struct evtchn_status *a = arg;

    return with_target(c, a->dom, evtchn_target_status, a);
}

static long op_bind_vcpu(struct call *c, void *arg)
{
    struct evtchn_bind_vcpu *a = arg;

    return evtchn_bind_vcpu(c->d, a->port, a->vcpu);
}

static long op_unmask(struct call *c, void *arg)
{
    return evtchn_unmask(c->d, ((struct evtchn_unmask *)arg)->port);
}

static long evtchn_target_reset(struct domain *d, const struct call *c, void *arg)
{
    int err;

    (void)arg;
    if (d != c->d && !READ_ONCE(d->pause_count))
        return -XEN_EINVAL;
    err = evtchn_reset(d);
    return err == -XEN_ERESTART ? CALL_RESTART : err;
}

static long op_reset(struct call *c, void *arg)
{
    return with_target(c, ((struct evtchn_reset *)arg)->dom, evtchn_target_reset, NULL);
}

static long op_init_control(struct call *c, void *arg)
{
    return evtchn_init_control(c->d, arg);
}

static long op_expand_array(struct call *c, void *arg)
{
    return evtchn_expand_array(c->d, _gfn(((struct evtchn_expand_array *)arg)->array_gfn));
}

static long op_set_priority(struct call *c, void *arg)
{
    struct evtchn_set_priority *a = arg;

    return evtchn_set_priority(c->d, a->port, a->priority);
}

#define ROW(op, type, d, what, limit)                        \
    [EVTCHNOP_##op] = {.nr = EVTCHNOP_##op,                  \
                       .size = sizeof(struct evtchn_##type), \
                       .dir = d,                             \
                       .name = what,                         \
                       .bound = limit,                       \
                       .fn = op_##op}

static const struct subop evtchn_rows[] = {
    ROW(bind_interdomain, bind_interdomain, SUBOP_INOUT, "bind_interdomain", "short"),
    ROW(bind_virq, bind_virq, SUBOP_INOUT, "bind_virq", "short"),
    ROW(bind_pirq, bind_pirq, SUBOP_INOUT, "bind_pirq", "short"),
    ROW(close, close, SUBOP_IN, "close", "short"),
    ROW(send, send, SUBOP_IN, "send", "short"),
    ROW(status, status, SUBOP_INOUT, "status", "short"),
    ROW(alloc_unbound, alloc_unbound, SUBOP_INOUT, "alloc_unbound", "short"),
    ROW(bind_ipi, bind_ipi, SUBOP_INOUT, "bind_ipi", "short"),
    ROW(bind_vcpu, bind_vcpu, SUBOP_IN, "bind_vcpu", "short"),
    ROW(unmask, unmask, SUBOP_IN, "unmask", "short"),
    ROW(reset, reset, SUBOP_IN, "reset", "restarts after a batch of ports"),
    ROW(init_control, init_control, SUBOP_INOUT, "init_control", "ports of the domain, once"),
    ROW(expand_array, expand_array, SUBOP_IN, "expand_array", "1024 ports"),
    ROW(set_priority, set_priority, SUBOP_IN, "set_priority", "short"),
};

long do_event_channel_op(struct call *c)
{
    return subop_dispatch(c, evtchn_rows, ARRAY_SIZE(evtchn_rows), (uint32_t)c->arg[0], c->arg[1]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels: operations on one port that exists (state, mask, priority, polling), the change
 * to the FIFO ABI, and what a debug key shows. Rules: addendum B1.1.
 */
#include "domain/evtchn_ops.h"
#include "core/keys.h"
#include "core/printk.h"
#include "lib/format.h"

int evtchn_unmask(struct domain *d, uint32_t port)
{
    struct evtchn_port *p;

    lock(&d->evtchn->lock);
    p = evtchn_port(d, port);
    if (p && p->state != ECS_FREE && p->state != ECS_RESERVED)
        d->evtchn->abi->unmask(d, port, p);
    unlock(&d->evtchn->lock);
    return p ? 0 : -XEN_EINVAL;
}

int evtchn_status(struct domain *d, uint32_t port, struct evtchn_status *out)
{
    struct evtchn_port *p;

    lock(&d->evtchn->lock);
    p = evtchn_port(d, port);
    switch (p ? p->state : ECS_FREE) {
    case ECS_UNBOUND:
        out->status = EVTCHNSTAT_unbound;
        out->u.unbound.dom = p->remote_domid;
        break;
    case ECS_INTERDOMAIN:
        out->status = EVTCHNSTAT_interdomain;
        out->u.interdomain.dom = p->remote_domid;
        out->u.interdomain.port = p->remote_port;
        break;
    case ECS_VIRQ:
        out->status = EVTCHNSTAT_virq;
        out->u.virq = p->virq;
        break;
    case ECS_IPI:
        out->status = EVTCHNSTAT_ipi;
        break;
    default:
        out->status = EVTCHNSTAT_closed;
    }
    if (p)
        out->vcpu = p->notify_vcpu;
    unlock(&d->evtchn->lock);
    return p ? 0 : -XEN_EINVAL;
}

int evtchn_set_priority(struct domain *d, uint32_t port, uint32_t priority)
{
    struct evtchn_port *p;
    int rc = 0;

    lock(&d->evtchn->lock);
    p = evtchn_port(d, port);
    if (!p)
        rc = -XEN_EINVAL;
    else if (!d->evtchn->abi->has_priority)
        rc = -XEN_ENOSYS;
    else if (p->state == ECS_FREE || p->state == ECS_RESERVED)
        rc = -XEN_EACCES;
    else if (priority > EVTCHN_FIFO_PRIORITY_MIN)
        rc = -XEN_EINVAL;
    else
        WRITE_ONCE(p->priority, (uint8_t)priority);
    unlock(&d->evtchn->lock);
    return rc;
}

int evtchn_poll_port(struct domain *d, uint32_t port)
{
    struct evtchn_port *p;
    int rc = -XEN_EINVAL;

    lock(&d->evtchn->lock);
    p = evtchn_port(d, port);
    if (p && p->state != ECS_FREE && p->state != ECS_RESERVED)
        rc = d->evtchn->abi->is_pending(d, port);
    unlock(&d->evtchn->lock);
    return rc;
}

int evtchn_init_control(struct domain *d, struct evtchn_init_control *arg)
{
    int rc;

    lock(&d->evtchn->lock);
    rc = d->state >= DOMAIN_DYING ? -XEN_EINVAL : evtchn_fifo_init_control(d, arg);
    unlock(&d->evtchn->lock);
    return rc;
}

int evtchn_expand_array(struct domain *d, gfn_t gfn)
{
    int rc;

    lock(&d->evtchn->lock);
    rc = d->evtchn->fifo ? evtchn_fifo_expand(d, gfn) : -XEN_EOPNOTSUPP;
    unlock(&d->evtchn->lock);
    return rc;
}

/* -- looking at it ---------------------------------------------------------------------------- */

/* What is wrong with one port, or NULL. Lock held; the peer is read as it is. */
static const char *port_fault(struct domain *d, uint32_t port, const struct evtchn_port *p)
{
    const struct evtchn_port *peer;

    if (p->notify_vcpu >= d->max_vcpus || p->last_vcpu >= d->max_vcpus)
        return "notifies a vCPU that is not";
    switch (p->state) {
    case ECS_FREE:
        return p->notify_vcpu || p->remote || p->internal || p->pending ? "free, not clean" : NULL;
    case ECS_INTERDOMAIN:
        if (p->internal)
            return p->remote ? "internal, has a peer" : NULL;
        peer = p->remote ? evtchn_port(p->remote, p->remote_port) : NULL;
        if (!peer || peer->state != ECS_INTERDOMAIN || peer->remote != d ||
            peer->remote_port != port || p->remote_domid != p->remote->id)
            return "peer does not agree";
        return NULL;
    case ECS_VIRQ:
        for (unsigned int v = 0; v < d->max_vcpus; v++)
            if (d->evtchn->virq_port[v][p->virq] == port)
                return NULL;
        return "VIRQ does not know it";
    default:
        return p->remote ? "has a peer" : NULL;
    }
}

int evtchn_check(struct domain *d, char *why, size_t size)
{
    struct evtchn_domain *e = d->evtchn;
    uint32_t used = 0, virqs = 0;
    int rc = 0;

    lock(&e->lock);
    for (uint32_t port = 1; port <= e->max_port && !rc; port++) {
        const struct evtchn_port *p = evtchn_port(d, port);
        const char *fault = p ? port_fault(d, port, p) : NULL;

        if (p && p->state == ECS_FREE && port < e->hint)
            fault = "free, below the hint";
        if (fault) {
            format(why, size, "d%u port %u: %s", d->id, port, fault);
            rc = -XEN_EINVAL;
        }
        used += p && p->state != ECS_FREE;
        virqs += p && p->state == ECS_VIRQ;
    }
    for (unsigned int v = 0; v < d->max_vcpus; v++)
        for (unsigned int virq = 0; virq < NR_VIRQS; virq++)
            virqs -= e->virq_port[v][virq] != 0;
    if (!rc && (used != e->used || virqs != 0)) {
        format(why, size, "d%u: %u ports used, %u counted, VIRQs off by %d", d->id, e->used, used,
               (int)virqs);
        rc = -XEN_EINVAL;
    }
    if (!rc && e->fifo)
        rc = evtchn_fifo_check(d, why, size);
    unlock(&e->lock);
    return rc;
}

#define DUMP_MAX 64u /* ports per domain */

void evtchn_dump(struct domain *d)
{
    static const char *const name[] = {"free", "reserved", "unbound", "interdomain", "virq", "ipi"};
    struct evtchn_domain *e = d->evtchn;
    unsigned int lines = 0;

    lock(&e->lock);
    log_info("d%u: %u ports, limit %u, %s", d->id, e->used, e->max_port,
             e->fifo ? "FIFO" : "2-level");
    for (uint32_t port = 1; port <= e->max_port && lines < DUMP_MAX; port++) {
        const struct evtchn_port *p = evtchn_port(d, port);

        if (!p || p->state == ECS_FREE)
            continue;
        lines++;
        log_info("  %4u %s%s v%u [%c%c%c] remote d%u/%u virq %u prio %u", port, name[p->state],
                 p->internal ? " (internal)" : "", p->notify_vcpu,
                 e->abi->is_pending(d, port) ? 'p' : '-', e->abi->is_masked(d, port) ? 'm' : '-',
                 e->abi->is_busy(d, port) ? 'l' : '-', p->remote_domid, p->remote_port, p->virq,
                 p->priority);
    }
    unlock(&e->lock);
}

static void evtchn_key(void)
{
    struct domain *d;
    char why[128];

    for (int id = -1; (d = domain_next(id)); id = d->id, domain_put(d)) {
        evtchn_dump(d);
        if (evtchn_check(d, why, sizeof(why)))
            log_err("%s", why);
    }
}
DEBUG_KEY('e', "event channels, and whether they agree", evtchn_key);

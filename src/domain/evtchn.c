/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels: binding ports and making them pending (xen/event_channel.h, addendum B1.1 and
 * B1.4). Closing is in evtchn_close.c; how a pending port shows in guest memory is in evtchn_2l.c
 * and evtchn_fifo.c.
 *
 * A send takes the sender's lock only. It may use the peer's port because a bound pair is unbound
 * under both locks; what it reads there otherwise (ABI, notify vCPU, priority) it reads once.
 */
#include "domain/evtchn_ops.h"
#include "domain/shared.h"
#include "domain/upcall.h"
#include "mem/heap.h"

#include "port/mem.h"

/* Free ports on a guest queue that a bind passes over: the guest says how many there are. */
#define BUSY_MAX 512u

int evtchn_init(struct domain *d, unsigned int max_port)
{
    struct evtchn_domain *e = kalloc(sizeof(*e));

    if (!e)
        return -XEN_ENOMEM;
    d->evtchn = e;
    lock_init(&e->lock, RANK_EVTCHN);
    e->abi = &evtchn_2l;
    e->max_port = min(max_port, (unsigned int)EVTCHN_FIFO_NR_CHANNELS - 1);
    e->nr_buckets = e->max_port / EVTCHN_PER_BUCKET + 1;
    e->hint = e->cursor = 1;
    e->bucket = kalloc_array(e->nr_buckets, sizeof(void *));
    e->virq_port = kalloc_array(d->max_vcpus, sizeof(*e->virq_port));
    if (e->bucket)
        e->bucket[0] = kalloc(PAGE_SIZE);
    if (!e->virq_port || !e->bucket || !e->bucket[0]) {
        evtchn_fini(d);
        return -XEN_ENOMEM;
    }
    e->bucket[0]->state = ECS_RESERVED;
    return 0;
}

/* -- making a port pending -------------------------------------------------------------------- */

void evtchn_assert_upcall(struct vcpu *v)
{
    if (v->upcall_vector) {
        if (intc->enabled(v))
            intc->request(v, v->upcall_vector);
    } else if (v->domain->callback_vector || v->domain->vcpu[0]->upcall_vector) {
        vcpu_raise(v, VWORK_EVENT);
        vcpu_wake(v);
    }
}

void evtchn_mark_upcall(struct vcpu *v)
{
    struct vcpu_info *info = vcpu_info_map(v);
    uint8_t was;

    if (!info)
        return;
    was = mem_xchg8(&info->evtchn_upcall_pending, 1);
    shared_unmap(info);
    if (!was)
        evtchn_assert_upcall(v);
}

void evtchn_wake_pollers(struct domain *d, uint32_t port)
{
    struct vcpu *v;

    for_each_vcpu (d, v) {
        if (likely(!READ_ONCE(v->polling)))
            continue;
        if (v->poll_port == 0 || v->poll_port == port) {
            WRITE_ONCE(v->polling, false);
            vcpu_wake(v);
        }
    }
}

void evtchn_deliver(struct domain *d, uint32_t port, struct evtchn_port *p)
{
    const struct evtchn_abi *abi = READ_ONCE(d->evtchn->abi);

    abi->set_pending(d, port, p);
    /* The domain may have changed to FIFO meanwhile and collected its old pending bits too early
     * to see this one. set_pending is a full barrier: one side sees the other. */
    if (unlikely(READ_ONCE(d->evtchn->abi) != abi))
        READ_ONCE(d->evtchn->abi)->set_pending(d, port, p);
}

int evtchn_send(struct domain *d, uint32_t port)
{
    struct evtchn_domain *e = d->evtchn;
    struct evtchn_internal internal = {NULL, NULL};
    struct evtchn_port *p, *peer;
    int rc = 0;

    lock(&e->lock);
    p = evtchn_port(d, port);
    switch (p ? p->state : ECS_FREE) {
    case ECS_INTERDOMAIN:
        if (p->internal) {
            internal = e->internal[p->internal - 1];
        } else {
            peer = evtchn_port_at(p->remote, p->remote_port);
            evtchn_deliver(p->remote, p->remote_port, peer);
        }
        break;
    case ECS_IPI:
        evtchn_deliver(d, port, p);
        break;
    case ECS_UNBOUND:
        break;
    default:
        rc = -XEN_EINVAL;
    }
    unlock(&e->lock);
    if (internal.fn)
        internal.fn(d, internal.arg);
    return rc;
}

void evtchn_notify(struct domain *d, uint32_t port)
{
    struct evtchn_port *p;

    lock(&d->evtchn->lock);
    p = evtchn_port(d, port);
    if (p && p->internal)
        evtchn_deliver(d, port, p);
    unlock(&d->evtchn->lock);
}

static void virq_send(struct domain *d, unsigned int vcpu, uint32_t virq)
{
    struct evtchn_domain *e = d->evtchn;
    uint32_t port;

    if (!READ_ONCE(e->virq_port[vcpu][virq]))
        return;
    lock(&e->lock);
    port = e->virq_port[vcpu][virq];
    if (port)
        evtchn_deliver(d, port, evtchn_port_at(d, port));
    unlock(&e->lock);
}

void evtchn_send_vcpu_virq(struct vcpu *v, uint32_t virq)
{
    virq_send(v->domain, v->id, virq);
}

void evtchn_send_global_virq(struct domain *d, uint32_t virq)
{
    virq_send(d, 0, virq);
}

/* -- binding ---------------------------------------------------------------------------------- */

static bool virq_is_global(uint32_t virq)
{
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

/* The lowest port that is free and that no guest queue still holds; its page exists afterwards.
 * Nothing is taken yet. Lock held. */
static int find_free(struct domain *d, uint32_t *port)
{
    struct evtchn_domain *e = d->evtchn;
    uint32_t limit = min(e->max_port + 1, e->abi->max_ports(d)), busy = 0;

    if (d->state >= DOMAIN_DYING)
        return -XEN_EINVAL;
    for (uint32_t i = e->hint; i < limit; i++) {
        struct evtchn_port *p = evtchn_port(d, i);

        if (!p) {
            p = kalloc(PAGE_SIZE);
            if (!p)
                return -XEN_ENOMEM;
            WRITE_ONCE(e->bucket[i / EVTCHN_PER_BUCKET], p);
        } else if (p->state != ECS_FREE) {
            e->hint += i == e->hint; /* so that nobody looks at it again */
            continue;
        } else if (e->abi->is_busy(d, i)) {
            if (++busy == BUSY_MAX)
                break;
            continue;
        }
        *port = i;
        return 0;
    }
    return -XEN_ENOSPC;
}

/* Takes a port that find_free() found. Lock held. */
static struct evtchn_port *take(struct domain *d, uint32_t port, enum evtchn_state state,
                                unsigned int vcpu)
{
    struct evtchn_domain *e = d->evtchn;
    struct evtchn_port *p = evtchn_port_at(d, port);

    p->state = (uint8_t)state;
    p->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
    p->notify_vcpu = (uint16_t)vcpu;
    e->used++;
    if (port == e->hint)
        e->hint++;
    return p;
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote, uint32_t *port)
{
    int rc;

    lock(&d->evtchn->lock);
    rc = find_free(d, port);
    if (!rc)
        take(d, *port, ECS_UNBOUND, 0)->remote_domid = remote;
    unlock(&d->evtchn->lock);
    return rc;
}

int evtchn_bind_interdomain(struct domain *d, struct domain *remote, uint32_t remote_port,
                            uint32_t *port)
{
    struct evtchn_port *p, *peer;
    uint32_t local;
    int rc;

    evtchn_lock_both(d, remote);
    rc = find_free(d, &local);
    if (rc)
        goto out;
    peer = evtchn_port(remote, remote_port);
    if (!peer || peer->state != ECS_UNBOUND || peer->remote_domid != d->id) {
        rc = -XEN_EINVAL;
        goto out;
    }
    p = take(d, local, ECS_INTERDOMAIN, 0);
    p->remote = remote;
    p->remote_domid = remote->id;
    p->remote_port = remote_port;
    peer->state = ECS_INTERDOMAIN;
    peer->remote = d;
    peer->remote_port = local;
    /* The far side may have sent while there was nobody to hear it. */
    evtchn_deliver(d, local, p);
    *port = local;
out:
    evtchn_unlock_both(d, remote);
    return rc;
}

int evtchn_bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu, uint32_t *port)
{
    struct evtchn_domain *e = d->evtchn;
    uint32_t *slot;
    int rc;

    if (virq >= NR_VIRQS || (virq_is_global(virq) && vcpu != 0))
        return -XEN_EINVAL;
    if (vcpu >= d->max_vcpus)
        return -XEN_ENOENT;
    slot = &e->virq_port[index_nospec(vcpu, d->max_vcpus)][index_nospec(virq, NR_VIRQS)];

    lock(&e->lock);
    rc = *slot ? -XEN_EEXIST : find_free(d, port);
    if (!rc) {
        take(d, *port, ECS_VIRQ, vcpu)->virq = (uint8_t)virq;
        *slot = *port;
    }
    unlock(&e->lock);
    return rc;
}

int evtchn_bind_ipi(struct domain *d, uint32_t vcpu, uint32_t *port)
{
    int rc;

    if (vcpu >= d->max_vcpus)
        return -XEN_ENOENT;
    lock(&d->evtchn->lock);
    rc = find_free(d, port);
    if (!rc)
        take(d, *port, ECS_IPI, vcpu);
    unlock(&d->evtchn->lock);
    return rc;
}

int evtchn_bind_internal(struct domain *d, domid_t shown_as,
                         void (*fn)(struct domain *d, void *arg), void *arg, uint32_t *port)
{
    struct evtchn_domain *e = d->evtchn;
    struct evtchn_port *p;
    unsigned int i;
    int rc;

    lock(&e->lock);
    for (i = 0; i < EVTCHN_INTERNAL_MAX; i++)
        if (!e->internal[i].fn || (e->internal[i].fn == fn && e->internal[i].arg == arg))
            break;
    rc = i < EVTCHN_INTERNAL_MAX ? find_free(d, port) : -XEN_ENOSPC;
    if (!rc) {
        e->internal[i] = (struct evtchn_internal){fn, arg};
        p = take(d, *port, ECS_INTERDOMAIN, 0);
        p->internal = (uint8_t)(i + 1);
        e->nr_internal++;
        p->remote_domid = shown_as;
        p->remote_port = *port;
    }
    unlock(&e->lock);
    return rc;
}

int evtchn_bind_vcpu(struct domain *d, uint32_t port, uint32_t vcpu)
{
    struct evtchn_port *p;
    int rc = 0;

    if (vcpu >= d->max_vcpus)
        return -XEN_ENOENT;
    lock(&d->evtchn->lock);
    p = evtchn_port(d, port);
    if (p && (p->state == ECS_UNBOUND || p->state == ECS_INTERDOMAIN ||
              (p->state == ECS_VIRQ && virq_is_global(p->virq))))
        WRITE_ONCE(p->notify_vcpu, (uint16_t)vcpu);
    else
        rc = -XEN_EINVAL;
    unlock(&d->evtchn->lock);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels: closing one port, all of them in bounded steps (reset, death), and the end of
 * the tables. A pair of ports is unbound under both domains' locks, so that a sender which holds
 * either finds it whole.
 */
#include "domain/evtchn_ops.h"
#include "mem/heap.h"

#define CLOSE_STEP 128u /* ports looked at per step */

/* Locks d's table and, when the port is bound interdomain, the peer's too. The port's lock set is
 * released by evtchn_unlock_both(d, *peer); *peer is d when there is no second one. NULL: no such
 * port (locked all the same). */
static struct evtchn_port *lock_port(struct domain *d, uint32_t port, struct domain **peer)
{
    struct domain *other = d;

    for (;;) {
        struct evtchn_port *p;
        struct domain *want;

        evtchn_lock_both(d, other);
        p = evtchn_port(d, port);
        want = p && p->state == ECS_INTERDOMAIN && p->remote ? p->remote : d;
        if (want == other || want == d) {
            *peer = other;
            return p;
        }
        /* Bound to another domain than the one locked; it stays valid memory until this CPU passes
         * its loop's top, whatever becomes of the port meanwhile. */
        evtchn_unlock_both(d, other);
        other = want;
    }
}

/* Both locks held, as lock_port() leaves them. */
static void close_locked(struct domain *d, uint32_t port, struct evtchn_port *p)
{
    struct evtchn_domain *e = d->evtchn;

    if (p->state == ECS_INTERDOMAIN && p->remote) {
        struct evtchn_port *peer = evtchn_port_at(p->remote, p->remote_port);

        peer->state = ECS_UNBOUND;
        peer->remote = NULL;
        peer->remote_domid = d->id;
    } else if (p->state == ECS_VIRQ) {
        for (unsigned int v = 0; v < d->max_vcpus; v++)
            if (e->virq_port[v][p->virq] == port)
                e->virq_port[v][p->virq] = 0;
    }
    e->abi->clear_pending(d, port, p);
    p->state = ECS_FREE;
    p->notify_vcpu = 0;
    p->pending = false;
    if (p->internal)
        e->nr_internal--;
    p->internal = 0;
    p->remote = NULL;
    e->used--;
    e->hint = min(e->hint, port);
}

int evtchn_close(struct domain *d, uint32_t port)
{
    struct domain *peer;
    struct evtchn_port *p = lock_port(d, port, &peer);
    int rc = 0;

    if (!p || p->state == ECS_FREE || p->state == ECS_RESERVED)
        rc = -XEN_EINVAL;
    else
        close_locked(d, port, p);
    evtchn_unlock_both(d, peer);
    return rc;
}

/* Closes up to CLOSE_STEP ports from the cursor on; true when that reached the end. */
static bool close_step(struct domain *d, bool internal_too)
{
    struct evtchn_domain *e = d->evtchn;

    for (unsigned int i = 0; i < CLOSE_STEP; i++) {
        uint32_t port = READ_ONCE(e->cursor);
        struct evtchn_port *p;
        struct domain *peer;

        if (port > e->max_port)
            return true;
        p = lock_port(d, port, &peer);
        if (p && p->state != ECS_FREE && p->state != ECS_RESERVED && (internal_too || !p->internal))
            close_locked(d, port, p);
        if (e->cursor == port) /* another CPU may help */
            e->cursor += p ? 1 : (uint32_t)(EVTCHN_PER_BUCKET - port % EVTCHN_PER_BUCKET);
        evtchn_unlock_both(d, peer);
    }
    return false;
}

/* One step; 0 when every port (but internal ones, unless `internal_too`) is closed and the domain
 * is back at the 2-level ABI. */
static int close_all(struct domain *d, bool internal_too)
{
    struct evtchn_domain *e = d->evtchn;
    int rc = -XEN_ERESTART;

    if (!close_step(d, internal_too))
        return rc;
    lock(&e->lock);
    e->cursor = 1;
    /* Ports may have been bound behind the cursor: then once more. */
    if (e->used == (internal_too ? 0 : e->nr_internal)) {
        if (e->fifo)
            evtchn_fifo_fini(d);
        rc = 0;
    }
    unlock(&e->lock);
    return rc;
}

int evtchn_reset(struct domain *d)
{
    return close_all(d, false);
}

bool evtchn_close_all_step(struct domain *d)
{
    return close_all(d, true) != 0;
}

void evtchn_fini(struct domain *d)
{
    struct evtchn_domain *e = d->evtchn;

    if (!e)
        return;
    for (unsigned int i = 0; e->bucket && i < e->nr_buckets; i++)
        kfree(e->bucket[i]);
    kfree(e->bucket);
    kfree(e->virq_port);
    kfree(e);
    d->evtchn = NULL;
}

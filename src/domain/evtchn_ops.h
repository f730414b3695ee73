/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the evtchn*.c files: the port record, a domain's table of ports, and what the two event
 * ABIs (evtchn_2l.c, evtchn_fifo.c) offer. Not for other files.
 */
#ifndef KR_DOMAIN_EVTCHN_OPS_H
#define KR_DOMAIN_EVTCHN_OPS_H

#include "lib/nospec.h"
#include "domain/evtchn.h"

enum evtchn_state {
    ECS_FREE,
    ECS_RESERVED,
    ECS_UNBOUND,
    ECS_INTERDOMAIN,
    ECS_VIRQ,
    ECS_IPI,
};

/*
 * Guarded by the domain's evtchn lock. A sender holds only its own domain's lock: `state` and the
 * remote fields of a bound port are stable all the same, because both ends change under both
 * locks; `notify_vcpu` and `priority` it reads once each. `last_*` is guarded by the FIFO queues'
 * locks and lives on when a port is freed: a guest queue may still hold it.
 */
struct evtchn_port {
    uint8_t state; /* enum evtchn_state */
    uint8_t priority;
    uint8_t internal; /* index + 1 of the internal handler at the far end; 0 = none */
    bool pending;     /* FIFO: became pending before its word existed */
    uint8_t last_priority;
    uint8_t virq; /* VIRQ */
    uint16_t notify_vcpu;
    uint16_t last_vcpu;
    domid_t remote_domid;  /* UNBOUND, INTERDOMAIN */
    uint32_t remote_port;  /* INTERDOMAIN */
    struct domain *remote; /* INTERDOMAIN, NULL when internal; not a reference: a dying domain
                              unbinds its peers */
} aligned_to(32);

#define EVTCHN_PER_BUCKET (PAGE_SIZE / sizeof(struct evtchn_port))

struct evtchn_abi {
    unsigned int (*max_ports)(struct domain *d);
    /* Marks it pending towards its notify vCPU and wakes pollers. The port is bound and stays so:
     * this domain's lock is held, or that of its peer. At least one full barrier. */
    void (*set_pending)(struct domain *d, uint32_t port, struct evtchn_port *p);
    /* The rest with this domain's lock held. */
    void (*clear_pending)(struct domain *d, uint32_t port, struct evtchn_port *p);
    void (*unmask)(struct domain *d, uint32_t port, struct evtchn_port *p);
    bool (*is_pending)(struct domain *d, uint32_t port);
    bool (*is_masked)(struct domain *d, uint32_t port);
    bool (*is_busy)(struct domain *d, uint32_t port); /* still on a guest's queue: not reusable */
    bool has_priority;
};

extern const struct evtchn_abi evtchn_2l, evtchn_fifo;

struct evtchn_fifo;

#define EVTCHN_INTERNAL_MAX 4u

struct evtchn_domain {
    struct spinlock lock;
    const struct evtchn_abi *abi; /* [lock]; senders read it without (evtchn_deliver()) */
    struct evtchn_port **bucket; /* [lock] pages of ports, each set once; senders read it without */
    unsigned int nr_buckets;     /* (c) */
    uint32_t max_port;           /* (c) quota */
    uint32_t used;               /* [lock] ports that are not free, port 0 apart */
    uint32_t nr_internal;        /* [lock] those of them with an internal far end */
    uint32_t hint;               /* [lock] no port below it is free */
    uint32_t cursor;             /* [lock] reset, death: ports below it have been closed */
    struct evtchn_fifo *fifo;    /* [lock] NULL: 2-level */
    uint32_t (*virq_port)[NR_VIRQS]; /* [lock] per vCPU: port or 0 */
    struct evtchn_internal {
        void (*fn)(struct domain *d, void *arg);
        void *arg;
    } internal[EVTCHN_INTERNAL_MAX]; /* [lock] each set once */
};

/* A port that is known to exist. */
static inline struct evtchn_port *evtchn_port_at(struct domain *d, uint32_t port)
{
    return &READ_ONCE(d->evtchn->bucket[port / EVTCHN_PER_BUCKET])[port % EVTCHN_PER_BUCKET];
}

/* Any number: NULL when it is out of range or its page was never needed. */
static inline struct evtchn_port *evtchn_port(struct domain *d, uint32_t port)
{
    struct evtchn_domain *e = d->evtchn;
    uint64_t i = port / EVTCHN_PER_BUCKET;
    struct evtchn_port *b;

    if (i >= e->nr_buckets)
        return NULL;
    b = READ_ONCE(e->bucket[index_nospec(i, e->nr_buckets)]);
    return b ? &b[port % EVTCHN_PER_BUCKET] : NULL;
}

/* Both tables, by domain id; a == b is allowed. */
static inline void evtchn_lock_both(struct domain *a, struct domain *b)
{
    if (a->id <= b->id)
        lock_pair(&a->evtchn->lock, &b->evtchn->lock);
    else
        lock_pair(&b->evtchn->lock, &a->evtchn->lock);
}
static inline void evtchn_unlock_both(struct domain *a, struct domain *b)
{
    unlock_pair(&a->evtchn->lock, &b->evtchn->lock);
}

/* set_pending by the ABI in use; its conditions. */
void evtchn_deliver(struct domain *d, uint32_t port, struct evtchn_port *p);
/* Sets v's upcall_pending; when it was clear, evtchn_assert_upcall(). */
void evtchn_mark_upcall(struct vcpu *v);
/* Wakes vCPUs of d that poll `port` (or any). */
void evtchn_wake_pollers(struct domain *d, uint32_t port);

/* All with the lock held. */
int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *arg);
int evtchn_fifo_expand(struct domain *d, gfn_t gfn);
/* Back to the 2-level ABI. No port is bound interdomain, so no sender is inside. */
void evtchn_fifo_fini(struct domain *d);
int evtchn_fifo_check(struct domain *d, char *why, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between evtchn.c and the two event ABIs (evtchn_2l.c, evtchn_fifo.c): the port record and the
 * operations table. Not for other files.
 */
#ifndef KR_DOMAIN_EVTCHN_OPS_H
#define KR_DOMAIN_EVTCHN_OPS_H

#include "domain/evtchn.h"

enum evtchn_state {
    ECS_FREE,
    ECS_RESERVED,
    ECS_UNBOUND,
    ECS_INTERDOMAIN,
    ECS_VIRQ,
    ECS_IPI,
};

/* Guarded by the domain's evtchn lock; `pending` and `last_*` by the FIFO queue locks. */
struct evtchn_port {
    uint8_t state;
    uint8_t priority;
    uint8_t internal; /* index + 1 into the table of internal handlers: consumer is Krypton's
                         peer; 0 = none */
    bool pending;     /* FIFO: set before its word existed */
    uint8_t last_priority;
    uint16_t notify_vcpu;
    uint16_t last_vcpu;
    uint16_t virq;
    domid_t remote_domid;  /* UNBOUND, INTERDOMAIN */
    uint32_t remote_port;  /* INTERDOMAIN */
    struct domain *remote; /* INTERDOMAIN: not a reference; both ends close each other */
};

struct evtchn_abi {
    unsigned int (*max_ports)(struct domain *d);
    /* Marks it pending towards its notify vCPU and wakes pollers; evtchn lock held or port
     * stable. */
    void (*set_pending)(struct domain *d, uint32_t port, struct evtchn_port *p);
    void (*clear_pending)(struct domain *d, uint32_t port, struct evtchn_port *p);
    void (*unmask)(struct domain *d, uint32_t port, struct evtchn_port *p);
    bool (*is_pending)(struct domain *d, uint32_t port);
    bool (*is_masked)(struct domain *d, uint32_t port);
    bool (*is_busy)(struct domain *d, uint32_t port); /* still on a guest's queue: not reusable */
    int (*set_priority)(struct domain *d, uint32_t port, struct evtchn_port *p, uint8_t prio);
};

extern const struct evtchn_abi evtchn_2l, evtchn_fifo;

struct evtchn_fifo;

struct evtchn_domain {
    struct spinlock lock;
    const struct evtchn_abi *abi; /* [lock] */
    struct evtchn_port **bucket;  /* [lock] grown by pages of ports */
    unsigned int nr_buckets;
    unsigned int max_port;           /* (c) quota */
    unsigned int used;               /* [lock] ports not free */
    struct evtchn_fifo *fifo;        /* [lock] NULL: 2-level */
    uint16_t (*virq_port)[NR_VIRQS]; /* [lock] per vCPU: port or 0 */
    bool resetting;
};

/* NULL when port is out of range or was never allocated. Lock held. */
struct evtchn_port *evtchn_port(struct domain *d, uint32_t port);
/* Sets v's upcall and requests the interrupt (addendum B1.4). */
void evtchn_mark_upcall(struct vcpu *v);
/* Wakes vCPUs of d that poll `port` (or any). */
void evtchn_wake_pollers(struct domain *d, uint32_t port);

int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *arg);
int evtchn_fifo_expand(struct domain *d, gfn_t gfn);
void evtchn_fifo_fini(struct domain *d);

#endif

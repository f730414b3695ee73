/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between sched/core.c and the algorithms: run queues, a vCPU's scheduling record, and the
 * operations table. Not for other folders.
 */
#ifndef KR_DOMAIN_SCHED_OPS_H
#define KR_DOMAIN_SCHED_OPS_H

#include "lib/list.h"
#include "domain/sched.h"

/* A CPU's queue of vCPUs that could run but do not. [q] = its lock. */
struct sched_cpu {
    struct spinlock lock;
    struct list queue;    /* [q] in the algorithm's order */
    unsigned int waiting; /* [q] length; read as a hint without */
    uint64_t best;        /* [q] key of the first waiting vCPU, if any; a hint without */
    uint64_t clock;       /* [q] how far its vCPUs have got (share.c); read without */
    uint64_t weight;      /* [q] sum of the waiting ones' */
    struct vcpu *curr;    /* [q] NULL = idle */
    struct ktimer slice;
};

struct sched_vcpu {
    struct vcpu *vcpu;    /* (c) */
    struct list link;     /* [q] of v->cpu */
    bool queued;          /* [q] */
    bool yielded;         /* [q] */
    bool displaced;       /* [q] to be placed elsewhere when unloaded */
    uint64_t key;         /* [q] the algorithm's order; share.c: virtual runtime */
    uint64_t seen;        /* [q] share.c: how far everybody had got when it ran last */
    uint64_t weight;      /* [q] as counted in sched_cpu.weight */
    nsec_t since;         /* [q] charged up to here while it is curr */
    cpumask_t hard, soft; /* [q] */
};

struct sched_domain {
    struct sched_params params; /* plain loads and stores */
    uint32_t active;            /* (a) vCPUs that run or could */
    int64_t budget;             /* (a) ns left of this cap period; negative: overdrawn */
    struct ktimer refill;
};

struct sched_ops {
    const char *name; /* as in sched= */
    unsigned int id;  /* XEN_SCHEDULER_* */
    int (*domain_init)(struct domain *d);
    void (*domain_fini)(struct domain *d);
    /* A CPU for a vCPU that starts or wakes; no lock. */
    unsigned int (*place)(struct vcpu *v);
    /* The rest with the queue's lock held. enqueue says whether v should run before curr. */
    bool (*enqueue)(struct sched_cpu *q, struct vcpu *v, bool woken);
    void (*dequeue)(struct sched_cpu *q, struct vcpu *v);
    void (*charge)(struct sched_cpu *q, struct vcpu *v, nsec_t ran);
    struct vcpu *(*pick)(struct sched_cpu *q, nsec_t now, nsec_t *until); /* first that may run */
    bool (*ready)(const struct vcpu *v); /* a waiting one may run now; a hint without the lock */
    /* No lock: may move a waiting vCPU of another CPU here. `prev` is what the calling CPU has,
     * NULL when it has nothing; `idle`: nor has it found anything that may run. */
    void (*balance)(unsigned int cpu, const struct vcpu *prev, bool idle);
    int (*adjust)(struct domain *d, const struct sched_params *p);
};

extern const struct sched_ops sched_share, sched_null;

/* The queue of a CPU. */
struct sched_cpu *sched_queue(unsigned int cpu);
/* Locks the queue that v belongs to. */
struct sched_cpu *sched_lock_vcpu(struct vcpu *v);
/* Charges v, if it runs, up to now. No lock. */
void sched_charge_vcpu(struct vcpu *v);
/* An idle CPU of v's hard affinity, a soft one if there is one, which is told to look at the queues
 * and is nobody else's choice until it has; MAX_CPUS = none. Any context. */
unsigned int sched_claim_idle(const struct vcpu *v);

#endif

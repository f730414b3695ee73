/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler's contract: which vCPU a CPU runs next. core (sched/core.c) owns runstates,
 * affinity, wake and sleep; an algorithm (sched/share.c, sched/null.c) is a struct sched_ops. The
 * exit loop calls sched_pick(); nothing else changes which vCPU runs.
 */
#ifndef KR_DOMAIN_SCHED_H
#define KR_DOMAIN_SCHED_H

#include "domain/domain.h"

struct sched_params {
    uint16_t weight; /* 1..65535, 256 is the default */
    uint16_t cap;    /* percent of one CPU, 0 = none */
};

/* An algorithm. Called with the run-queue lock of the CPU concerned held unless said. */
struct sched_ops {
    const char *name; /* as in sched= */
    unsigned int id;  /* XEN_SCHEDULER_* */
    int (*cpu_init)(unsigned int cpu);
    int (*domain_init)(struct domain *d);
    void (*domain_fini)(struct domain *d);
    int (*vcpu_init)(struct vcpu *v);  /* no lock; chooses a first CPU */
    void (*vcpu_fini)(struct vcpu *v); /* no lock; not runnable */
    void (*wake)(struct vcpu *v);      /* became runnable; no lock; may kick a CPU */
    void (*sleep)(struct vcpu *v);     /* stopped being runnable; no lock */
    void (*yield)(struct vcpu *v);
    /* The next vCPU for this CPU (NULL: idle) and until when it may run (slice end). `prev` has
     * been charged. */
    struct vcpu *(*pick)(unsigned int cpu, struct vcpu *prev, nsec_t now, nsec_t *until);
    int (*adjust)(struct domain *d, const struct sched_params *set, struct sched_params *get);
    void (*affinity_changed)(struct vcpu *v); /* no lock */
    void (*dump)(unsigned int cpu);
};

extern const struct sched_ops *sched; /* chosen by sched=, at boot */
extern const struct sched_ops sched_share, sched_null;

int must_check sched_init(void); /* boot, nr_cpus known */
int must_check sched_cpu_init(unsigned int cpu);
int must_check sched_domain_init(struct domain *d);
void sched_domain_fini(struct domain *d);
int must_check sched_vcpu_init(struct vcpu *v);
void sched_vcpu_fini(struct vcpu *v); /* waits until no CPU has it loaded */

/* The loop: who runs next on the calling CPU. Accounts prev's time and runstate; arms the slice
 * timer. NULL: idle. */
struct vcpu *sched_pick(struct vcpu *prev);
/* The loop has unloaded v: other CPUs may take it. */
void sched_release(struct vcpu *v);

/* v->pause changed (domain.h's vcpu_pause_set/clear and vcpu_wake/block go through here). */
void sched_runnable_changed(struct vcpu *v);
void sched_yield_vcpu(struct vcpu *v);

int sched_adjust(struct domain *d, const struct sched_params *set, struct sched_params *get);
int sched_set_affinity(struct vcpu *v, const cpumask_t *hard, const cpumask_t *soft);
void sched_get_affinity(struct vcpu *v, cpumask_t *hard, cpumask_t *soft);
/* Runstate with the current slice included; times in ns. */
void sched_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out);
/* Waits (spinning, interrupts on) until v is not running on any CPU; its pause bit is set. */
void sched_wait_stopped(struct vcpu *v);

void sched_dump(void); /* debug key */
int sched_check(char *why, size_t size);

#endif

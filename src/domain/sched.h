/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler: which vCPU a CPU runs next. sched/core.c owns run queues, runstates, affinity,
 * wake and sleep; an algorithm (sched/share.c, sched/null.c) is a struct sched_ops (sched/ops.h).
 * The exit loop calls sched_pick(); nothing else changes which vCPU runs.
 */
#ifndef KR_DOMAIN_SCHED_H
#define KR_DOMAIN_SCHED_H

#include "domain/domain.h"

struct sched_params {
    uint16_t weight; /* 1..65535, 256 is the default */
    uint16_t cap;    /* percent of one CPU, 0 = none */
};

/* Boot: the algorithm named by sched= ("credit2" is proportional share, "null" static), -XEN_EINVAL
 * with a message and the default when there is none of that name; then run queues. */
int must_check sched_init(void);
int must_check sched_domain_init(struct domain *d);
void sched_domain_fini(struct domain *d);
int must_check sched_vcpu_init(struct vcpu *v); /* pause bits set */
void sched_vcpu_fini(struct vcpu *v);           /* stopped */
const char *sched_name(void);
unsigned int sched_id(void); /* XEN_SCHEDULER_* */

/* The loop: who runs next on the calling CPU. Accounts prev's time and runstate; arms the slice
 * timer. NULL: idle. `prev` stays "running" until sched_release(). */
struct vcpu *sched_pick(struct vcpu *prev);
/* The loop has unloaded v: other CPUs may take it. */
void sched_release(struct vcpu *v);

/* v->pause went from zero to non-zero or back (vcpu_pause_set/clear only). */
void sched_runnable_changed(struct vcpu *v);
/* [loaded] Lets others go first, once. Costs nothing when nobody waits. */
void sched_yield_vcpu(struct vcpu *v);

/* set, get: either may be NULL. -XEN_EINVAL: weight 0, or the algorithm has no such thing. */
int sched_adjust(struct domain *d, const struct sched_params *set, struct sched_params *get);
/* NULL leaves a mask as it is. -XEN_EINVAL: no online CPU in `hard`. */
int sched_set_affinity(struct vcpu *v, const cpumask_t *hard, const cpumask_t *soft);
void sched_get_affinity(struct vcpu *v, cpumask_t *hard, cpumask_t *soft);
/* Runstate with the current slice included; times in ns. Any CPU. */
void sched_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out);

void sched_dump(void); /* debug key */
/* Invariants: 0, or -1 with `why`. Nothing else runs meanwhile (tests, stopped CPUs). */
int sched_check(char *why, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels: ports of a domain in the states of addendum B1.1, behind them the 2-level or the
 * FIFO ABI (struct evtchn_ops). These are the operations as the hypercalls, the console and
 * domain life need them; arguments are plain values, permission is checked by the caller.
 */
#ifndef KR_DOMAIN_EVTCHN_H
#define KR_DOMAIN_EVTCHN_H

#include "domain/domain.h"

int must_check evtchn_init(struct domain *d, unsigned int max_port);
/* Death: closes every port, peers become unbound, FIFO pages are released; bounded steps, true
 * while more is left. The state is DYING already and shared_info is still registered. */
bool evtchn_close_all_step(struct domain *d);
/* Frees the tables: after evtchn_close_all_step() is through, and after a grace period. */
void evtchn_fini(struct domain *d);

/* All return 0 or a negative errno; ports are written only on success. */
int evtchn_alloc_unbound(struct domain *d, domid_t remote, uint32_t *port);
int evtchn_bind_interdomain(struct domain *d, struct domain *remote, uint32_t remote_port,
                            uint32_t *port);
int evtchn_bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu, uint32_t *port);
int evtchn_bind_ipi(struct domain *d, uint32_t vcpu, uint32_t *port);
int evtchn_bind_vcpu(struct domain *d, uint32_t port, uint32_t vcpu);
int evtchn_close(struct domain *d, uint32_t port);
int evtchn_send(struct domain *d, uint32_t port);
int evtchn_unmask(struct domain *d, uint32_t port);
int evtchn_status(struct domain *d, uint32_t port, struct evtchn_status *out);
int evtchn_set_priority(struct domain *d, uint32_t port, uint32_t priority);
/* Bounded steps: -XEN_ERESTART while more is left; a caller that comes meanwhile goes on with it.
 * Internal ports stay: their far end would bind again at once. */
int evtchn_reset(struct domain *d);

int evtchn_init_control(struct domain *d, struct evtchn_init_control *arg);
int evtchn_expand_array(struct domain *d, gfn_t gfn);

/* A port whose far end is Krypton itself: the guest sees an ordinary interdomain port (remote
 * domain `shown_as`); its send runs fn(d, arg), no lock held. The guest may close it. */
int evtchn_bind_internal(struct domain *d, domid_t shown_as,
                         void (*fn)(struct domain *d, void *arg), void *arg, uint32_t *port);
/* Makes an internal port pending; nothing when it has been closed. Any loop context. */
void evtchn_notify(struct domain *d, uint32_t port);

void evtchn_send_vcpu_virq(struct vcpu *v, uint32_t virq); /* per-vCPU: 0, 1, 7, 13 */
void evtchn_send_global_virq(struct domain *d, uint32_t virq);

/* Requests v's interrupt for event upcalls, by what is configured (addendum B1.4); also when that
 * configuration has changed. No lock needed. */
void evtchn_assert_upcall(struct vcpu *v);

/* For SCHEDOP_poll, after `polling` was set and a full barrier: 1 pending, 0 not, -XEN_EINVAL
 * invalid or free port. */
int evtchn_poll_port(struct domain *d, uint32_t port);

/* Debug key and tests: 0 when every port's peer, VIRQ and queue membership agree. */
int evtchn_check(struct domain *d, char *why, size_t size);
void evtchn_dump(struct domain *d);

#endif

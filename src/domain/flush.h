/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flush protocol: after a second-stage entry was taken away, no CPU may use it any more before
 * the frame's reference is dropped. The changer bumps the p2m generation; a CPU that serves the
 * domain is kicked and has left guest mode when flush_domain() returns; every CPU compares the
 * generation, interrupts off, before it enters the guest again (flush_check()).
 */
#ifndef KR_DOMAIN_FLUSH_H
#define KR_DOMAIN_FLUSH_H

#include "lib/types.h"

struct domain;
struct vcpu;

/* Waits, interrupts on, serving other CPUs' kicks meanwhile; hold no lock that interrupt handlers
 * or flush_check() take (none does). One call serves any number of changes before it. */
void flush_domain(struct domain *d);

/* On the way into v's guest, interrupts off: true when its translations are stale; the caller
 * flushes them (virt->flush_guest) and its windows, then goes on. */
bool flush_check(struct vcpu *v);

/* The kick's interrupt handler. */
void flush_acknowledge(void);

/* Every CPU (`all` online ones but this) drops its whole TLB: before frames that were in the
 * shared linear map are used for something else. */
void flush_all_cpus(void);

#endif

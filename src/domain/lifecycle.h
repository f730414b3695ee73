/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between domain.c, teardown.c, pages.c and vcpu.c: steps of a domain's life that only they call.
 */
#ifndef KR_DOMAIN_LIFECYCLE_H
#define KR_DOMAIN_LIFECYCLE_H

#include "domain/domain.h"

/* Sets up d->task, which carries a shutdown to its end and tears down. */
void lifecycle_init(struct domain *d);

/* Lookup without a reference: the caller knows that something keeps it (a page of its). */
struct domain *domain_find(domid_t id);
void domain_unpublish(struct domain *d);

/* vCPU `id` with all its parts, down. */
int must_check vcpu_create(struct domain *d, unsigned int id);
void vcpu_destroy(struct vcpu *v);
/* True once no CPU runs it and none can start to. */
bool vcpu_stopped(const struct vcpu *v);

/* Gives back up to `n` pages of d's list; true while there are more. */
bool pages_release_step(struct domain *d, unsigned int n);
void pages_init(void);

#endif

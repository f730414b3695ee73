/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that Krypton keeps up to date in guest memory for each vCPU: the pvclock time record
 * (vcpu_info and the secondary area) and the runstate area (addendum A.2, B1.6). Failure to write
 * a guest's own area is silent.
 */
#ifndef KR_GUEST_AREAS_H
#define KR_GUEST_AREAS_H

#include "domain/domain.h"

/* Rewrites the time record if this CPU's clock stamp is another one than it shows, or `force`.
 * [loaded] */
void time_publish(struct vcpu *v, bool force);
/* Rewrites the runstate area: at registration, after switching in, before switching out. [loaded]
 */
void runstate_publish(struct vcpu *v);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every privilege decision of the hypercall interface, by name, in one place (privilege.c), so
 * that a policy module can take the default's place. 0 or -XEN_EPERM.
 */
#ifndef KR_DOMAIN_PRIVILEGE_H
#define KR_DOMAIN_PRIVILEGE_H

#include "domain/domain.h"

int privilege_control(const struct domain *caller); /* sysctl, platform_op ... */
int privilege_target(const struct domain *caller,
                     const struct domain *target); /* self or control */
int privilege_console_write(const struct domain *caller);
int privilege_version(const struct domain *caller, unsigned int cmd); /* xen_version sub-ops */
int privilege_hvm_param(const struct domain *caller, const struct domain *target, uint32_t index,
                        bool set);
int privilege_grant(const struct domain *caller, const struct domain *target);
int privilege_evtchn_peer(const struct domain *caller, const struct domain *remote);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VCPUOP_initialise of an HVM/PVH vCPU: the register state of struct vcpu_hvm_context, checked and
 * set (public hvm/hvm_vcpu.h, addendum B1.7).
 */
#ifndef KR_GUEST_HVM_CONTEXT_H
#define KR_GUEST_HVM_CONTEXT_H

#include "domain/domain.h"

/* -XEN_EEXIST: initialised already; -XEN_EINVAL: no vcpu_info, or a state that makes no sense.
 * Leaves the vCPU down. */
long hvm_context_initialise(struct vcpu *v, const struct vcpu_hvm_context *ctx);

#endif

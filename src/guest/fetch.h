/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instruction at a vCPU's rip, for exits that must be decoded: fetched by the guest's own
 * tables and rights, decoded in its mode. [loaded]
 */
#ifndef KR_GUEST_FETCH_H
#define KR_GUEST_FETCH_H

#include "domain/domain.h"
#include "arch/x86/insn/decode.h"

/* 0; or -XEN_EFAULT when a fault was raised in the guest (#PF of the fetch, #UD or #GP of the
 * decoder): the instruction is to be retried. */
int must_check fetch_insn(struct vcpu *v, struct insn *i);
/* How many of n bytes at rip could be read; raises nothing. */
unsigned int fetch_bytes(struct vcpu *v, uint8_t *buf, unsigned int n);

enum insn_mode fetch_mode(struct vcpu *v);

#endif

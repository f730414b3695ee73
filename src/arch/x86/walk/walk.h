/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation of guest linear addresses by the guest's own page tables, as the CPU does it (AMD APM
 * vol. 2, chapter 5): unpaged, 32-bit with PSE, PAE, four levels. Not checked: protection keys, and
 * five levels, which no guest is offered.
 */
#ifndef KR_ARCH_X86_WALK_WALK_H
#define KR_ARCH_X86_WALK_WALK_H

#include "domain/domain.h"

/* Kind of access. Supervisor data access without SMAP unless said otherwise. */
#define WALK_WRITE (1u << 0)
#define WALK_USER  (1u << 1)
#define WALK_FETCH (1u << 2)
#define WALK_SMAP  (1u << 3) /* user pages are out of bounds when CR4.SMAP is set */

/* Page-fault error code (AMD APM vol. 2, 8.4.2). */
#define PF_PRESENT  (1u << 0)
#define PF_WRITE    (1u << 1)
#define PF_USER     (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_FETCH    (1u << 4)

/* Translates the byte at `linear` and sets accessed and dirty bits as the access would. 0, or
 * -XEN_EFAULT with *error. c is the vCPU's, [loaded]. Says nothing about what is at gpa. */
int must_check walk(struct vcpu *v, const struct vcpu_control *c, uint64_t linear,
                    unsigned int access, gpa_t *gpa, uint32_t *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The domain part of the address space: one top-level slot, the same on every CPU that serves the
 * domain and absent on every other. It holds the pages with the register state of its vCPUs. A
 * vCPU has PART_PAGES consecutive pages there. Its frames are PRIVATE (mem/frame.h): a CPU that
 * does not serve the domain reaches them through a window only.
 */
#ifndef KR_ARCH_X86_VCPU_PART_H
#define KR_ARCH_X86_VCPU_PART_H

#include "domain/domain.h"

#define PART_PAGES 16u /* per vCPU, a power of two */

/* Makes the top table (d->part_root). -XEN_ENOMEM. */
int must_check part_init(struct domain *d);
/* All pages have been removed. */
void part_fini(struct domain *d);

/* A zeroed PRIVATE frame at page `index` (< PART_PAGES) of vCPU `vcpu`; its frame in *mfn, its
 * address in the domain part returned (use it only while the CPU serves d); NULL: no memory. */
void *must_check part_add(struct domain *d, unsigned int vcpu, unsigned int index, mfn_t *mfn);
void part_remove(struct domain *d, unsigned int vcpu, unsigned int index);

#endif

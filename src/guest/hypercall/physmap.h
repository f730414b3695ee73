/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing what is at a gfn, as memory_op's sub-operations need it (addendum B1.9, B1.10): kinds
 * that come by their own calls (grants, foreign, device memory) are not touched.
 */
#ifndef KR_GUEST_PHYSMAP_H
#define KR_GUEST_PHYSMAP_H

#include "domain/domain.h"

/* 2^order fresh pages at gfn; false: refused or no memory, nothing changed. */
bool physmap_populate(struct domain *d, gfn_t gfn, unsigned int order);
/* Gives back the 2^order pages at gfn; false at the first that is no RAM of d's own. */
bool physmap_decrease(struct domain *d, gfn_t gfn, unsigned int order);
/* XENMAPSPACE_*; 0 or a negative errno. */
int physmap_add(struct domain *d, unsigned int space, uint64_t idx, gfn_t gfn);
/* Makes gfn a hole; the page stays d's. */
int physmap_remove(struct domain *d, gfn_t gfn);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounds that hold under speculation too. A branch that checked an index may be mispredicted and
 * the table read past its end; the value read then leaves traces. So the index itself is forced
 * into the table by arithmetic, after the check.
 */
#ifndef KR_LIB_NOSPEC_H
#define KR_LIB_NOSPEC_H

#include "lib/types.h"

/* i when i < n, else 0; without a branch. 0 < n <= 2^63. */
static inline uint64_t index_nospec(uint64_t i, uint64_t n)
{
    __asm__("" : "+r"(i)); /* the compiler forgets what an earlier check told it */
    return i & (((i | (n - 1 - i)) >> 63) - 1);
}

#endif

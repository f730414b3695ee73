/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pattern that guests fill memory with: a fixed upper half that says whose idea it is, a lower
 * half from address and seed. A word with that upper half that a guest did not write itself is
 * another guest's, alive or dead.
 */
#ifndef GUEST_PATTERN_H
#define GUEST_PATTERN_H

#include "grant.h"

#define PATTERN_UPPER 0x6b72706170657273ull /* its upper 32 bits */

static inline uint64_t pattern_word(const void *at, uint64_t seed)
{
    return (PATTERN_UPPER & 0xffffffff00000000) |
           (uint32_t)((unsigned long)at / 8 * 2654435761u + seed);
}

static inline bool pattern_foreign(uint64_t word)
{
    return word >> 32 == PATTERN_UPPER >> 32;
}

#endif

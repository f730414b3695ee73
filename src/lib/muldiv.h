/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scaling of counters: ticks to nanoseconds and back without a division, in the form that the
 * guest's pvclock uses (struct vcpu_time_info in the public xen.h: tsc_shift, tsc_to_system_mul).
 */
#ifndef KR_LIB_MULDIV_H
#define KR_LIB_MULDIV_H

#include "lib/types.h"

/* y = ((x << shift) * mul) >> 32, a negative shift being one to the right. */
struct time_scale {
    uint32_t mul;
    int8_t shift; /* -32..32 */
};

/* Bits of x that `shift` moves out are lost, as in the guest's own computation. */
static inline uint64_t time_scale_apply(struct time_scale s, uint64_t x)
{
    x = s.shift < 0 ? x >> -s.shift : x << s.shift;
    return (uint64_t)(((unsigned __int128)x * s.mul) >> 32);
}

/*
 * The scale that turns counts at from_hz into counts at to_hz, rounded down, mul >= 2^31 so that
 * it is exact to 2^-31. Both rates are 1..2^62, their ratio is 2^-32..2^32.
 */
struct time_scale time_scale_make(uint64_t from_hz, uint64_t to_hz);

/* a * b / c rounded down without overflow on the way; UINT64_MAX if it does not fit or c is 0. */
uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The divisions behind lib/muldiv.h, done bit by bit: they are rare, and neither a 128-bit division
 * of the compiler's library nor a divide instruction that can fault is wanted.
 */
#include "lib/muldiv.h"

#include "lib/bits.h"

struct time_scale time_scale_make(uint64_t from_hz, uint64_t to_hz)
{
    int shift = 0;
    /* Bring to/from into [1/2, 1): then its 32-bit binary fraction has the top bit set. */
    while (to_hz >= from_hz) {
        from_hz <<= 1;
        shift++;
    }
    while (to_hz < from_hz - to_hz) {
        to_hz <<= 1;
        shift--;
    }
    uint32_t mul = 0;
    for (int bit = 31; bit >= 0; bit--) {
        to_hz <<= 1;
        if (to_hz >= from_hz) {
            to_hz -= from_hz;
            mul |= (uint32_t)BIT(bit);
        }
    }
    return (struct time_scale){.mul = mul, .shift = (int8_t)shift};
}

uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    uint64_t rest = (uint64_t)(product >> 64), low = (uint64_t)product, quotient = 0;
    if (rest >= c)
        return UINT64_MAX;
    for (int bit = 63; bit >= 0; bit--) {
        bool carry = rest >> 63;
        rest = rest << 1 | (low >> bit & 1);
        if (carry || rest >= c) {
            rest -= c;
            quotient |= BIT(bit);
        }
    }
    return quotient;
}

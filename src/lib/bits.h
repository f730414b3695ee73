/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits of a 64-bit word and bitmaps made of such words. Nothing here is atomic: the caller's lock
 * guards a bitmap.
 */
#ifndef KR_LIB_BITS_H
#define KR_LIB_BITS_H

#include "lib/types.h"

#define BIT(n) (1ULL << (n))

/* Bits first..last set, both included, 0 <= first <= last <= 63. */
#define BITS(first, last) ((~0ULL >> (63 - (last))) & (~0ULL << (first)))

/* Number of the lowest and of the highest set bit; x is not 0. */
static inline unsigned int bits_first(uint64_t x)
{
    return (unsigned int)__builtin_ctzll(x);
}

static inline unsigned int bits_last(uint64_t x)
{
    return 63u - (unsigned int)__builtin_clzll(x);
}

/* How many bits are set. (The builtin would call libgcc on a CPU without POPCNT.) */
static inline unsigned int bits_count(uint64_t x)
{
    x -= (x >> 1) & 0x5555555555555555ULL;
    x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
    return (unsigned int)(x * 0x0101010101010101ULL >> 56);
}

/* A bitmap of n bits is uint64_t map[BITMAP_WORDS(n)]. */
#define BITMAP_WORDS(n) (((n) + 63) / 64)

static inline void bitmap_set(uint64_t *map, unsigned int bit)
{
    map[bit / 64] |= BIT(bit % 64);
}

static inline void bitmap_clear(uint64_t *map, unsigned int bit)
{
    map[bit / 64] &= ~BIT(bit % 64);
}

static inline bool bitmap_test(const uint64_t *map, unsigned int bit)
{
    return map[bit / 64] >> (bit % 64) & 1;
}

/* The first bit at or after `from` that is set (clear); `size` when there is none. */
static inline unsigned int bitmap_find(const uint64_t *map, unsigned int size, unsigned int from)
{
    while (from < size) {
        uint64_t word = map[from / 64] >> (from % 64);
        if (word)
            return min(from + bits_first(word), size);
        from = (from / 64 + 1) * 64;
    }
    return size;
}

static inline unsigned int bitmap_find_clear(const uint64_t *map, unsigned int size,
                                             unsigned int from)
{
    while (from < size) {
        uint64_t word = ~map[from / 64] >> (from % 64);
        if (word)
            return min(from + bits_first(word), size);
        from = (from / 64 + 1) * 64;
    }
    return size;
}

static inline unsigned int bitmap_count(const uint64_t *map, unsigned int size)
{
    unsigned int n = 0;
    for (unsigned int i = 0; i < size / 64; i++)
        n += bits_count(map[i]);
    if (size % 64)
        n += bits_count(map[size / 64] & BITS(0, size % 64 - 1));
    return n;
}

/* Bits that the body sets or clears behind `bit` are seen or not as they stand then. */
#define for_each_set_bit(bit, map, size)                    \
    for ((bit) = bitmap_find(map, size, 0); (bit) < (size); \
         (bit) = bitmap_find(map, size, (bit) + 1))

#endif

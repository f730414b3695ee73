/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory behind malloc, given out from its end downwards: the kernel is to grow towards it from
 * below. In the guest runtime.c keeps this true; a host test owns the variable and sets what it
 * wants.
 */
#ifndef LOADER_HEAP_H
#define LOADER_HEAP_H

#include "lib/types.h"

struct heap {
    uint64_t start, end; /* of all of it; start rises to the kernel's end once that is known */
    uint64_t next;       /* lowest address in use */
    uint64_t low;        /* lowest address ever in use */
    uint64_t lacking;    /* bytes more that the current pass would have taken */
};

extern struct heap heap;

/* In front of each block; blocks are multiples of it. */
#define HEAP_UNIT 16u

/* Bytes that one more allocation can have. */
static inline uint64_t heap_room(void)
{
    return heap.next > heap.start + HEAP_UNIT ? heap.next - heap.start - HEAP_UNIT : 0;
}

/* Bytes that are enough for a pass like those so far. */
static inline uint64_t heap_need(void)
{
    return heap.end - heap.low + heap.lacking;
}

/* Before each pass: what is still allocated is forgotten. */
static inline void heap_reset(void)
{
    heap.next = heap.end;
    heap.lacking = 0;
}

#endif

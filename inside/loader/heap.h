/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about the memory behind malloc: a decompressor asks it how large a window it may
 * have. In the guest runtime.c keeps it true; a host test owns the variable and sets what it wants.
 */
#ifndef LOADER_HEAP_H
#define LOADER_HEAP_H

#include "lib/types.h"

struct heap {
    uint64_t start, end; /* [start, end) */
    uint64_t next;       /* lowest address never given out, or given back */
    uint64_t peak;       /* highest value of next */
    uint64_t refused;    /* size of the last allocation that did not fit */
};

extern struct heap heap;

/* Bytes that one more allocation can have, its 32 bytes of overhead taken off. */
static inline uint64_t heap_room(void)
{
    uint64_t left = heap.end - heap.next;

    return left > 32 ? left - 32 : 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of abi/loader.h as one inline function.
 */
#ifndef LOADER_CALL_H
#define LOADER_CALL_H

#include "abi/loader.h"
#include "lib/types.h"

#define LOADER_PRINT_MAX 128

static inline uint64_t loader_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r10 __asm__("r10") = d;

    __asm__ volatile("vmmcall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(r10) : "memory");
    return number;
}

#endif

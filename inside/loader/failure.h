/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How every part of the loader says why it cannot go on: the code and the two numbers that
 * LOADER_CALL_FAIL hands to Krypton (abi/loader.h). A function that takes a struct failure fills
 * it when, and only when, it returns false.
 */
#ifndef LOADER_FAILURE_H
#define LOADER_FAILURE_H

#include "abi/loader.h"
#include "lib/types.h"

struct failure {
    enum loader_error code;
    uint64_t a, b;  /* the meaning depends on the code, see abi/loader.h */
    uint64_t least; /* bytes of guest memory that would do; 0: memory is not what lacks */
};

/* Returns false, so that a check can end in `return failure_set(...)`. */
static inline bool failure_set(struct failure *f, enum loader_error code, uint64_t a, uint64_t b)
{
    *f = (struct failure){.code = code, .a = a, .b = b};
    return false;
}

#endif

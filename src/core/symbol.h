/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Function names of Krypton's own code, for backtraces. The table is generated when the image is
 * linked (tools/gen-symbols.py).
 */
#ifndef KR_CORE_SYMBOL_H
#define KR_CORE_SYMBOL_H

#include "lib/types.h"

struct symbol_table {
    uint32_t count;
    const uint32_t *offset; /* ascending */
    const uint32_t *name;   /* index into text */
    const char *text;
};

/* The function that contains offset `at` from the image's start, and how far inside; NULL when it
 * lies before the first. Any context. */
const char *symbol_find(const struct symbol_table *t, uint32_t at, uint32_t *inside);

#endif

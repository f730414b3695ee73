/* SPDX-License-Identifier: Apache-2.0 */
/* Binary search in the table of function names. */
#include "core/symbol.h"

const char *symbol_find(const struct symbol_table *t, uint32_t at, uint32_t *inside)
{
    uint32_t low = 0, high = t->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (t->offset[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    *inside = at - t->offset[low - 1];
    return t->text + t->name[low - 1];
}

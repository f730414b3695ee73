/* SPDX-License-Identifier: Apache-2.0 */
/* Further mappings; see map.h. */
#include "map.h"

#define TABLES 16

extern uint64_t boot_pml4[512];
static uint64_t tables[TABLES][512] aligned_to(4096);

volatile uint64_t *map_entry(uint64_t va, unsigned int level)
{
    static unsigned int used;
    uint64_t *table = boot_pml4;
    for (unsigned int l = 4; l > level; l--) {
        uint64_t *e = &table[va >> (12 + 9 * (l - 1)) & 511];
        if (!(*e & PTE_P)) {
            if (used == TABLES)
                test_error("no page for another table");
            *e = (uint64_t)tables[used++] | PTE_P | PTE_RW | PTE_US;
        }
        table = (uint64_t *)(*e & 0xffffffffff000ull);
    }
    return &table[va >> (12 + 9 * (level - 1)) & 511];
}

void map_set(uint64_t va, unsigned int level, uint64_t pte)
{
    *map_entry(va, level) = pte | (level > 1 && (pte & PTE_P) ? PTE_PS : 0);
    invlpg((const void *)va);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Further mappings of a 64-bit guest, in the second entry of its top-level table (virtual addresses
 * from 512 GiB), with tables from a small pool. AMD APM vol. 2, 5.3.
 */
#ifndef GUEST_MAP_H
#define GUEST_MAP_H

#include "guest.h"

#define MAP_BASE (1ull << 39)

#define PTE_P    1ull
#define PTE_RW   2ull
#define PTE_US   4ull
#define PTE_A    0x20ull
#define PTE_D    0x40ull
#define PTE_PS   0x80ull
#define PTE_NX   (1ull << 63)

/* Level 1, 2, 3: a 4 KiB, 2 MiB or 1 GiB page. `pte` is physical address and bits. */
void map_set(uint64_t va, unsigned int level, uint64_t pte);
volatile uint64_t *map_entry(uint64_t va, unsigned int level);

#endif

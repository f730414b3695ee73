/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nested page table entries. Accessed and dirty are set beforehand, so that the CPU never writes to
 * a table and domain/p2m.c is the only writer.
 */
#include "arch/x86/p2m/npt.h"
#include "lib/bits.h"

/* AMD APM vol. 2, 5.4.1. All nested accesses count as user ones (15.25.5). */
#define P     BIT(0)
#define RW    BIT(1)
#define US    BIT(2)
#define PWT   BIT(3)
#define PCD   BIT(4)
#define A     BIT(5)
#define D     BIT(6)
#define NX    BIT(63)
#define READ  (P | US | A | D)
#define WRITE (READ | RW)

const struct p2m_format npt_format = {
    .table = P | RW | US | A,
    .leaf =
        {
            [P2M_RAM] = WRITE,
            [P2M_RAM_RO] = READ,
            [P2M_LOGDIRTY] = READ,
            [P2M_GRANT] = WRITE | NX,
            [P2M_GRANT_RO] = READ | NX,
            [P2M_FOREIGN] = WRITE | NX,
            [P2M_MMIO] = WRITE | NX | PCD | PWT,
            [P2M_MODULE] = READ | NX,
        },
};

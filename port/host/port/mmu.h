/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stepped CPU's page tables in the simulated machine (port/host/mmu.c). The same parts as in
 * port/metal/port/mmu.h, at addresses that a Linux process with the address sanitizer leaves free.
 */
#ifndef KR_PORT_MMU_H
#define KR_PORT_MMU_H

#include "lib/types.h"

#define FRAME_TABLE_VIRT 0x200000000000UL
#define KVA_VIRT         0x210000000000UL
#define WINDOW_VIRT      0x220000000000UL /* nothing there: only port/mem.h may touch it */
#define WINDOW_SLOTS     256u
#define DOMAIN_VIRT      0x230000000000UL

void mmu_window_set(unsigned int slot, mfn_t mfn);
void mmu_invalidate(const void *va);
int must_check mmu_kva_map(mfn_t mfn, unsigned int order);
void mmu_kva_unmap(mfn_t mfn, unsigned int order);
int must_check mmu_frame_table_map(uint64_t start, uint64_t end);
void mmu_flush_local(void);
void mmu_flush_all(void);
void mmu_domain_part(mfn_t root);
void *mmu_part_address(unsigned long va, mfn_t mfn); /* where the frame is in sim_phys() */

#endif

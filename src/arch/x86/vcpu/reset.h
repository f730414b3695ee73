/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states a vCPU starts in: PVH entry (hypercalls.md S1.1), the loader's 64-bit environment
 * (abi/loader.h), and what a start-up IPI leaves (addendum B1.7). All [paused].
 */
#ifndef KR_ARCH_X86_VCPU_RESET_H
#define KR_ARCH_X86_VCPU_RESET_H

#include "domain/domain.h"

/* 32-bit protected mode, paging off, flat segments, ebx = start_info. */
void reset_pvh(struct vcpu *v, uint32_t entry, uint32_t start_info);

/* Long mode, CPL 0, interrupts off, paging by `cr3`, rdi = info. */
void reset_loader(struct vcpu *v, gpa_t cr3, uint64_t entry, uint64_t stack, uint64_t info);

/* Real mode at vector << 12. */
void reset_sipi(struct vcpu *v, uint8_t vector);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What entry.S recorded at the first instruction of a 64-bit guest, and of a vCPU after its SIPI.
 */
#ifndef GUEST_ENTRY_H
#define GUEST_ENTRY_H

#include "lib/types.h"

/* From the last pushed to the first. */
struct entry_pushed {
    uint32_t ldt, tr, dr7, dr6, cr4, cr3, cr0, ss, gs, fs, es, ds, cs;
    uint32_t edi, esi, ebp, unused_esp, ebx, edx, ecx, eax, eflags;
};
extern const struct entry_pushed entry_pushed;
extern const uint32_t entry_esp;
extern const uint64_t entry_efer;
extern const uint16_t entry_gdtr[4], entry_idtr[4];
/* FNSTENV image, protected-mode 32-bit format. */
extern const struct {
    uint32_t control, status, tag, ip, cs_opcode, dp, ds;
} entry_fpu;

struct sipi_state {
    uint32_t edx, eflags, cr0, cr4;
};

#endif

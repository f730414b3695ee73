/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out one instruction of a guest whose memory operand is not (or not all) ordinary RAM, or
 * that moves strings between ports and memory: insn/exec.c with the guest's translation, RAM
 * through guest/access.h and everything else through the bus. Reads of what nobody claims are all
 * ones, writes to it and to read-only memory are dropped.
 */
#ifndef KR_GUEST_EMUL_EMULATE_H
#define KR_GUEST_EMUL_EMULATE_H

#include "domain/domain.h"
#include "guest/emul/bus.h"
#include "arch/x86/insn/decode.h"

/* What the second-stage fault said, which saves a walk of the guest's tables; NULL: nothing. */
struct emulate_hint {
    gpa_t gpa;
    const struct bus_device *dev; /* the row at gpa, NULL: none */
    bool write;                   /* the access was allowed to write */
    bool memory;                  /* there is memory, which the guest may only read */
};

enum emulate_result {
    EMULATE_DONE,        /* complete: rip may advance */
    EMULATE_AGAIN,       /* a REP has iterations left: run it again */
    EMULATE_FAULT,       /* an exception was raised */
    EMULATE_UNSUPPORTED, /* no effect: an instruction that the executor does not have */
};

/* Registers and flags of v are changed, rip is not. At most some dozen iterations of a REP.
 * [loaded] */
must_check enum emulate_result emulate_insn(struct vcpu *v, const struct insn *i,
                                            const struct emulate_hint *hint);

#endif

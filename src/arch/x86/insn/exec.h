/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruction executor: carries out one decoded instruction that has a memory operand, or one
 * string instruction, as AMD APM vol. 3 defines it, flags included. It is for device emulation: no
 * register-only forms, no stack, no control transfer, no SSE. All effects outside the register file
 * go through hooks; LOCK is a plain read and write. Which page, which device, which fault: the
 * hooks' matter.
 */
#ifndef KR_ARCH_X86_INSN_EXEC_H
#define KR_ARCH_X86_INSN_EXEC_H

#include "arch/x86/insn/decode.h"

/*
 * `linear` has segment base and address size applied (32 bits outside 64-bit mode); an access of
 * `bytes` (1, 2, 4, 8) may cross a page or wrap, and limit, canonical and permission checks have
 * not been made. Return 0, or a negative number of the caller's choice that ends the instruction.
 * Values are zero-extended.
 */
struct insn_ops {
    /* Outside 64-bit mode asked for every operand, in it for FS and GS only. */
    uint64_t (*seg_base)(void *ctx, enum insn_seg seg);
    int (*read)(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes, uint64_t *val);
    int (*write)(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes, uint64_t val);
    /*
     * For INS and OUTS; without `in` both are unsupported. `probe` says what `write` would: it is
     * asked before `in`, whose value could not be given back.
     */
    int (*probe)(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes);
    int (*in)(void *ctx, uint16_t port, unsigned bytes, uint64_t *val);
    int (*out)(void *ctx, uint16_t port, unsigned bytes, uint64_t val);
};

struct insn_cpu {
    uint64_t *gpr;   /* 16 registers in hardware's order: rAX rCX rDX rBX rSP rBP rSI rDI r8-r15 */
    uint64_t rip;    /* of the instruction; never changed */
    uint64_t rflags; /* the status flags are changed, DF is read */
    const struct insn_ops *ops;
    void *ctx; /* for the hooks */
};

enum {
    INSN_DONE = 0,  /* complete: rip may advance by i->len */
    INSN_AGAIN = 1, /* a REP has iterations left: rip stays */
};

/*
 * Returns INSN_DONE, INSN_AGAIN, -XEN_EOPNOTSUPP before any effect, or the value of the hook that
 * failed. A hook's failure leaves registers and flags as they were before the instruction, or of a
 * REP before the iteration that failed. At most max(1, `bound`) iterations of a REP are done. Any
 * context, no locks.
 */
must_check int insn_exec(const struct insn *i, struct insn_cpu *cpu, unsigned bound);

/* Linear address of the memory operand of an instruction with i->mem. */
uint64_t insn_linear(const struct insn *i, const struct insn_cpu *cpu);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruction decoder: a pure function from instruction bytes to struct insn (AMD APM vol. 3,
 * ch. 1 and appendix A). It gives the length of every instruction of the one-byte and 0F maps and
 * of the few of 0F 38 that hypervisors meet. It does not know VEX, EVEX, XOP, 3DNow! and 0F 3A, and
 * it does not look for every reserved encoding: accepting an instruction means that its length and
 * fields are right if the CPU accepts it. What it does is insn/exec.c's matter.
 */
#ifndef KR_ARCH_X86_INSN_DECODE_H
#define KR_ARCH_X86_INSN_DECODE_H

#include "lib/types.h"

#define INSN_MAX  15   /* bytes in the longest instruction */
#define INSN_NONE 0xff /* no base, no index */

/* Size of the code segment; the value is the default address size in bytes. */
enum insn_mode {
    INSN_16 = 2, /* real mode, or CS.D = 0 */
    INSN_32 = 4,
    INSN_64 = 8,
};

/* In hardware's order, as in a ModRM.reg that names a segment register. */
enum insn_seg { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS };

enum insn_status {
    INSN_OK,
    INSN_MORE,        /* ends beyond the bytes there are, which are less than INSN_MAX */
    INSN_TOO_LONG,    /* over INSN_MAX bytes: the CPU raises #GP(0) */
    INSN_INVALID,     /* the CPU raises #UD */
    INSN_UNSUPPORTED, /* perhaps legal, not known here */
};

struct insn {
    uint16_t op;      /* opcode and its map: 0x00nn, 0x0Fnn, 0x38nn for 0F 38 nn */
    uint8_t len;      /* bytes, 1 to INSN_MAX */
    uint8_t mode;     /* enum insn_mode */
    uint8_t opsize;   /* operand size in bytes: 1, 2, 4, 8; ports: 1, 2, 4 */
    uint8_t addrsize; /* address size in bytes: 2, 4, 8 */
    uint8_t seg;      /* enum insn_seg of the memory operand; for strings the one of rSI */
    uint8_t rep;      /* 0, 0xF2 or 0xF3: the last one */
    uint8_t rex;      /* 0 or the REX byte */
    bool lock;        /* legal wherever it is set */
    bool opsize16;    /* 66 was there: mandatory prefix of some 0F opcodes */
    bool mem;         /* has a memory operand by ModRM or moffs: seg, base ... disp hold */
    bool rip_rel;     /* the base is the next instruction's address */
    uint8_t reg;      /* ModRM.reg with REX.R, 0 to 15; as an opcode extension use reg & 7 */
    uint8_t rm;       /* ModRM.rm with REX.B when mem is not set */
    uint8_t base;     /* register or INSN_NONE; rSP and rBP made SS the default segment */
    uint8_t index;    /* register or INSN_NONE */
    uint8_t scale;    /* shift count of the index, 0 to 3 */
    int64_t disp;     /* displacement or moffs */
    int64_t imm;      /* first immediate, sign-extended (imm16 of RET, ENTER too) */
};

/*
 * Decodes the instruction at bytes[0]; reads at most `avail` and at most INSN_MAX bytes. *i is
 * valid for INSN_OK only. Any context, no locks.
 */
must_check enum insn_status insn_decode(struct insn *i, const uint8_t *bytes, unsigned avail,
                                        enum insn_mode mode);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle of insn/decode.c: Zydis. zydis_disagrees() holds one instruction against it, in length
 * and fields. What the two are allowed to differ in is listed in may_refuse() and reserved_form().
 */
#ifndef TESTS_UNIT_INSN_ZYDIS_H
#define TESTS_UNIT_INSN_ZYDIS_H

#include <Zydis/Zydis.h>

#include "arch/x86/insn/exec.h"

static uint64_t nop_base(void *ctx, enum insn_seg seg)
{
    return 0;
}

static int nop_read(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes, uint64_t *val)
{
    *val = 0;
    return 0;
}

static int nop_write(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes, uint64_t val)
{
    return 0;
}

/* Would insn_exec() carry it out? */
static inline bool exec_takes(const struct insn *i)
{
    static const struct insn_ops ops = {nop_base, nop_read, nop_write, NULL, NULL, NULL};
    uint64_t gpr[16] = {0};
    struct insn_cpu cpu = {.gpr = gpr, .ops = &ops};
    return insn_exec(i, &cpu, 1) >= 0;
}

static inline ZydisDecoder *zydis_decoder(enum insn_mode mode)
{
    static ZydisDecoder decoders[INSN_64 + 1];
    static const ZydisMachineMode machine[INSN_64 + 1] = {
        [INSN_16] = ZYDIS_MACHINE_MODE_LONG_COMPAT_16,
        [INSN_32] = ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
        [INSN_64] = ZYDIS_MACHINE_MODE_LONG_64,
    };
    static const ZydisStackWidth stack[INSN_64 + 1] = {
        [INSN_16] = ZYDIS_STACK_WIDTH_16,
        [INSN_32] = ZYDIS_STACK_WIDTH_32,
        [INSN_64] = ZYDIS_STACK_WIDTH_64,
    };
    static bool ready[INSN_64 + 1];
    if (!ready[mode]) {
        ZydisDecoderInit(&decoders[mode], machine[mode], stack[mode]);
        ZydisDecoderEnableMode(&decoders[mode], ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE);
        ZydisDecoderEnableMode(&decoders[mode], ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
        ready[mode] = true;
    }
    return &decoders[mode];
}

/* Zydis accepts it; may insn_decode() refuse? */
static inline bool may_refuse(enum insn_status status, const ZydisDecodedInstruction *z)
{
    bool legacy = z->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
    if (status == INSN_UNSUPPORTED)
        return !legacy || z->opcode_map > ZYDIS_OPCODE_MAP_0F ||
               z->mnemonic == ZYDIS_MNEMONIC_VMREAD || z->mnemonic == ZYDIS_MNEMONIC_VMWRITE ||
               z->mnemonic == ZYDIS_MNEMONIC_EXTRQ || z->mnemonic == ZYDIS_MNEMONIC_INSERTQ;
    return status == INSN_INVALID &&
           (z->mnemonic == ZYDIS_MNEMONIC_UD0 || z->mnemonic == ZYDIS_MNEMONIC_UD1 ||
            (z->meta.isa_set >= ZYDIS_ISA_SET_PADLOCK_ACE &&
             z->meta.isa_set <= ZYDIS_ISA_SET_PADLOCK_RNG));
}

/* Zydis refuses it; may insn_exec() take it? */
static inline bool reserved_form(const struct insn *i)
{
    return i->op == 0x0fc3 && i->opsize16; /* MOVNTI with 66 */
}

static inline int zydis_seg(ZydisRegister reg)
{
    return reg - ZYDIS_REGISTER_ES;
}

static inline unsigned zydis_reg(ZydisRegister reg)
{
    return reg == ZYDIS_REGISTER_NONE ? INSN_NONE : (unsigned)ZydisRegisterGetId(reg);
}

static inline const char *memory_disagrees(const struct insn *i, const ZydisDecodedInstruction *z,
                                           const ZydisDecodedOperand *o)
{
    bool rip = o->mem.base == ZYDIS_REGISTER_RIP || o->mem.base == ZYDIS_REGISTER_EIP;
    /* Zydis 4.0 names r13d where ModRM.mod = 0 and SIB.base = 5 say that there is no base. */
    bool none = o->mem.base == ZYDIS_REGISTER_R13D && z->raw.modrm.mod == 0;
    unsigned base = rip || none ? INSN_NONE : zydis_reg(o->mem.base);
    unsigned scale = o->mem.index == ZYDIS_REGISTER_NONE ? 0 : i->scale;
    if (i->rip_rel != rip || i->base != base)
        return "base";
    if (i->index != zydis_reg(o->mem.index) ||
        (o->mem.index != ZYDIS_REGISTER_NONE && o->mem.scale != 1u << scale))
        return "index";
    /* In 64-bit mode only FS and GS matter. */
    int seg = zydis_seg(o->mem.segment);
    if (i->mode == INSN_64 ? (i->seg >= INSN_FS || seg >= INSN_FS) && i->seg != seg : i->seg != seg)
        return "segment";
    return NULL;
}

/* The operands of an instruction that insn_exec() takes. */
static inline const char *operands_disagree(const struct insn *i, const ZydisDecodedInstruction *z,
                                            const ZydisDecodedOperand *ops)
{
    for (unsigned k = 0; k < z->operand_count_visible; k++) {
        const ZydisDecodedOperand *o = &ops[k];
        bool byte_form = i->op == 0x0fb6 || i->op == 0x0fbe;
        bool word_form = i->op == 0x0fb7 || i->op == 0x0fbf;
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            unsigned bytes = byte_form ? 1 : word_form ? 2 : i->opsize;
            if (i->op == 0x63 && bytes > 4)
                bytes = 4;
            if (o->size != 8 * bytes)
                return "memory size";
            const char *why = i->mem ? memory_disagrees(i, z, o) : NULL;
            if (why)
                return why;
        } else if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            if (o->size != 8 * i->opsize)
                return "register size";
            ZydisRegister r = o->reg.value;
            unsigned id = zydis_reg(r);
            if (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH)
                id = (unsigned)(4 + r - ZYDIS_REGISTER_AH);
            else if (r >= ZYDIS_REGISTER_SPL && r <= ZYDIS_REGISTER_R15B)
                id = (unsigned)(4 + r - ZYDIS_REGISTER_SPL);
            else if (r <= ZYDIS_REGISTER_BL)
                id = (unsigned)(r - ZYDIS_REGISTER_AL);
            if (i->mem && id != i->reg)
                return "register";
        }
    }
    return NULL;
}

static inline const char *fields_disagree(const struct insn *i, const ZydisDecodedInstruction *z)
{
    bool lock = z->attributes & ZYDIS_ATTRIB_HAS_LOCK;
    if (i->len != z->length)
        return "length";
    if (i->op != (z->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT ? z->opcode
                  : z->opcode_map == ZYDIS_OPCODE_MAP_0F    ? 0x0f00 | z->opcode
                                                            : 0x3800 | z->opcode))
        return "opcode";
    if (i->lock != lock)
        return "lock";
    if (z->attributes & ZYDIS_ATTRIB_HAS_MODRM) {
        if ((i->reg & 7) != z->raw.modrm.reg && !lock)
            return "modrm.reg";
        if (!i->mem && (i->rm & 7) != z->raw.modrm.rm)
            return "modrm.rm";
    }
    bool moffs = i->op >= 0xa0 && i->op <= 0xa3; /* Zydis sign-extends it */
    if (z->raw.disp.size && i->disp != z->raw.disp.value &&
        (!moffs || (uint64_t)(i->disp ^ z->raw.disp.value) << (64 - 8 * i->addrsize)))
        return "displacement";
    if (i->mem && i->addrsize * 8 != z->address_width)
        return "address size";
    unsigned size = z->raw.imm[0].size;
    uint64_t mask = size ? ~0ULL >> (64 - size) : 0;
    if (size && (((uint64_t)i->imm ^ z->raw.imm[0].value.u) & mask))
        return "immediate";
    return NULL;
}

/* The reason of a disagreement, or NULL. `n` bytes at `bytes` are the instruction or more. */
static inline const char *zydis_disagrees(const uint8_t *bytes, unsigned n, enum insn_mode mode)
{
    ZydisDecoderContext ctx;
    ZydisDecodedInstruction z;
    struct insn i;
    enum insn_status status = insn_decode(&i, bytes, n, mode);
    ZyanStatus zs = ZydisDecoderDecodeInstruction(zydis_decoder(mode), &ctx, bytes, n, &z);

    if (zs == ZYDIS_STATUS_NO_MORE_DATA || zs == ZYDIS_STATUS_INSTRUCTION_TOO_LONG)
        return status == INSN_OK ? "accepts what is incomplete" : NULL;
    if (!ZYAN_SUCCESS(zs))
        return status == INSN_OK && exec_takes(&i) && !reserved_form(&i)
                   ? "executes what is invalid"
                   : NULL;
    if (status != INSN_OK)
        return may_refuse(status, &z) ? NULL : "refuses";
    const char *why = fields_disagree(&i, &z);
    if (why || !exec_takes(&i))
        return why;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeOperands(zydis_decoder(mode), &ctx, &z, ops, z.operand_count)))
        return "operands not decoded";
    return operands_disagree(&i, &z, ops);
}

#endif

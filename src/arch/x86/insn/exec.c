/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruction executor (AMD APM vol. 3, ch. 3). An instruction is: read the memory operand, compute
 * (struct work in, struct work out), write it back, then commit register and flags. Strings are a
 * loop of their own.
 */
#include "arch/x86/insn/exec.h"
#include "arch/x86/insn/alu.h"
#include "abi/xen.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* AH, CH, DH, BH: byte registers 4 to 7 of an instruction without REX. */
static bool is_high_byte(const struct insn *i, unsigned n, unsigned bytes)
{
    return bytes == 1 && n >= 4 && n < 8 && !i->rex;
}

static uint64_t reg_read(const struct insn *i, const struct insn_cpu *cpu, unsigned n,
                         unsigned bytes)
{
    if (is_high_byte(i, n, bytes))
        return (cpu->gpr[n & 3] >> 8) & 0xff;
    return zero_extend(cpu->gpr[n & 15], bytes);
}

static void reg_write(const struct insn *i, struct insn_cpu *cpu, unsigned n, unsigned bytes,
                      uint64_t v)
{
    uint64_t *r = &cpu->gpr[is_high_byte(i, n, bytes) ? n & 3 : n & 15];
    if (is_high_byte(i, n, bytes))
        *r = (*r & ~0xff00ULL) | (v & 0xff) << 8;
    else if (bytes < 4)
        *r = (*r & ~zero_extend(~0ULL, bytes)) | zero_extend(v, bytes);
    else
        *r = zero_extend(v, bytes);
}

static uint64_t to_linear(const struct insn *i, const struct insn_cpu *cpu, enum insn_seg seg,
                          uint64_t offset)
{
    uint64_t linear = zero_extend(offset, i->addrsize);
    if (i->mode != INSN_64)
        return zero_extend(linear + cpu->ops->seg_base(cpu->ctx, seg), 4);
    return seg >= INSN_FS ? linear + cpu->ops->seg_base(cpu->ctx, seg) : linear;
}

static uint64_t effective(const struct insn *i, const struct insn_cpu *cpu)
{
    uint64_t ea = (uint64_t)i->disp;
    if (i->rip_rel)
        ea += cpu->rip + i->len;
    if (i->base != INSN_NONE)
        ea += cpu->gpr[i->base & 15];
    if (i->index != INSN_NONE)
        ea += cpu->gpr[i->index & 15] << i->scale;
    return ea;
}

uint64_t insn_linear(const struct insn *i, const struct insn_cpu *cpu)
{
    return to_linear(i, cpu, i->seg, effective(i, cpu));
}

/* What an instruction with a memory operand does. */
enum kind {
    K_STORE,
    K_STORE_IMM,
    K_STORE_SWAPPED,
    K_LOAD,
    K_LOAD_SIGNED,
    K_LOAD_SWAPPED,
    K_ALU,
    K_ALU_IMM,
    K_TEST,
    K_UNARY, /* TEST imm, NOT, NEG */
    K_INCDEC,
    K_SETCC,
    K_XCHG,
    K_XADD,
    K_CMPXCHG,
    K_BIT_REG,
    K_BIT_IMM,
    K_STRING,
    K_PORT_STRING,
};

enum {
    READS = 1,  /* the memory operand is read */
    NO_16 = 2,  /* not with operand size 2 */
    NO_REP = 4, /* not with F2 or F3: that would be another instruction */
    LONG = 8,   /* in 64-bit mode; elsewhere the opcode is another instruction */
};

struct row {
    uint16_t first, last; /* struct insn's op */
    uint8_t kind;
    uint8_t flags;
    uint8_t exts;      /* bit n: ModRM.reg & 7 may be n */
    uint8_t max_bytes; /* the memory operand has the operand size, but no more than this */
};

/* Searched from the top; what drivers use on device memory comes first. */
static const struct row rows[] = {
    {0x0088, 0x0089, K_STORE, 0, 0xff, 8},
    {0x008a, 0x008b, K_LOAD, READS, 0xff, 8},
    {0x00c6, 0x00c7, K_STORE_IMM, 0, 0x01, 8},
    {0x0fb6, 0x0fb6, K_LOAD, READS, 0xff, 1},
    {0x0fb7, 0x0fb7, K_LOAD, READS, 0xff, 2},
    {0x0000, 0x003f, K_ALU, READS, 0xff, 8},
    {0x0080, 0x0083, K_ALU_IMM, READS, 0xff, 8},
    {0x0084, 0x0085, K_TEST, READS, 0xff, 8},
    {0x0086, 0x0087, K_XCHG, READS, 0xff, 8},
    {0x00a0, 0x00a1, K_LOAD, READS, 0xff, 8},
    {0x00a2, 0x00a3, K_STORE, 0, 0xff, 8},
    {0x00f6, 0x00f7, K_UNARY, READS, 0x0f, 8},
    {0x00fe, 0x00ff, K_INCDEC, READS, 0x03, 8},
    {0x0063, 0x0063, K_LOAD_SIGNED, READS | NO_16 | LONG, 0xff, 4},
    {0x0fbe, 0x0fbe, K_LOAD_SIGNED, READS, 0xff, 1},
    {0x0fbf, 0x0fbf, K_LOAD_SIGNED, READS, 0xff, 2},
    {0x0fba, 0x0fba, K_BIT_IMM, READS, 0xf0, 8},
    {0x0fa3, 0x0fa3, K_BIT_REG, READS, 0xff, 8},
    {0x0fab, 0x0fab, K_BIT_REG, READS, 0xff, 8},
    {0x0fb3, 0x0fb3, K_BIT_REG, READS, 0xff, 8},
    {0x0fbb, 0x0fbb, K_BIT_REG, READS, 0xff, 8},
    {0x0fb0, 0x0fb1, K_CMPXCHG, READS, 0xff, 8},
    {0x0fc0, 0x0fc1, K_XADD, READS, 0xff, 8},
    {0x0fc3, 0x0fc3, K_STORE, NO_16 | NO_REP, 0xff, 8},
    {0x0f90, 0x0f9f, K_SETCC, 0, 0xff, 1},
    {0x38f0, 0x38f0, K_LOAD_SWAPPED, READS | NO_REP, 0xff, 8},
    {0x38f1, 0x38f1, K_STORE_SWAPPED, NO_REP, 0xff, 8},
    {0x00a4, 0x00a7, K_STRING, 0, 0xff, 8},
    {0x00aa, 0x00af, K_STRING, 0, 0xff, 8},
    {0x006c, 0x006f, K_PORT_STRING, 0, 0xff, 8},
};

static bool row_fits(const struct row *r, const struct insn *i, const struct insn_cpu *cpu)
{
    if (r->kind == K_PORT_STRING)
        return cpu->ops->in;
    return (i->mem || r->kind == K_STRING) && (r->exts >> (i->reg & 7) & 1) &&
           !((r->flags & NO_16) && i->opsize == 2) && !((r->flags & NO_REP) && i->rep) &&
           !((r->flags & LONG) && i->mode != INSN_64);
}

/* NULL: not supported. */
static const struct row *find_row(const struct insn *i, const struct insn_cpu *cpu)
{
    for (const struct row *r = rows; r < rows + ARRAY_SIZE(rows); r++)
        if (i->op >= r->first && i->op <= r->last)
            return row_fits(r, i, cpu) ? r : NULL;
    return NULL;
}

struct work {
    uint64_t mem, reg; /* operands; compute() leaves the results here */
    uint64_t flags;
    unsigned n;     /* number of the register */
    unsigned bytes; /* of the memory operand */
    bool store;     /* mem is to be written */
    bool load;      /* reg is to be written */
};

/* The first operand is the memory operand except in the forms `reg, mem`. */
static void compute_alu(const struct insn *i, struct work *w)
{
    enum alu_op op = (i->op >> 3) & 7;
    bool to_reg = i->op & 2;
    uint64_t r = alu(op, to_reg ? w->reg : w->mem, to_reg ? w->mem : w->reg, w->bytes, &w->flags);
    if (to_reg)
        w->reg = r;
    else
        w->mem = r;
    w->load = op != ALU_CMP && to_reg;
    w->store = op != ALU_CMP && !to_reg;
}

static void compute_unary(const struct insn *i, struct work *w)
{
    unsigned ext = i->reg & 7;
    w->store = ext >= 2;
    if (ext < 2)
        alu(ALU_AND, w->mem, (uint64_t)i->imm, w->bytes, &w->flags);
    else if (ext == 2)
        w->mem = ~w->mem;
    else
        w->mem = alu(ALU_SUB, 0, w->mem, w->bytes, &w->flags);
}

/* BT, BTS, BTR, BTC: which = 0 to 3. The flags that the manual leaves undefined stay. */
static void compute_bit(unsigned which, uint64_t offset, struct work *w)
{
    uint64_t bit = 1ULL << (offset & (8 * w->bytes - 1));
    w->flags = (w->flags & ~CF) | (w->mem & bit ? CF : 0);
    w->store = which != 0;
    if (which == 1)
        w->mem |= bit;
    else if (which == 2)
        w->mem &= ~bit;
    else
        w->mem ^= bit;
}

/* What does not match is written back as it was, as the CPU does. */
static void compute_cmpxchg(uint64_t expected, struct work *w)
{
    alu(ALU_CMP, expected, w->mem, w->bytes, &w->flags);
    w->store = true;
    w->load = !(w->flags & ZF);
    if (w->load)
        w->n = RAX;
    uint64_t old = w->mem;
    w->mem = w->load ? old : w->reg;
    w->reg = old;
}

static void compute(enum kind kind, const struct insn *i, const struct insn_cpu *cpu,
                    struct work *w)
{
    uint64_t old = w->mem;
    switch (kind) {
    case K_STORE:
        w->mem = w->reg;
        w->store = true;
        break;
    case K_STORE_IMM:
        w->mem = (uint64_t)i->imm;
        w->store = true;
        break;
    case K_STORE_SWAPPED:
        w->mem = swap_bytes(w->reg, w->bytes);
        w->store = true;
        break;
    case K_LOAD:
        w->reg = old;
        w->load = true;
        break;
    case K_LOAD_SIGNED:
        w->reg = sign_extend(old, w->bytes);
        w->load = true;
        break;
    case K_LOAD_SWAPPED:
        w->reg = swap_bytes(old, w->bytes);
        w->load = true;
        break;
    case K_ALU:
        compute_alu(i, w);
        break;
    case K_ALU_IMM:
        w->mem = alu(i->reg & 7, old, (uint64_t)i->imm, w->bytes, &w->flags);
        w->store = (i->reg & 7) != ALU_CMP;
        break;
    case K_TEST:
        alu(ALU_AND, old, w->reg, w->bytes, &w->flags);
        break;
    case K_UNARY:
        compute_unary(i, w);
        break;
    case K_INCDEC:
        w->mem = alu(i->reg & 7 ? ALU_SUB : ALU_ADD, old, 1, w->bytes, &w->flags);
        w->flags = (w->flags & ~CF) | (cpu->rflags & CF);
        w->store = true;
        break;
    case K_SETCC:
        w->mem = condition(i->op & 15, w->flags);
        w->store = true;
        break;
    case K_XADD:
        w->mem = alu(ALU_ADD, old, w->reg, w->bytes, &w->flags);
        w->reg = old;
        w->store = w->load = true;
        break;
    case K_XCHG:
        w->mem = w->reg;
        w->reg = old;
        w->store = w->load = true;
        break;
    case K_CMPXCHG:
        compute_cmpxchg(reg_read(i, cpu, RAX, w->bytes), w);
        break;
    case K_BIT_REG:
        compute_bit((i->op >> 3) & 3, w->reg, w);
        break;
    case K_BIT_IMM:
        compute_bit(i->reg & 3, (uint64_t)i->imm, w);
        break;
    default:
        break;
    }
}

static int exec_memory(const struct insn *i, struct insn_cpu *cpu, const struct row *row)
{
    struct work w = {.flags = cpu->rflags, .n = i->reg};
    w.bytes = i->opsize < row->max_bytes ? i->opsize : row->max_bytes;
    w.reg = reg_read(i, cpu, w.n, i->opsize);

    uint64_t offset = effective(i, cpu);
    if (row->kind == K_BIT_REG) {
        int64_t bits = (int64_t)sign_extend(w.reg, w.bytes);
        offset += (uint64_t)((bits >> 3) & -(int64_t)w.bytes);
    }
    uint64_t linear = to_linear(i, cpu, i->seg, offset);
    int rc = 0;
    if (row->flags & READS)
        rc = cpu->ops->read(cpu->ctx, i->seg, linear, w.bytes, &w.mem);
    if (rc)
        return rc;
    w.mem = zero_extend(w.mem, w.bytes);
    compute(row->kind, i, cpu, &w);
    if (w.store)
        rc = cpu->ops->write(cpu->ctx, i->seg, linear, w.bytes, zero_extend(w.mem, w.bytes));
    if (rc)
        return rc;
    if (w.load)
        reg_write(i, cpu, w.n, i->opsize, w.reg);
    cpu->rflags = w.flags;
    return INSN_DONE;
}

/* The string instructions, by op & ~1. */
enum {
    S_INS = 0x6c,
    S_OUTS = 0x6e,
    S_MOVS = 0xa4,
    S_CMPS = 0xa6,
    S_STOS = 0xaa,
    S_LODS = 0xac,
    S_SCAS = 0xae,
};

/* One iteration's effects but for the steps of rSI, rDI and rCX. */
static int string_once(const struct insn *i, struct insn_cpu *cpu)
{
    unsigned what = i->op & 0xfe, bytes = i->opsize;
    const struct insn_ops *ops = cpu->ops;
    uint64_t dst = to_linear(i, cpu, INSN_ES, cpu->gpr[RDI]);
    uint64_t val = reg_read(i, cpu, RAX, bytes), other = 0;
    uint16_t port = (uint16_t)cpu->gpr[RDX];
    int rc = 0;

    if (what == S_INS) {
        rc = ops->probe(cpu->ctx, INSN_ES, dst, bytes);
        if (!rc)
            rc = ops->in(cpu->ctx, port, bytes, &val);
    } else if (what != S_STOS && what != S_SCAS) {
        uint64_t src = to_linear(i, cpu, i->seg, cpu->gpr[RSI]);
        rc = ops->read(cpu->ctx, i->seg, src, bytes, &val);
    }
    if (rc)
        return rc;
    val = zero_extend(val, bytes);
    switch (what) {
    case S_OUTS:
        return ops->out(cpu->ctx, port, bytes, val);
    case S_LODS:
        reg_write(i, cpu, RAX, bytes, val);
        return 0;
    case S_CMPS:
    case S_SCAS:
        rc = ops->read(cpu->ctx, INSN_ES, dst, bytes, &other);
        if (!rc)
            alu(ALU_CMP, val, zero_extend(other, bytes), bytes, &cpu->rflags);
        return rc;
    default:
        return ops->write(cpu->ctx, INSN_ES, dst, bytes, val);
    }
}

static int exec_string(const struct insn *i, struct insn_cpu *cpu, unsigned bound)
{
    unsigned what = i->op & 0xfe;
    bool compares = what == S_CMPS || what == S_SCAS;
    bool uses_src = what == S_MOVS || what == S_CMPS || what == S_LODS || what == S_OUTS;
    bool uses_dst = what != S_LODS && what != S_OUTS;
    uint64_t step = cpu->rflags & DF ? 0 - (uint64_t)i->opsize : i->opsize;

    if (i->rep && zero_extend(cpu->gpr[RCX], i->addrsize) == 0)
        return INSN_DONE;
    do {
        int rc = string_once(i, cpu);
        if (rc)
            return rc;
        if (uses_src)
            reg_write(i, cpu, RSI, i->addrsize, cpu->gpr[RSI] + step);
        if (uses_dst)
            reg_write(i, cpu, RDI, i->addrsize, cpu->gpr[RDI] + step);
        if (!i->rep)
            return INSN_DONE;
        reg_write(i, cpu, RCX, i->addrsize, cpu->gpr[RCX] - 1);
        if (zero_extend(cpu->gpr[RCX], i->addrsize) == 0)
            return INSN_DONE;
        if (compares && !(cpu->rflags & ZF) == (i->rep == 0xf3))
            return INSN_DONE;
    } while (bound-- > 1);
    return INSN_AGAIN;
}

int insn_exec(const struct insn *i, struct insn_cpu *cpu, unsigned bound)
{
    const struct row *row = find_row(i, cpu);
    if (!row)
        return -XEN_EOPNOTSUPP;
    return row->kind >= K_STRING ? exec_string(i, cpu, bound) : exec_memory(i, cpu, row);
}

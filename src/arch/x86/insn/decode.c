/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruction decoder (AMD APM vol. 3: ch. 1 for the encoding, appendix A for the opcode maps).
 * Two tables say per opcode what follows it and how its operand size is found; the irregular
 * encodings are in the code.
 */
#include "arch/x86/insn/decode.h"

/* What follows the opcode. */
enum {
    M = 1 << 0,    /* ModRM */
    B = 1 << 1,    /* byte operand */
    P = 1 << 2,    /* port access: at most 4 bytes */
    R = 1 << 3,    /* ModRM.mod is ignored: registers; 8 bytes in 64-bit mode, else 4 */
    D = 1 << 4,    /* operand size defaults to 8 in 64-bit mode */
    N = 1 << 5,    /* not in 64-bit mode */
    U = 1 << 6,    /* not known here */
    X = 1 << 7,    /* undefined */
    IB = 1 << 8,   /* immediate of one byte */
    IZ = 2 << 8,   /* of the operand size, at most 4 bytes */
    IV = 3 << 8,   /* of the operand size */
    IW = 4 << 8,   /* two bytes */
    IWB = 5 << 8,  /* two bytes and one */
    FAR = 6 << 8,  /* IZ and two bytes */
    OFFS = 7 << 8, /* memory offset of the address size */
    IMM = 7 << 8,
    S = 1 << 11, /* see special() */
    E = 1 << 12, /* prefix or escape */
};

/* clang-format off */
#define MB   M|B
#define MBI  M|B|IB
#define MI   M|IB
#define BI   B|IB
#define DI   D|IB
#define DZ   D|IZ
#define ALU  MB, M, MB, M, BI, IZ
#define X4(a) a, a, a, a
#define X8(a) X4(a), X4(a)

static const uint16_t map_one[256] = {
    /* 00 */ ALU, N, N,                                ALU, N, E,
    /* 10 */ ALU, N, N,                                ALU, N, N,
    /* 20 */ ALU, E, N,                                ALU, E, N,
    /* 30 */ ALU, E, N,                                ALU, E, N,
    /* 40 */ X8(0),                                    X8(0),
    /* 50 */ X8(D),                                    X8(D),
    /* 60 */ N, N, M|S, M, E, E, E, E,                 DZ, M|IZ, DI, MI, B|P, P, B|P, P,
    /* 70 */ X8(DI),                                   X8(DI),
    /* 80 */ MBI, M|IZ, MBI|N, MI, MB, M, MB, M,       MB, M, MB, M, M, M, M, M|D|S,
    /* 90 */ X8(0),                                    0, 0, FAR|N, 0, D, D, 0, 0,
    /* a0 */ OFFS|B, OFFS, OFFS|B, OFFS, B, 0, B, 0,   BI, IZ, B, 0, B, 0, B, 0,
    /* b0 */ X8(BI),                                   X8(IV),
    /* c0 */ MBI, MI, D|IW, D, M|S, M|S, MBI, M|IZ,    D|IWB, D, IW, 0, 0, IB, N, 0,
    /* d0 */ MB, M, MB, M, IB|N, IB|N, N, B,           X8(M),
    /* e0 */ X4(DI), BI|P, IB|P, BI|P, IB|P,           DZ, DZ, FAR|N, DI, B|P, P, B|P, P,
    /* f0 */ E, 0, E, E, 0, 0, MB|S, M|S,              0, 0, 0, 0, 0, 0, MB, M|S,
};

static const uint16_t map_0f[256] = {
    /* 00 */ M, M, M, M, X, 0, 0, 0,                   0, 0, X, 0, X, M, 0, U,
    /* 10 */ X8(M),                                    X8(M),
    /* 20 */ X4(M|R), X4(X),                           X8(M),
    /* 30 */ 0, 0, 0, 0, 0, 0, X, 0,                   U, X, U, X, X4(X),
    /* 40 */ X8(M),                                    X8(M),
    /* 50 */ X8(M),                                    X8(M),
    /* 60 */ X8(M),                                    X8(M),
    /* 70 */ MI, MI, MI, MI, M, M, M, 0,               U, U, X, X, X4(M),
    /* 80 */ X8(DZ),                                   X8(DZ),
    /* 90 */ X8(MB),                                   X8(MB),
    /* a0 */ D, D, 0, M, MI, M, X, X,                  D, D, 0, M, MI, M, M, M,
    /* b0 */ MB, M, M, M, M, M, M, M,                  M, X, MI, M, M, M, M, M,
    /* c0 */ MB, M, MI, M, MI, MI, MI, M,              X8(0),
    /* d0 */ X8(M),                                    X8(M),
    /* e0 */ X8(M),                                    X8(M),
    /* f0 */ X8(M),                                    X4(M), M, M, M, X,
};
/* clang-format on */

/*
 * A copy of the bytes, then zeroes, which end every instruction: taking needs no check, pos is
 * checked at the end. The most that can be taken: 16 by take_prefixes(), 2 of opcode, ModRM, SIB, 4
 * of displacement, 8 of immediate.
 */
struct cursor {
    uint8_t bytes[40];
    unsigned pos;
};

static void cursor_init(struct cursor *c, const uint8_t *bytes, unsigned avail)
{
    *c = (struct cursor){.pos = 0};
    if (likely(avail == INSN_MAX))
        __builtin_memcpy(c->bytes, bytes, INSN_MAX);
    else
        for (unsigned k = 0; k < avail; k++)
            c->bytes[k] = bytes[k];
}

/* 0 < n <= 8. */
static inline uint64_t take(struct cursor *c, unsigned n)
{
    uint64_t v;
    __builtin_memcpy(&v, &c->bytes[c->pos], sizeof(v));
    c->pos += n;
    return v & (~0ULL >> (64 - 8 * n));
}

static inline int64_t take_signed(struct cursor *c, unsigned n)
{
    unsigned unused = 64 - 8 * n;
    return (int64_t)(take(c, n) << unused) >> unused;
}

/* Returns the byte after the prefixes. A REX counts only directly before the opcode. */
static uint8_t take_prefixes(struct cursor *c, struct insn *i)
{
    for (;;) {
        uint8_t b = (uint8_t)take(c, 1);
        if (i->mode == INSN_64 && (b & 0xf0) == 0x40) {
            i->rex = b;
            continue;
        }
        if (!(map_one[b] & E))
            return b;
        switch (b) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
            if (i->mode != INSN_64)
                i->seg = (b >> 3) & 3;
            break;
        case 0x64:
        case 0x65:
            i->seg = b & 7;
            break;
        case 0x66:
            i->opsize16 = true;
            break;
        case 0x67:
            i->addrsize = i->mode == INSN_32 ? 2 : 4;
            break;
        case 0xf0:
            i->lock = true;
            break;
        case 0xf2:
        case 0xf3:
            i->rep = b;
            break;
        default:
            return b;
        }
        i->rex = 0;
    }
}

/* Attributes that depend on the ModRM byte. */
static unsigned special(const struct insn *i, uint8_t modrm, unsigned attr)
{
    switch (i->op) {
    case 0x62: /* EVEX */
    case 0xc4: /* VEX */
    case 0xc5:
        return i->mode == INSN_64 || modrm >= 0xc0 ? U : attr;
    case 0x8f: /* XOP */
        return (modrm & 0x1f) >= 8 ? U : attr;
    case 0xf6: /* TEST */
        return (modrm & 0x30) == 0 ? attr | IB : attr;
    case 0xf7:
        return (modrm & 0x30) == 0 ? attr | IZ : attr;
    default: /* FF: near CALL and JMP, PUSH */
        return !(modrm & 8) && (modrm & 0x30) ? attr | D : attr;
    }
}

/* Base, index and displacement of 16-bit addressing. */
static void take_memory16(struct cursor *c, struct insn *i, unsigned mod, unsigned rm)
{
    static const uint8_t base[8] = {3, 3, 5, 5, 6, 7, 5, 3};
    static const uint8_t index[8] = {6, 7, 6, 7, INSN_NONE, INSN_NONE, INSN_NONE, INSN_NONE};

    bool no_base = mod == 0 && rm == 6;
    i->base = no_base ? INSN_NONE : base[rm];
    i->index = index[rm];
    if (mod == 1)
        i->disp = take_signed(c, 1);
    else if (mod == 2 || no_base)
        i->disp = take_signed(c, 2);
}

/* The same, with SIB, of 32- and 64-bit addressing. */
static void take_memory(struct cursor *c, struct insn *i, unsigned mod, unsigned rm)
{
    i->base = i->rm;
    if (rm == 4) {
        uint8_t sib = (uint8_t)take(c, 1);
        uint8_t index = (uint8_t)(((sib >> 3) & 7) | (i->rex & 2) << 2);
        i->base = (uint8_t)((sib & 7) | (i->rex & 1) << 3);
        i->index = index == 4 ? INSN_NONE : index;
        i->scale = sib >> 6;
    }
    bool no_base = mod == 0 && (i->base & 7) == 5;
    if (no_base) {
        i->base = INSN_NONE;
        i->rip_rel = rm == 5 && i->mode == INSN_64;
    }
    if (mod == 1)
        i->disp = take_signed(c, 1);
    else if (mod == 2 || no_base)
        i->disp = take_signed(c, 4);
}

static void take_operands(struct cursor *c, struct insn *i, uint8_t modrm, unsigned attr)
{
    unsigned mod = modrm >> 6, rm = modrm & 7;
    i->reg = (uint8_t)(((modrm >> 3) & 7) | (i->rex & 4) << 1);
    i->rm = (uint8_t)((modrm & 7) | (i->rex & 1) << 3);
    if (mod == 3 || (attr & R))
        return;
    i->mem = true;
    if (i->addrsize == 2)
        take_memory16(c, i, mod, rm);
    else
        take_memory(c, i, mod, rm);
}

static void take_immediate(struct cursor *c, struct insn *i, unsigned attr)
{
    unsigned z = i->opsize == 2 ? 2 : 4;
    switch (attr & IMM) {
    case IB:
        i->imm = take_signed(c, 1);
        break;
    case IZ:
        i->imm = take_signed(c, z);
        break;
    case IV:
        i->imm = take_signed(c, i->opsize);
        break;
    case IW:
        i->imm = take_signed(c, 2);
        break;
    case IWB:
        i->imm = take_signed(c, 2);
        take(c, 1);
        break;
    case FAR:
        i->imm = take_signed(c, z);
        take(c, 2);
        break;
    case OFFS:
        i->mem = true;
        i->disp = (int64_t)take(c, i->addrsize);
        break;
    default:
        break;
    }
}

static uint8_t operand_size(const struct insn *i, unsigned attr)
{
    if (attr & B)
        return 1;
    if (attr & R)
        return i->mode == INSN_64 ? 8 : 4;
    if (i->rex & 8)
        return attr & P ? 4 : 8;
    if (i->mode == INSN_64 && (attr & D))
        return i->opsize16 ? 2 : 8;
    return (i->mode == INSN_16) == i->opsize16 ? 4 : 2;
}

/* LOCK is for instructions that modify memory, and names CR8 in a MOV of CR0 (AltMovCr8). */
static bool lock_legal(const struct insn *i)
{
    unsigned ext = i->reg & 7;
    switch (i->op) {
    case 0x00 ... 0x37:
        return i->mem && (i->op & 6) == 0;
    case 0x80 ... 0x83:
        return i->mem && ext != 7;
    case 0x86 ... 0x87:
    case 0x0fb0 ... 0x0fb1:
    case 0x0fc0 ... 0x0fc1:
    case 0x0fab:
    case 0x0fb3:
    case 0x0fbb:
        return i->mem;
    case 0xf6 ... 0xf7:
        return i->mem && (ext == 2 || ext == 3);
    case 0xfe ... 0xff:
        return i->mem && ext < 2;
    case 0x0fba:
        return i->mem && ext > 4;
    case 0x0fc7:
        return i->mem && ext == 1;
    case 0x0f20:
    case 0x0f22:
        return i->reg == 0;
    default:
        return false;
    }
}

/* Sets i->op and returns its attributes. */
static unsigned take_opcode(struct cursor *c, struct insn *i)
{
    i->op = take_prefixes(c, i);
    if (i->op != 0x0f)
        return map_one[i->op];
    uint8_t op = (uint8_t)take(c, 1);
    i->op = 0x0f00 | op;
    if (op != 0x38)
        return map_0f[op];
    /* 0F 38: INVEPT, INVVPID, INVPCID; MOVBE and CRC32. */
    op = (uint8_t)take(c, 1);
    i->op = 0x3800 | op;
    return (op >= 0x80 && op <= 0x82) || op == 0xf0 || op == 0xf1 ? M : U;
}

enum insn_status insn_decode(struct insn *i, const uint8_t *bytes, unsigned avail,
                             enum insn_mode mode)
{
    struct cursor c;
    avail = min(avail, (unsigned)INSN_MAX);
    cursor_init(&c, bytes, avail);
    *i = (struct insn){.mode = (uint8_t)mode,
                       .addrsize = (uint8_t)mode,
                       .seg = INSN_NONE,
                       .base = INSN_NONE,
                       .index = INSN_NONE};

    unsigned attr = take_opcode(&c, i);
    uint8_t modrm = attr & M ? (uint8_t)take(&c, 1) : 0;
    if (attr & S)
        attr = special(i, modrm, attr);
    bool known = !(attr & (U | X)) && !((attr & N) && mode == INSN_64);
    if (likely(known)) {
        i->opsize = operand_size(i, attr);
        if (attr & M)
            take_operands(&c, i, modrm, attr);
        if (attr & IMM)
            take_immediate(&c, i, attr);
    }
    if (c.pos > avail)
        return avail < INSN_MAX ? INSN_MORE : INSN_TOO_LONG;
    if (!known)
        return attr & U ? INSN_UNSUPPORTED : INSN_INVALID;
    if (i->lock && !lock_legal(i))
        return INSN_INVALID;
    if (i->lock && (attr & R))
        i->reg = 8;
    if (i->seg == INSN_NONE)
        i->seg = i->base == 4 || i->base == 5 ? INSN_SS : INSN_DS;
    i->len = (uint8_t)c.pos;
    return INSN_OK;
}

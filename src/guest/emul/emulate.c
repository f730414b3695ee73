/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks of insn/exec.c for a guest: see emulate.h. An access that crosses a page is cut in two;
 * both halves are translated before either has an effect.
 */
#include "guest/emul/emulate.h"

#include "guest/access.h"
#include "arch/x86/insn/exec.h"

#include "lib/string.h"

#define VEC_GP    13
#define REP_BOUND 64u

struct emulation {
    struct vcpu *v;
    const struct insn *insn;
    const struct emulate_hint *hint;
    struct guest_fault fault; /* when a hook said -XEN_EFAULT */
    bool gp;                  /* it is #GP(0) instead */
    bool have_segs;
    struct vcpu_segs segs;
};

struct piece {
    gpa_t gpa;
    unsigned int bytes; /* 0: not there */
    bool ram;
};

static uint64_t emul_seg_base(void *ctx, enum insn_seg seg)
{
    struct emulation *e = ctx;

    if (!e->have_segs)
        virt->get_segs(e->v, &e->segs);
    e->have_segs = true;
    return e->segs.seg[seg].base; /* enum vcpu_seg has the same order */
}
BUILD_BUG_ON((int)INSN_ES != (int)SEG_ES || (int)INSN_GS != (int)SEG_GS);

static bool canonical(uint64_t linear)
{
    return (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
}

/* The hint holds for the only memory operand of an instruction, at the same place in the page. */
static bool hint_applies(const struct emulation *e, uint64_t linear, bool write)
{
    return e->hint && e->insn->mem && (!write || e->hint->write) &&
           !((e->hint->gpa.v ^ linear) & ~PAGE_MASK);
}

static int emul_piece(struct emulation *e, uint64_t linear, unsigned int bytes, bool write,
                      struct piece *p)
{
    int rc;

    p->bytes = bytes;
    if (hint_applies(e, linear, write)) {
        p->gpa = e->hint->gpa;
        p->ram = e->hint->memory;
        return 0;
    }
    rc = guest_emul_translate(e->v, linear, write, false, &p->gpa, &e->fault);
    p->ram = !rc;
    return rc == -XEN_ENOENT ? 0 : rc;
}

static int emul_translate(struct emulation *e, uint64_t linear, unsigned int bytes, bool write,
                          struct piece p[2])
{
    unsigned int room = (unsigned int)(PAGE_SIZE - (linear & ~PAGE_MASK));
    unsigned int first = min(bytes, room);
    uint64_t next = linear + first;
    int rc;

    p[1].bytes = 0;
    if (e->insn->mode == INSN_64 && !canonical(linear)) {
        e->gp = true;
        return -XEN_EFAULT;
    }
    rc = emul_piece(e, linear, first, write, &p[0]);
    if (rc || first == bytes)
        return rc;
    if (e->insn->mode != INSN_64)
        next = (uint32_t)next;
    return emul_piece(e, next, bytes - first, write, &p[1]);
}

/* Devices see whole accesses of 1, 2, 4, 8 bytes; what is left of one cut at a page's end goes
 * byte by byte. */
static unsigned int bus_unit(unsigned int bytes)
{
    return bytes & (bytes - 1) ? 1 : bytes;
}

static void piece_read(struct vcpu *v, const struct piece *p, uint8_t *dst)
{
    unsigned int unit = bus_unit(p->bytes);

    if (p->ram && !gpa_read(v->domain, dst, p->gpa, p->bytes))
        return;
    for (unsigned int i = 0; i < p->bytes; i += unit) {
        uint64_t val = bus_read(v, BUS_MMIO, p->gpa.v + i, unit);

        memcpy(dst + i, &val, unit);
    }
}

static void piece_write(struct vcpu *v, const struct piece *p, const uint8_t *src)
{
    unsigned int unit = bus_unit(p->bytes);

    if (p->ram && !gpa_write(v->domain, p->gpa, src, p->bytes))
        return;
    for (unsigned int i = 0; i < p->bytes; i += unit) {
        uint64_t val = 0;

        memcpy(&val, src + i, unit);
        bus_write(v, BUS_MMIO, p->gpa.v + i, unit, val);
    }
}

static int emul_read(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes, uint64_t *val)
{
    struct emulation *e = ctx;
    uint8_t buf[sizeof(*val)] = {0};
    struct piece p[2];
    int rc = emul_translate(e, linear, bytes, false, p);

    (void)seg;
    if (rc)
        return rc;
    for (unsigned int i = 0, at = 0; i < 2 && p[i].bytes; at += p[i++].bytes)
        piece_read(e->v, &p[i], buf + at);
    memcpy(val, buf, sizeof(*val));
    return 0;
}

static int emul_write(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes, uint64_t val)
{
    struct emulation *e = ctx;
    uint8_t buf[sizeof(val)];
    struct piece p[2];
    int rc = emul_translate(e, linear, bytes, true, p);

    (void)seg;
    if (rc)
        return rc;
    memcpy(buf, &val, sizeof(val));
    for (unsigned int i = 0, at = 0; i < 2 && p[i].bytes; at += p[i++].bytes)
        piece_write(e->v, &p[i], buf + at);
    return 0;
}

static int emul_probe(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes)
{
    struct piece p[2];

    (void)seg;
    return emul_translate(ctx, linear, bytes, true, p);
}

static int emul_in(void *ctx, uint16_t port, unsigned bytes, uint64_t *val)
{
    *val = bus_read(((struct emulation *)ctx)->v, BUS_PORT, port, bytes);
    return 0;
}

static int emul_out(void *ctx, uint16_t port, unsigned bytes, uint64_t val)
{
    bus_write(((struct emulation *)ctx)->v, BUS_PORT, port, bytes, val);
    return 0;
}

static const struct insn_ops emul_ops = {
    .seg_base = emul_seg_base,
    .read = emul_read,
    .write = emul_write,
    .probe = emul_probe,
    .in = emul_in,
    .out = emul_out,
};

#define OP_STORE     0x89u
#define OP_LOAD      0x8bu
#define OP_STORE_IMM 0xc7u
#define OP_LOAD_AX   0xa1u /* moffs: these two have no ModRM */
#define OP_STORE_AX  0xa3u

/* The operand's address where segments have no base. */
static inline uint64_t insn_linear64(const struct insn *i, const uint64_t *gpr, uint64_t rip)
{
    uint64_t ea = (uint64_t)i->disp;

    if (i->rip_rel)
        ea += rip + i->len;
    if (i->base != INSN_NONE)
        ea += gpr[i->base & 15];
    if (i->index != INSN_NONE)
        ea += gpr[i->index & 15] << i->scale;
    return i->addrsize == 8 ? ea : (uint32_t)ea;
}

/* What drivers do nearly always, without the executor: MOV of 4 bytes between a register and the
 * place of the fault. False: it is something else, and nothing has been done. */
static bool emul_mov(struct vcpu *v, const struct insn *i, const struct emulate_hint *hint)
{
    uint64_t *gpr = v->priv->regs.gpr, addr = hint->gpa.v;
    bool ax = i->op == OP_LOAD_AX || i->op == OP_STORE_AX;
    bool load = i->op == OP_LOAD || i->op == OP_LOAD_AX,
         imm = i->op == OP_STORE_IMM && !(i->reg & 7);

    if (!i->mem || i->opsize != 4 || i->mode != INSN_64 || i->seg >= INSN_FS || i->lock ||
        !(load || imm || ax || i->op == OP_STORE) || !(load || hint->write))
        return false;
    if (((insn_linear64(i, gpr, v->priv->regs.rip) ^ addr) & ~PAGE_MASK) ||
        (addr & ~PAGE_MASK) > PAGE_SIZE - 4)
        return false;
    uint64_t *reg = &gpr[ax ? R_AX : i->reg & 15];
    if (load)
        *reg = bus_read_at(v, hint->dev, addr, 4);
    else
        bus_write_at(v, hint->dev, addr, 4, (uint32_t)(imm ? (uint64_t)i->imm : *reg));
    return true;
}

/* Apart from emulate_insn(): it needs a large frame. */
static __attribute__((noinline)) enum emulate_result emul_exec(struct vcpu *v, const struct insn *i,
                                                               const struct emulate_hint *hint)
{
    struct vcpu_regs *r = &v->priv->regs;
    struct emulation e;
    struct insn_cpu cpu = {
        .gpr = r->gpr, .rip = r->rip, .rflags = r->rflags, .ops = &emul_ops, .ctx = &e};
    int rc;

    e.v = v; /* segs is large and seldom used: not cleared */
    e.insn = i;
    e.hint = hint;
    e.gp = e.have_segs = false;
    rc = insn_exec(i, &cpu, REP_BOUND);
    r->rflags = cpu.rflags;
    switch (rc) {
    case INSN_DONE:
        return EMULATE_DONE;
    case INSN_AGAIN:
        return EMULATE_AGAIN;
    case -XEN_EOPNOTSUPP:
        return EMULATE_UNSUPPORTED;
    default:
        if (e.gp)
            vcpu_raise_exception(v, VEC_GP, true, 0);
        else
            vcpu_raise_page_fault(v, e.fault.address, e.fault.error);
        return EMULATE_FAULT;
    }
}

enum emulate_result emulate_insn(struct vcpu *v, const struct insn *i,
                                 const struct emulate_hint *hint)
{
    if (likely(hint && hint->dev) && emul_mov(v, i, hint))
        return EMULATE_DONE;
    return emul_exec(v, i, hint);
}

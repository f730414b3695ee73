/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Port accesses: to the bus. The CPU has checked the guest's right to the port before it exits.
 * INS and OUTS are decoded and carried out by guest/emul/emulate.c.
 */
#include "exit/exit.h"

#include "guest/emul/bus.h"
#include "guest/emul/emulate.h"
#include "guest/fetch.h"

#define VEC_UD 6

/* IN (E4, E5, EC, ED), OUT, INS and OUTS: has the exit this instruction? Another vCPU may have
 * changed the bytes meanwhile, and the exit's are the ones that were checked. */
static bool io_is_exit(struct vcpu *v, const struct insn *i, const struct vmexit *x)
{
    unsigned int op = i->op & 0xfeu;
    bool string = op == 0x6c || op == 0x6e;
    bool in = op == 0x6c || op == 0xe4 || op == 0xec;

    if (!string && !in && op != 0xe6 && op != 0xee)
        return false;
    return string == x->io.string && in == x->io.in && i->opsize == x->io.size &&
           (!string || (uint16_t)v->priv->regs.gpr[R_DX] == x->io.port);
}

static enum verdict io_string(struct vcpu *v, struct vmexit *x, const struct insn *i)
{
    switch (emulate_insn(v, i, NULL)) {
    case EMULATE_DONE:
        x->len = i->len;
        return VERDICT_DONE;
    case EMULATE_AGAIN:
        return VERDICT_RETRY;
    case EMULATE_UNSUPPORTED:
        vcpu_raise_exception(v, VEC_UD, false, 0);
        return VERDICT_FAULT;
    default:
        return VERDICT_FAULT;
    }
}

static void io_plain(struct vcpu *v, const struct vmexit *x)
{
    uint64_t *rax = &v->priv->regs.gpr[R_AX], mask = ~0ULL >> (64 - 8 * x->io.size), value;

    if (!x->io.in) {
        bus_write(v, BUS_PORT, x->io.port, x->io.size, *rax & mask);
        return;
    }
    bus_read(v, BUS_PORT, x->io.port, x->io.size, &value);
    if (x->io.size == 4)
        *rax = value & mask;
    else
        *rax = (*rax & ~mask) | (value & mask);
}

enum verdict ex_io(struct vcpu *v, struct vmexit *x)
{
    if (unlikely(x->io.string || !x->len)) {
        struct insn i;

        if (fetch_insn(v, &i))
            return VERDICT_FAULT;
        if (!io_is_exit(v, &i, x))
            return VERDICT_RETRY;
        if (x->io.string)
            return io_string(v, x, &i);
        x->len = i.len;
    }
    io_plain(v, x);
    return VERDICT_DONE;
}

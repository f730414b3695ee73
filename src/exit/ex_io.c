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

static inline void io_in(struct vcpu *v, const struct vmexit *x)
{
    uint64_t *rax = &v->priv->regs.gpr[R_AX];
    uint64_t value = bus_read(v, BUS_PORT, x->io.port, x->io.size);

    if (x->io.size == 4)
        *rax = (uint32_t)value;
    else if (x->io.size == 2)
        *rax = (*rax & ~0xffffULL) | (uint16_t)value;
    else
        *rax = (*rax & ~0xffULL) | (uint8_t)value;
}

static inline void io_out(struct vcpu *v, const struct vmexit *x)
{
    uint64_t mask = ~0ULL >> (64 - 8 * x->io.size);

    bus_write(v, BUS_PORT, x->io.port, x->io.size, v->priv->regs.gpr[R_AX] & mask);
}

/* Strings, and CPUs that do not say how long the instruction is. Apart: it needs a large frame. */
static __attribute__((noinline)) enum verdict io_decoded(struct vcpu *v, struct vmexit *x)
{
    struct insn i;

    if (fetch_insn(v, &i))
        return VERDICT_FAULT;
    if (!io_is_exit(v, &i, x))
        return VERDICT_RETRY;
    if (x->io.string)
        return io_string(v, x, &i);
    x->len = i.len;
    return ex_io(v, x);
}

enum verdict ex_io(struct vcpu *v, struct vmexit *x)
{
    if (unlikely(x->io.string || !x->len))
        return io_decoded(v, x);
    if (x->io.in)
        io_in(v, x);
    else
        io_out(v, x);
    return VERDICT_DONE;
}

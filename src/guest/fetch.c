/* SPDX-License-Identifier: Apache-2.0 */
/* Instruction fetch for exits: see fetch.h. */
#include "guest/fetch.h"

#include "guest/access.h"

#define VEC_UD 6
#define VEC_GP 13

enum insn_mode fetch_mode(struct vcpu *v)
{
    switch (virt->mode(v)) {
    case MODE_LONG64:
        return INSN_64;
    case MODE_PROT32:
        return INSN_32;
    default:
        return INSN_16;
    }
}

static uint64_t fetch_address(struct vcpu *v)
{
    struct vcpu_segs s;
    uint64_t rip = v->priv->regs.rip;

    if (virt->mode(v) == MODE_LONG64)
        return rip;
    virt->get_segs(v, &s);
    return (uint32_t)(s.seg[SEG_CS].base + rip);
}

unsigned int fetch_bytes(struct vcpu *v, uint8_t *buf, unsigned int n)
{
    struct guest_fault fault;

    return guest_fetch(v, buf, fetch_address(v), n, &fault);
}

int fetch_insn(struct vcpu *v, struct insn *i)
{
    uint8_t buf[INSN_MAX];
    struct guest_fault fault = {0};
    unsigned int n = guest_fetch(v, buf, fetch_address(v), sizeof(buf), &fault);

    switch (insn_decode(i, buf, n, fetch_mode(v))) {
    case INSN_OK:
        return 0;
    case INSN_MORE:
        vcpu_raise_page_fault(v, fault.address, fault.error);
        break;
    case INSN_TOO_LONG:
        vcpu_raise_exception(v, VEC_GP, true, 0);
        break;
    default:
        vcpu_raise_exception(v, VEC_UD, false, 0);
        break;
    }
    return -XEN_EFAULT;
}

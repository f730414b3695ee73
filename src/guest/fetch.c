/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruction fetch for exits: see fetch.h. Drivers use the same few instructions on their
 * registers, so the last ones are kept by place and with their bytes: the bytes are fetched each
 * time, decoded when they differ.
 */
#include "guest/fetch.h"

#include "lib/string.h"

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

static uint64_t fetch_address(struct vcpu *v, enum insn_mode mode)
{
    struct vcpu_segs s;
    uint64_t rip = v->priv->regs.rip;

    if (likely(mode == INSN_64))
        return rip;
    virt->get_segs(v, &s);
    return (uint32_t)(s.seg[SEG_CS].base + rip);
}

unsigned int fetch_bytes(struct vcpu *v, uint8_t *buf, unsigned int n)
{
    struct guest_fault fault;

    return guest_fetch(v, buf, fetch_address(v, fetch_mode(v)), n, &fault);
}

/* One byte more than an instruction has, which makes two words. */
#define FETCH_BYTES 16u
BUILD_BUG_ON(FETCH_BYTES <= INSN_MAX);
BUILD_BUG_ON(sizeof(struct insn) > sizeof(((struct fetch_memory *)0)->insn));

static bool fetch_known(const struct fetch_memory *m, const uint64_t *bytes, enum insn_mode mode)
{
    return m->bytes[0] == bytes[0] && m->bytes[1] == bytes[1] && m->mode == mode;
}

static int fetch_decode(struct vcpu *v, struct insn *i, const uint8_t *bytes, unsigned int n,
                        enum insn_mode mode, const struct guest_fault *fault)
{
    switch (insn_decode(i, bytes, n < INSN_MAX ? n : INSN_MAX, mode)) {
    case INSN_OK:
        return 0;
    case INSN_MORE:
        vcpu_raise_page_fault(v, fault->address, fault->error);
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

int fetch_insn(struct vcpu *v, struct insn *i)
{
    uint64_t rip = v->priv->regs.rip;
    struct fetch_memory *m = &v->priv->fetched[(rip ^ rip >> 4) % ARRAY_SIZE(v->priv->fetched)];
    enum insn_mode mode = fetch_mode(v);
    struct guest_fault fault = {0};
    union {
        uint8_t b[FETCH_BYTES];
        uint64_t w[2];
    } text;
    unsigned int n = guest_fetch(v, text.b, fetch_address(v, mode), FETCH_BYTES, &fault);
    int rc;

    if (likely(n == FETCH_BYTES && fetch_known(m, text.w, mode))) {
        memcpy(i, m->insn, sizeof(*i));
        return 0;
    }
    rc = fetch_decode(v, i, text.b, n, mode, &fault);
    if (!rc && n == FETCH_BYTES) {
        m->mode = mode;
        memcpy(m->bytes, text.w, sizeof(text.w));
        memcpy(m->insn, i, sizeof(*i));
    }
    return rc;
}

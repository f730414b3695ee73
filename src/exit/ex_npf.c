/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Second-stage faults (addendum B1.9). The entry may have come meanwhile: then the guest tries
 * again. Data accesses to a hole, and writes to memory that is read-only for the guest, are carried
 * out by guest/emul/emulate.c. Code or page tables there end the domain.
 */
#include "exit/exit.h"

#include "core/printk.h"
#include "guest/emul/bus.h"
#include "guest/emul/emulate.h"
#include "guest/fetch.h"

#define VEC_UD 6

/* What an entry of a kind lets the guest do. */
enum { NPF_READ = 1, NPF_WRITE = 2, NPF_EXEC = 4 };
static const uint8_t npf_rights[P2M_TYPES] = {
    [P2M_RAM] = NPF_READ | NPF_WRITE | NPF_EXEC,
    [P2M_RAM_RO] = NPF_READ | NPF_EXEC,
    [P2M_LOGDIRTY] = NPF_READ | NPF_EXEC,
    [P2M_GRANT] = NPF_READ | NPF_WRITE,
    [P2M_GRANT_RO] = NPF_READ,
    [P2M_FOREIGN] = NPF_READ | NPF_WRITE,
    [P2M_MMIO] = NPF_READ | NPF_WRITE,
    [P2M_MODULE] = NPF_READ,
};

static const char *const npf_names[P2M_TYPES] = {
    [P2M_HOLE] = "nothing",
    [P2M_RAM] = "RAM",
    [P2M_RAM_RO] = "read-only memory",
    [P2M_LOGDIRTY] = "tracked RAM",
    [P2M_GRANT] = "a granted page",
    [P2M_GRANT_RO] = "a page granted read-only",
    [P2M_FOREIGN] = "a foreign page",
    [P2M_MMIO] = "a device",
    [P2M_MODULE] = "a boot module",
};

static enum verdict npf_crash(struct vcpu *v, const struct vmexit *x, enum p2m_type type)
{
    const char *what = x->npf.table  ? "page tables"
                       : x->npf.exec ? "code"
                                     : "an access that cannot be explained";

    domain_crash(v->domain, "vCPU %u: %s at guest-physical %#lx, where there is %s (rip %#lx)",
                 v->id, what, x->npf.gpa.v, npf_names[type], v->priv->regs.rip);
    return VERDICT_CRASH;
}

static enum verdict npf_unsupported(struct vcpu *v, const struct vmexit *x)
{
    static nsec_t last;

    if (log_ratelimit(&last))
        log_info("%s: vCPU %u: instruction at rip %#lx cannot be used on guest-physical %#lx: #UD",
                 v->domain->name, v->id, v->priv->regs.rip, x->npf.gpa.v);
    vcpu_raise_exception(v, VEC_UD, false, 0);
    return VERDICT_FAULT;
}

static enum verdict npf_emulate(struct vcpu *v, struct vmexit *x, enum p2m_type type,
                                const struct bus_device *dev)
{
    struct emulate_hint hint = {
        .gpa = x->npf.gpa, .dev = dev, .write = x->npf.write, .memory = type != P2M_HOLE};
    struct insn i;

    if (fetch_insn(v, &i))
        return VERDICT_FAULT;
    switch (emulate_insn(v, &i, &hint)) {
    case EMULATE_DONE:
        x->len = i.len;
        return VERDICT_DONE;
    case EMULATE_AGAIN:
        return VERDICT_RETRY;
    case EMULATE_UNSUPPORTED:
        return npf_unsupported(v, x);
    default:
        return VERDICT_FAULT;
    }
}

enum verdict ex_npf(struct vcpu *v, struct vmexit *x)
{
    uint8_t need = x->npf.exec ? NPF_EXEC : x->npf.write ? NPF_READ | NPF_WRITE : NPF_READ;
    const struct bus_device *dev = bus_at(v, BUS_MMIO, x->npf.gpa.v);
    enum p2m_type type;

    /* A device's address was a hole when the guest used it. */
    if (dev && !x->npf.exec && !x->npf.table)
        return npf_emulate(v, x, P2M_HOLE, dev);
    type = p2m_lookup(v->domain, gpa_to_gfn(x->npf.gpa)).type;
    if ((npf_rights[type] & need) == need)
        return VERDICT_RETRY;
    if (x->npf.table || x->npf.exec || (type != P2M_HOLE && !x->npf.write))
        return npf_crash(v, x, type);
    return npf_emulate(v, x, type, NULL);
}

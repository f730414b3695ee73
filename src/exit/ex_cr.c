/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to CR4, CR8 and XCR0, the first use of the debug registers, and exits that tell of a guest
 * gone wrong: triple fault, task switch, state that the CPU refuses. CR0, CR3 and CR8 are the
 * guest's own.
 */
#include "exit/exit.h"

#include "core/printk.h"
#include "domain/policy.h"
#include "guest/access.h"
#include "guest/fetch.h"
#include "arch/x86/insn/decode.h"

#define VEC_UD       6
#define VEC_GP       13
#define OP_MOV_TO_CR 0x0f22u
#define CR4_PAE      (1ULL << 5)
#define CR4_LA57     (1ULL << 12)
#define EFER_LMA     (1ULL << 10)
#define CR4_OSXSAVE  (1ULL << 18)
#define XCR0_X87     1ULL
#define XCR0_SSE     2ULL
#define XCR0_AVX     4ULL
#define XCR0_AVX512  0xe0ULL

static enum verdict ex_gp(struct vcpu *v)
{
    vcpu_raise_exception(v, VEC_GP, true, 0);
    return VERDICT_FAULT;
}

/* Intercepted only while an interrupt is held back by the TPR. */
static enum verdict cr8_write(struct vcpu *v, uint64_t value)
{
    if (value >> 4)
        return ex_gp(v);
    virt->set_tpr(v, (uint8_t)value);
    vcpu_raise(v, VWORK_EVENT);
    return VERDICT_DONE;
}

enum verdict ex_cr(struct vcpu *v, struct vmexit *x)
{
    struct vcpu_control c;
    struct insn i;
    uint64_t value;

    if (fetch_insn(v, &i) || i.op != OP_MOV_TO_CR || (x->cr.nr != 4 && x->cr.nr != 8))
        return VERDICT_FAULT;
    value = v->priv->regs.gpr[i.rm & 15];
    x->len = i.len;
    if (x->cr.nr == 8)
        return cr8_write(v, value);
    virt->get_control(v, &c);
    if (!(c.efer & EFER_LMA))
        value &= 0xffffffff;
    if ((value & ~policy_cr4_valid(v->domain)) || ((c.efer & EFER_LMA) && !(value & CR4_PAE)))
        return ex_gp(v);
    c.cr4 = value;
    virt->set_control(v, &c);
    return VERDICT_DONE;
}

enum verdict ex_xsetbv(struct vcpu *v, struct vmexit *x)
{
    const struct vcpu_regs *r = &v->priv->regs;
    uint64_t value = (r->gpr[R_DX] << 32) | (uint32_t)r->gpr[R_AX];
    struct vcpu_control c;

    (void)x;
    virt->get_control(v, &c);
    if (!(c.cr4 & CR4_OSXSAVE)) {
        vcpu_raise_exception(v, VEC_UD, false, 0);
        return VERDICT_FAULT;
    }
    if (c.cpl || (uint32_t)r->gpr[R_CX] || !(value & XCR0_X87) ||
        (value & ~policy_xcr0_valid(v->domain)) || ((value & XCR0_AVX) && !(value & XCR0_SSE)) ||
        ((value & XCR0_AVX512) && ((value & XCR0_AVX512) != XCR0_AVX512 || !(value & XCR0_AVX))))
        return ex_gp(v);
    virt->set_xcr0(v, value);
    return VERDICT_DONE;
}

enum verdict ex_dr(struct vcpu *v, struct vmexit *x)
{
    (void)x;
    virt->debug_registers(v);
    return VERDICT_RETRY;
}

enum verdict ex_shutdown(struct vcpu *v, struct vmexit *x)
{
    struct domain *d = v->domain;
    uint32_t reason = (uint32_t)d->param[HVM_PARAM_TRIPLE_FAULT_REASON];

    (void)x;
    log_info("%s: vCPU %u: triple fault at rip %#lx", d->name, v->id, v->priv->regs.rip);
    virt->dump(v);
    if (reason == SHUTDOWN_crash)
        domain_crash(d, "triple fault");
    else
        domain_shutdown(d, reason);
    return VERDICT_CRASH;
}

enum verdict ex_task_switch(struct vcpu *v, struct vmexit *x)
{
    (void)x;
    domain_crash(v->domain, "vCPU %u: hardware task switch, which Krypton does not offer", v->id);
    return VERDICT_CRASH;
}

enum verdict ex_invalid(struct vcpu *v, struct vmexit *x)
{
    (void)x;
    virt->dump(v);
    domain_crash(v->domain, "vCPU %u: state that the CPU refuses to enter", v->id);
    return VERDICT_CRASH;
}

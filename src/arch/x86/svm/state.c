/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's state by group, in and out of its VMCB and private page: the get/set functions of
 * virt_ops, the state after power-up, and the dump. Values are checked by the caller.
 */
#include "arch/x86/svm/svm.h"

#include "lib/string.h"
#include "core/printk.h"
#include "mem/window.h"

#define EFER_SVME (1ULL << 12)
#define RESET_CR0 0x10ULL
#define RESET_DR6 0xffff0ff0ULL
#define RESET_DR7 0x400ULL
#define RESET_PAT 0x0007040600070406ULL

/* "Served" is what makes the domain part addressable here; a loaded vCPU's domain always is. */
static inline bool state_served(const struct vcpu *v)
{
    const struct pcpu *c = this_cpu();

    return likely(c->loaded == v) || c->shared->serving == v->domain;
}

struct vmcb *vmcb_open(struct vcpu *v)
{
    return state_served(v) ? v->virt->vmcb : window_map(v->virt->vmcb_mfn);
}

void vmcb_close(struct vcpu *v, const struct vmcb *vmcb)
{
    if (vmcb != v->virt->vmcb)
        window_unmap(vmcb);
}

struct vcpu_priv *priv_open(struct vcpu *v)
{
    return state_served(v) ? v->priv : window_map(_mfn(v->priv_mfn));
}

void priv_close(struct vcpu *v, const struct vcpu_priv *priv)
{
    if (priv != v->priv)
        window_unmap(priv);
}

void svm_vmcb_reset(struct vcpu *v, struct vmcb *c)
{
    static const struct vmcb_seg data = {0, 0x093, 0xffff, 0};

    exitmap_intercepts(c);
    c->iopm = svm_iopm.v;
    c->msrpm = svm_msrpm.v;
    c->vintr = VINTR_MASKING;
    c->np_control = NP_ENABLE;
    c->ncr3 = mfn_to_hpa(v->domain->p2m.root).v;
    c->es = c->ss = c->ds = c->fs = c->gs = data;
    c->cs = (struct vmcb_seg){0xf000, 0x09b, 0xffff, 0xffff0000};
    c->ldtr = (struct vmcb_seg){0, 0x082, 0xffff, 0};
    c->tr = (struct vmcb_seg){0, 0x08b, 0xffff, 0};
    c->gdtr.limit = c->idtr.limit = 0xffff;
    c->efer = EFER_SVME;
    c->cr0 = RESET_CR0;
    c->dr6 = RESET_DR6;
    c->dr7 = RESET_DR7;
    c->rflags = 2;
    c->rip = 0xfff0;
    c->g_pat = RESET_PAT;
}

void svm_get_control(struct vcpu *v, struct vcpu_control *out)
{
    struct vmcb *c = vmcb_open(v);

    out->cr0 = c->cr0;
    out->cr2 = c->cr2;
    out->cr3 = c->cr3;
    out->cr4 = c->cr4;
    out->efer = c->efer & ~EFER_SVME;
    out->cpl = c->cpl;
    vmcb_close(v, c);
}

void svm_set_control(struct vcpu *v, const struct vcpu_control *in)
{
    struct vmcb *c = vmcb_open(v);

    c->cr0 = in->cr0;
    c->cr2 = in->cr2;
    c->cr3 = in->cr3;
    c->cr4 = in->cr4;
    c->efer = in->efer | EFER_SVME;
    c->cpl = in->cpl;
    vmcb_close(v, c);
    v->virt->asid_generation = 0;
}

void svm_set_cr2(struct vcpu *v, uint64_t cr2)
{
    struct vmcb *c = vmcb_open(v);

    c->cr2 = cr2;
    vmcb_close(v, c);
}

enum vcpu_mode svm_mode(struct vcpu *v)
{
    struct vmcb *c = vmcb_open(v);
    enum vcpu_mode mode = vmcb_mode(c);

    vmcb_close(v, c);
    return mode;
}

/* In the order of enum vcpu_seg: offsets of the VMCB's segment fields. */
static const uint16_t seg_offset[SEG_NR] = {
    offsetof(struct vmcb, es),   offsetof(struct vmcb, cs), offsetof(struct vmcb, ss),
    offsetof(struct vmcb, ds),   offsetof(struct vmcb, fs), offsetof(struct vmcb, gs),
    offsetof(struct vmcb, ldtr), offsetof(struct vmcb, tr),
};
BUILD_BUG_ON(sizeof(struct vmcb_seg) != sizeof(struct vcpu_segment));

void svm_get_segs(struct vcpu *v, struct vcpu_segs *out)
{
    struct vmcb *c = vmcb_open(v);

    for (unsigned int i = 0; i < SEG_NR; i++)
        memcpy(&out->seg[i], (const uint8_t *)c + seg_offset[i], sizeof(out->seg[i]));
    out->gdt = (struct vcpu_table){c->gdtr.base, c->gdtr.limit};
    out->idt = (struct vcpu_table){c->idtr.base, c->idtr.limit};
    vmcb_close(v, c);
}

void svm_set_segs(struct vcpu *v, const struct vcpu_segs *in)
{
    struct vmcb *c = vmcb_open(v);

    for (unsigned int i = 0; i < SEG_NR; i++)
        memcpy((uint8_t *)c + seg_offset[i], &in->seg[i], sizeof(in->seg[i]));
    c->gdtr.base = in->gdt.base;
    c->gdtr.limit = in->gdt.limit;
    c->idtr.base = in->idt.base;
    c->idtr.limit = in->idt.limit;
    c->cpl = (uint8_t)((c->ss.attr >> 5) & 3);
    vmcb_close(v, c);
}

void svm_get_sysregs(struct vcpu *v, struct vcpu_sysregs *out)
{
    struct vmcb *c = vmcb_open(v);
    struct vcpu_priv *priv = priv_open(v);
    const struct svm_state *s = svm_state(priv);

    *out = (struct vcpu_sysregs){
        .star = c->star,
        .lstar = c->lstar,
        .cstar = c->cstar,
        .sfmask = c->sfmask,
        .kernel_gs_base = c->kernel_gs_base,
        .sysenter_cs = c->sysenter_cs,
        .sysenter_esp = c->sysenter_esp,
        .sysenter_eip = c->sysenter_eip,
        .pat = c->g_pat,
        .tsc_aux = s->tsc_aux,
        .dr = {s->dr[0], s->dr[1], s->dr[2], s->dr[3]},
        .dr6 = c->dr6,
        .dr7 = c->dr7,
    };
    priv_close(v, priv);
    vmcb_close(v, c);
}

void svm_set_sysregs(struct vcpu *v, const struct vcpu_sysregs *in)
{
    struct vmcb *c = vmcb_open(v);
    struct vcpu_priv *priv = priv_open(v);
    struct svm_state *s = svm_state(priv);

    c->star = in->star;
    c->lstar = in->lstar;
    c->cstar = in->cstar;
    c->sfmask = in->sfmask;
    c->kernel_gs_base = in->kernel_gs_base;
    c->sysenter_cs = in->sysenter_cs;
    c->sysenter_esp = in->sysenter_esp;
    c->sysenter_eip = in->sysenter_eip;
    c->g_pat = in->pat;
    c->dr6 = in->dr6;
    c->dr7 = in->dr7;
    s->tsc_aux = in->tsc_aux;
    if (this_cpu()->loaded == v)
        swap_load_tsc_aux(v);
    for (unsigned int i = 0; i < 4; i++)
        s->dr[i] = in->dr[i];
    priv_close(v, priv);
    vmcb_close(v, c);
}

void svm_get_regs(struct vcpu *v, struct vcpu_regs *r)
{
    struct vcpu_priv *priv = priv_open(v);

    *r = priv->regs;
    priv_close(v, priv);
}

void svm_set_regs(struct vcpu *v, const struct vcpu_regs *r)
{
    struct vcpu_priv *priv = priv_open(v);

    priv->regs = *r;
    priv_close(v, priv);
}

void svm_dump(struct vcpu *v)
{
    struct vmcb *c = vmcb_open(v);
    struct vcpu_priv *priv = priv_open(v);
    const struct vcpu_regs *r = &priv->regs;

    log_info("  rip %016lx rflags %08lx cs %04x rax %016lx rbx %016lx", r->rip, r->rflags,
             c->cs.sel, r->gpr[R_AX], r->gpr[R_BX]);
    log_info("  rcx %016lx rdx %016lx rsi %016lx rdi %016lx", r->gpr[R_CX], r->gpr[R_DX],
             r->gpr[R_SI], r->gpr[R_DI]);
    log_info("  rsp %016lx rbp %016lx r8 %016lx r9 %016lx", r->gpr[R_SP], r->gpr[R_BP], r->gpr[R_8],
             r->gpr[R_9]);
    log_info("  cr0 %08lx cr2 %016lx cr3 %016lx cr4 %08lx efer %lx cpl %u", c->cr0, c->cr2, c->cr3,
             c->cr4, c->efer, c->cpl);
    log_info("  exit %lx info %lx %lx intinfo %lx inject %lx vintr %lx shadow %lx", c->exitcode,
             c->exitinfo1, c->exitinfo2, c->exitintinfo, c->eventinj, c->vintr, c->shadow);
    priv_close(v, priv);
    vmcb_close(v, c);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SVM back end of domain/virt.h: turning SVM on, a vCPU's life, load/unload/run, ASIDs. AMD
 * APM vol. 2, chapter 15. Event delivery is in event.c, state groups in state.c, what hardware
 * does not switch in swap.c, exit reasons in exitmap.c.
 */
#include "arch/x86/svm/svm.h"

#include "lib/string.h"
#include "core/clock.h"
#include "core/printk.h"
#include "mem/heap.h"
#include "mem/window.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/msr.h"
#include "arch/x86/vcpu/part.h"

#define MSR_SYSENTER_CS    0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_VM_CR          0xc0010114
#define MSR_VM_HSAVE_PA    0xc0010117
#define VM_CR_R_INIT       (1ULL << 1)
#define VM_CR_SVMDIS       (1ULL << 4)
#define IOPM_ORDER         2u /* 12 KiB, contiguous */
#define MSRPM_ORDER        1u

struct svm_features svm_features;
hpa_t svm_iopm, svm_msrpm;

/* MSRs that VMLOAD/VMSAVE switch: the guest reaches them directly. */
static const uint32_t direct_msrs[] = {
    MSR_STAR,    MSR_LSTAR,          MSR_CSTAR,       MSR_SFMASK,       MSR_FS_BASE,
    MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};

/* Two bits an MSR: read, write. Ranges at 0, 2 KiB, 4 KiB of the map (APM vol. 2, 15.11). */
static void msrpm_allow(uint8_t *map, uint32_t msr)
{
    unsigned int base = msr >= 0xc0010000u ? 0x1000 : msr >= 0xc0000000u ? 0x800 : 0;
    unsigned int n = msr & 0x1fff;

    map[base + n / 4] &= (uint8_t) ~(3u << (n % 4 * 2));
}

static int svm_maps_init(void)
{
    uint8_t *iopm = kpage_alloc(IOPM_ORDER), *msrpm = kpage_alloc(MSRPM_ORDER);

    if (!iopm || !msrpm)
        return -XEN_ENOMEM;
    memset(iopm, 0xff, PAGE_SIZE << IOPM_ORDER);
    memset(msrpm, 0xff, PAGE_SIZE << MSRPM_ORDER);
    for (unsigned int i = 0; i < ARRAY_SIZE(direct_msrs); i++)
        msrpm_allow(msrpm, direct_msrs[i]);
    svm_iopm = mfn_to_hpa(kva_mfn(iopm));
    svm_msrpm = mfn_to_hpa(kva_mfn(msrpm));
    return 0;
}

static int svm_detect(void)
{
    struct cpuid_regs r;

    if (!cpu_has(CPU_SVM)) {
        log_err("this CPU has no SVM (AMD-V): no guest can be started");
        return -XEN_ENODEV;
    }
    if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS) {
        log_err("SVM is disabled by the firmware (VM_CR.SVMDIS): enable AMD-V in its setup");
        return -XEN_ENODEV;
    }
    r = cpuid(0x8000000a, 0);
    if (!(r.d & 1)) {
        log_err("this CPU has no nested paging: no guest can be started");
        return -XEN_ENODEV;
    }
    svm_features = (struct svm_features){
        .nrip = r.d & (1u << 3),
        .flush_by_asid = r.d & (1u << 6),
        .decode_assist = r.d & (1u << 7),
        .pause_filter = r.d & (1u << 10),
        .asids = r.b,
    };
    return 0;
}

static int svm_cpu_init(void)
{
    struct virt_cpu *vc = kalloc(sizeof(*vc));
    void *hsave = kpage_alloc(0), *host = kpage_alloc(0);
    int err = vc && hsave && host ? 0 : -XEN_ENOMEM;

    if (!err)
        err = svm_detect();
    if (!err && !svm_iopm.v)
        err = svm_maps_init();
    if (err)
        return err;
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_VM_HSAVE_PA, mfn_to_hpa(kva_mfn(hsave)).v);
    wrmsr(MSR_VM_CR, rdmsr(MSR_VM_CR) | VM_CR_R_INIT);
    vc->host_vmcb = mfn_to_hpa(kva_mfn(host));
    vc->max_asid = svm_features.asids - 1;
    vc->next_asid = 1;
    vc->generation = 1;
    vc->flush_all = true;
    __asm__ volatile("vmsave" ::"a"(vc->host_vmcb.v) : "memory");
    this_cpu()->virt = vc;
    return swap_init();
}

static void svm_cpu_fini(void)
{
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
}

static void svm_vcpu_destroy(struct vcpu *v)
{
    if (!v->virt)
        return;
    for (unsigned int i = 0; i < PART_PAGES; i++)
        part_remove(v->domain, v->id, i);
    kfree(v->virt);
    v->virt = NULL;
    v->priv = NULL;
}

/* Fills the freshly added pages through windows: nobody serves the domain yet. */
static void svm_vcpu_reset(struct vcpu *v)
{
    struct virt_vcpu *vv = v->virt;
    struct vmcb *c = window_map(vv->vmcb_mfn);
    struct vcpu_priv *priv = window_map(_mfn(v->priv_mfn));
    void *fpu = window_map(vv->fpu_mfn);

    svm_vmcb_reset(v, c);
    swap_reset(fpu, svm_state(priv));
    priv->regs.rflags = 2;
    window_unmap(fpu);
    window_unmap(priv);
    window_unmap(c);
}

static void svm_reset_fpu(struct vcpu *v)
{
    struct vcpu_priv *priv = priv_open(v);
    void *fpu = window_map(v->virt->fpu_mfn);

    swap_reset(fpu, svm_state(priv));
    window_unmap(fpu);
    priv_close(v, priv);
    v->virt->pending.valid = v->virt->nmi_blocked = v->virt->iret_seen = false;
}

static int svm_vcpu_create(struct vcpu *v)
{
    struct virt_vcpu *vv = kalloc(sizeof(*vv));
    unsigned int fpu_pages = (unsigned int)(ALIGN_UP(swap_fpu_size(), PAGE_SIZE) / PAGE_SIZE);
    mfn_t priv_mfn = MFN_NONE;
    bool ok = vv && SVM_PAGE_FPU + fpu_pages <= PART_PAGES;

    if (!vv)
        return -XEN_ENOMEM;
    v->virt = vv;
    if (ok) {
        v->priv = part_add(v->domain, v->id, SVM_PAGE_PRIV, &priv_mfn);
        vv->vmcb = part_add(v->domain, v->id, SVM_PAGE_VMCB, &vv->vmcb_mfn);
        vv->fpu = part_add(v->domain, v->id, SVM_PAGE_FPU, &vv->fpu_mfn);
        ok = v->priv && vv->vmcb && vv->fpu;
    }
    for (unsigned int i = 1; ok && i < fpu_pages; i++) {
        mfn_t unused;

        ok = part_add(v->domain, v->id, SVM_PAGE_FPU + i, &unused);
    }
    if (!ok) {
        svm_vcpu_destroy(v);
        return -XEN_ENOMEM;
    }
    v->priv_mfn = priv_mfn.v;
    vv->vmcb_pa = mfn_to_hpa(vv->vmcb_mfn);
    svm_vcpu_reset(v);
    return 0;
}

static void svm_load(struct vcpu *v)
{
    v->virt->vmcb->clean = 0;
    swap_load(v);
}

static void svm_unload(struct vcpu *v)
{
    swap_unload(v);
}

/* A vCPU without an ASID of this CPU's generation gets a fresh one: no translation has its tag.
 * When they run out the generation ends and the next entry flushes all. */
static void svm_assign_asid(struct vcpu *v, struct virt_cpu *vc)
{
    struct virt_vcpu *vv = v->virt;

    if (likely(vv->asid_generation == vc->generation && vv->asid_cpu == this_cpu()->id))
        return;
    if (vc->next_asid > vc->max_asid) {
        vc->next_asid = 1;
        vc->generation++;
        vc->flush_all = true;
    }
    vv->vmcb->asid = vc->next_asid++;
    vv->asid_generation = vc->generation;
    vv->asid_cpu = this_cpu()->id;
}

/* Some of that state is the guest's own doing where the CPU checks less than the manual says (QEMU
 * TCG): so it ends the domain, not the host. */
static bool svm_audit_refuses(struct vcpu *v)
{
    const char *why = svm_audit(v->virt->vmcb, &svm_features, cpu_info.phys_bits);

    if (why)
        domain_crash(v->domain, "vCPU %u: VMRUN would be refused: %s", v->id, why);
    return why;
}

static void svm_run(struct vcpu *v, struct vmexit *x)
{
    struct virt_vcpu *vv = v->virt;
    struct vmcb *c = vv->vmcb;
    struct virt_cpu *vc = this_cpu()->virt;
    struct vcpu_regs *r = &v->priv->regs;

    svm_assign_asid(v, vc);
    c->tlb_control = vc->flush_all ? TLB_FLUSH_ALL : TLB_KEEP;
    vc->flush_all = false;
    c->rax = r->gpr[R_AX];
    c->rsp = r->gpr[R_SP];
    c->rip = r->rip;
    c->rflags = r->rflags;
    event_prepare(v);
    if (KR_DEBUG && svm_audit_refuses(v)) {
        vc->flush_all = true; /* perhaps it was this entry's to do */
        *x = (struct vmexit){.reason = VMEXIT_INVALID};
        return;
    }

    svm_enter(r, vv->vmcb_pa, vc->host_vmcb);

    r->gpr[R_AX] = c->rax;
    r->gpr[R_SP] = c->rsp;
    r->rip = c->rip;
    r->rflags = c->rflags;
    event_collect(v);
    exitmap(c, x);
    if (unlikely(x->reason == VMEXIT_NMI_WINDOW))
        event_iret(v);
}

static void svm_set_tpr(struct vcpu *v, uint8_t cr8)
{
    v->virt->vmcb->vintr = (v->virt->vmcb->vintr & ~VINTR_TPR_MASK) | (cr8 & VINTR_TPR_MASK);
}

static uint8_t svm_get_tpr(struct vcpu *v)
{
    return (uint8_t)(v->virt->vmcb->vintr & VINTR_TPR_MASK);
}

static void svm_set_tsc_offset(struct vcpu *v, uint64_t offset)
{
    struct vmcb *c = vmcb_open(v);

    c->tsc_offset = offset;
    vmcb_close(v, c);
}

static void svm_flush_guest(struct vcpu *v)
{
    v->virt->asid_generation = 0;
}

static void svm_clear_shadow(struct vcpu *v)
{
    v->virt->vmcb->shadow &= ~1ULL;
}

/* First use of a debug register since load: from now on the guest has them itself. */
static void svm_debug_registers(struct vcpu *v)
{
    v->virt->dr_live = true;
    v->virt->vmcb->intercept[1] = 0;
    swap_load_debug(v);
}

const struct virt_ops svm_ops = {
    .name = "SVM",
    .cpu_init = svm_cpu_init,
    .cpu_fini = svm_cpu_fini,
    .vcpu_create = svm_vcpu_create,
    .vcpu_destroy = svm_vcpu_destroy,
    .load = svm_load,
    .unload = svm_unload,
    .run = svm_run,
    .get_control = svm_get_control,
    .set_control = svm_set_control,
    .set_cr2 = svm_set_cr2,
    .mode = svm_mode,
    .get_segs = svm_get_segs,
    .set_segs = svm_set_segs,
    .get_sysregs = svm_get_sysregs,
    .set_sysregs = svm_set_sysregs,
    .get_regs = svm_get_regs,
    .set_regs = svm_set_regs,
    .reset_fpu = svm_reset_fpu,
    .event_ready = svm_event_ready,
    .nmi_ready = svm_nmi_ready,
    .event_pending = svm_event_pending,
    .inject = svm_inject,
    .window = svm_window,
    .set_tpr = svm_set_tpr,
    .get_tpr = svm_get_tpr,
    .set_tsc_offset = svm_set_tsc_offset,
    .flush_guest = svm_flush_guest,
    .debug_registers = svm_debug_registers,
    .set_xcr0 = swap_set_xcr0,
    .clear_shadow = svm_clear_shadow,
    .dump = svm_dump,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RDMSR and WRMSR: who has which register. What is not known here is #GP for every guest. MSRs
 * that VMLOAD and VMSAVE switch are the guest's own and do not exit as a rule; they are right here
 * too. Registers that only need to be there are in msr_fixed[].
 */
#include "exit/exit.h"

#include "domain/policy.h"
#include "domain/shared.h"
#include "exit/msr.h"
#include "guest/hypercall/hypercall.h"
#include "mem/heap.h"
#include "arch/x86/dev/vlapic.h"
#include "arch/x86/dev/vmtrr.h"

#include "port/cpu.h"
#include "port/feature.h"
#include "port/mem.h"

#define VEC_GP   13

#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)
#define CR0_PG   (1ULL << 31)

/* Always the same value. Writes are dropped where that is what the hardware's interface is for (a
 * write that changes nothing), refused elsewhere. */
static const struct msr_row {
    uint32_t msr;
    bool writable;
    uint64_t value;
} msr_fixed[] = {
    {MSR_MCG_CAP, false, 0},    /* no banks */
    {MSR_MCG_STATUS, true, 0},  /* nor errors */
    {MSR_SYSCFG, true, 0},      /* no memory above 4 GiB by TOM2 */
    {MSR_HWCR, true, 0},        /* addendum B1.13 */
    {MSR_NB_CFG, true, 0},      /* no extended configuration space by ports */
    {MSR_INT_PENDING, true, 0}, /* no C1E */
    {MSR_DE_CFG, true, 2},      /* LFENCE serialises */
};

static const struct msr_row *msr_find_fixed(uint32_t msr)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(msr_fixed); i++)
        if (msr_fixed[i].msr == msr)
            return &msr_fixed[i];
    return NULL;
}

static bool efer_write(struct vcpu *v, uint64_t value)
{
    struct vcpu_control c;

    virt->get_control(v, &c);
    if (value & ~policy_efer_valid(v->domain))
        return false;
    if (((value ^ c.efer) & EFER_LME) && (c.cr0 & CR0_PG))
        return false;
    c.efer = (value & ~EFER_LMA) | (c.efer & EFER_LMA);
    virt->set_control(v, &c);
    return true;
}

static uint64_t tsc_read(const struct vcpu *v)
{
    return cpu_tsc() + (uint64_t)v->domain->tsc_offset + (uint64_t)v->tsc_adjust;
}

/* Only this vCPU's TSC moves; its time record follows. */
static void tsc_adjust(struct vcpu *v, uint64_t adjust)
{
    v->tsc_adjust = (int64_t)adjust;
    virt->set_tsc_offset(v, (uint64_t)(v->domain->tsc_offset + v->tsc_adjust));
    vcpu_raise(v, VWORK_TIME);
}

/* Also the moment at which the width of shared structures is sampled (addendum B0.3). */
static bool hypercall_page_write(struct vcpu *v, uint64_t value)
{
    static const uint8_t vmmcall[3] = {0x0f, 0x01, 0xd9};
    struct domain *d = v->domain;
    struct shared_page page;
    void *text = v->loading ? NULL : kalloc(PAGE_SIZE), *va;
    bool ok = text && !(value & ~PAGE_MASK) && !(value >> policy_phys_bits(d)) &&
              !shared_register(d, gpa_to_gfn(_gpa(value)), &page);

    if (ok) {
        hypercall_page_fill(text, vmmcall);
        va = shared_map(&page);
        mem_copy_page(va, text);
        shared_unmap(va);
        shared_release(&page);
        domain_set_width(d, virt->mode(v) == MODE_LONG64);
    }
    kfree(text);
    return ok;
}

static bool msr_is_x2apic(uint32_t msr)
{
    return msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST;
}

bool msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    const struct msr_row *fixed;
    struct vcpu_control c;

    if (msr_is_x2apic(msr))
        return vlapic_read_msr(v, msr, value);
    switch (msr) {
    case MSR_APIC_BASE:
        *value = vlapic_base_msr(v);
        return true;
    case MSR_TSC:
        *value = tsc_read(v);
        return true;
    case MSR_TSC_ADJUST:
        *value = (uint64_t)v->tsc_adjust;
        return true;
    case MSR_TSC_DEADLINE:
        return vlapic_read_msr(v, msr, value);
    case MSR_EFER:
        virt->get_control(v, &c);
        *value = c.efer;
        return true;
    case MSR_MICROCODE:
        *value = host_microcode();
        return true;
    case MSR_HYPERCALL_PAGE:
        *value = 0;
        return !v->loading;
    default:
        break;
    }
    fixed = msr_find_fixed(msr);
    if (fixed)
        *value = fixed->value;
    return fixed || vmtrr_read(v, msr, value) || msr_read_state(v, msr, value);
}

bool msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    const struct msr_row *fixed;

    if (msr_is_x2apic(msr))
        return vlapic_write_msr(v, msr, value);
    switch (msr) {
    case MSR_TSC:
        tsc_adjust(v, (uint64_t)v->tsc_adjust + value - tsc_read(v));
        return true;
    case MSR_TSC_ADJUST:
        tsc_adjust(v, value);
        return true;
    case MSR_APIC_BASE:
    case MSR_TSC_DEADLINE:
        return vlapic_write_msr(v, msr, value);
    case MSR_EFER:
        return efer_write(v, value);
    case MSR_MICROCODE:
        return !value; /* what precedes a look at the revision on some CPUs */
    case MSR_HYPERCALL_PAGE:
        return hypercall_page_write(v, value);
    default:
        break;
    }
    fixed = msr_find_fixed(msr);
    if (fixed)
        return fixed->writable;
    return vmtrr_write(v, msr, value) || msr_write_state(v, msr, value);
}

static enum verdict msr_gp(struct vcpu *v)
{
    vcpu_raise_exception(v, VEC_GP, true, 0);
    return VERDICT_FAULT;
}

static inline enum verdict msr_result(struct vcpu *v, uint64_t value)
{
    v->priv->regs.gpr[R_AX] = (uint32_t)value;
    v->priv->regs.gpr[R_DX] = value >> 32;
    return VERDICT_DONE;
}

/* Apart from ex_msr(): its local in memory would cost every exit a stack check. */
static __attribute__((noinline)) enum verdict ex_rdmsr(struct vcpu *v, uint32_t msr)
{
    uint64_t value;

    return msr_read(v, msr, &value) ? msr_result(v, value) : msr_gp(v);
}

/* In order of use: end of interrupt and IPIs, the APIC base, the rest. */
enum verdict ex_msr(struct vcpu *v, struct vmexit *x)
{
    const uint64_t *gpr = v->priv->regs.gpr;
    uint32_t msr = (uint32_t)gpr[R_CX];
    uint64_t value;
    bool ok;

    if (!x->msr.write)
        return msr == MSR_APIC_BASE ? msr_result(v, vlapic_base_msr(v)) : ex_rdmsr(v, msr);
    value = gpr[R_DX] << 32 | (uint32_t)gpr[R_AX];
    ok = msr_is_x2apic(msr) ? vlapic_write_msr(v, msr, value) : msr_write(v, msr, value);
    return likely(ok) ? VERDICT_DONE : msr_gp(v);
}

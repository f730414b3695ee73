/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MSRs that are part of a vCPU's register state: the back end's groups, one row each. The bases of
 * FS and GS are in its segments.
 */
#include "exit/msr.h"

#include "domain/policy.h"
#include "arch/x86/dev/vmtrr.h"

/* What a value must be. */
enum msr_rule {
    RULE_ANY,
    RULE_LOW,       /* 32 bits */
    RULE_CANONICAL, /* a linear address of 48 bits */
    RULE_PAT,
    RULE_ZERO, /* DEBUGCTL: neither last branches nor single-step on branches are offered */
};

#define EDX_RDTSCP (1u << 27)
#define ECX_RDPID  (1u << 22)

static const struct msr_state_row {
    uint32_t msr;
    uint16_t offset;
    uint8_t rule;
} rows[] = {
#define ROW(n, field, r)                                        \
    {                                                           \
        MSR_##n, offsetof(struct vcpu_sysregs, field), RULE_##r \
    }
    ROW(PAT, pat, PAT),
    ROW(TSC_AUX, tsc_aux, LOW),
    ROW(STAR, star, ANY),
    ROW(LSTAR, lstar, CANONICAL),
    ROW(CSTAR, cstar, CANONICAL),
    ROW(SFMASK, sfmask, LOW),
    ROW(KERNEL_GS_BASE, kernel_gs_base, CANONICAL),
    ROW(SYSENTER_CS, sysenter_cs, ANY),
    ROW(SYSENTER_ESP, sysenter_esp, CANONICAL),
    ROW(SYSENTER_EIP, sysenter_eip, CANONICAL),
    ROW(DEBUGCTL, debugctl, ZERO),
#undef ROW
};

static const struct msr_state_row *row_find(struct vcpu *v, uint32_t msr)
{
    struct cpuid_leaf e1, f7;

    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].msr != msr)
            continue;
        if (msr != MSR_TSC_AUX)
            return &rows[i];
        policy_cpuid(v, 0x80000001, 0, &e1);
        policy_cpuid(v, 7, 0, &f7);
        return (e1.edx & EDX_RDTSCP) || (f7.ecx & ECX_RDPID) ? &rows[i] : NULL;
    }
    return NULL;
}

static bool canonical(uint64_t value)
{
    return (uint64_t)((int64_t)(value << 16) >> 16) == value;
}

static bool rule_holds(enum msr_rule rule, uint64_t value)
{
    switch (rule) {
    case RULE_LOW:
        return !(value >> 32);
    case RULE_CANONICAL:
        return canonical(value);
    case RULE_PAT:
        return vmtrr_pat_valid(value);
    case RULE_ZERO:
        return !value;
    default:
        return true;
    }
}

static uint64_t *row_field(struct vcpu_sysregs *s, const struct msr_state_row *row)
{
    return (uint64_t *)(void *)((uint8_t *)s + row->offset);
}

bool msr_read_state(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    const struct msr_state_row *row;
    struct vcpu_sysregs s;
    struct vcpu_segs segs;

    if (msr == MSR_FS_BASE || msr == MSR_GS_BASE) {
        virt->get_segs(v, &segs);
        *value = segs.seg[msr == MSR_FS_BASE ? SEG_FS : SEG_GS].base;
        return true;
    }
    row = row_find(v, msr);
    if (!row)
        return false;
    virt->get_sysregs(v, &s);
    *value = *row_field(&s, row);
    return true;
}

bool msr_write_state(struct vcpu *v, uint32_t msr, uint64_t value)
{
    const struct msr_state_row *row;
    struct vcpu_sysregs s;
    struct vcpu_segs segs;

    if (msr == MSR_FS_BASE || msr == MSR_GS_BASE) {
        if (!canonical(value))
            return false;
        virt->get_segs(v, &segs);
        segs.seg[msr == MSR_FS_BASE ? SEG_FS : SEG_GS].base = value;
        virt->set_segs(v, &segs);
        return true;
    }
    row = row_find(v, msr);
    if (!row || !rule_holds(row->rule, value))
        return false;
    virt->get_sysregs(v, &s);
    *row_field(&s, row) = value;
    virt->set_sysregs(v, &s);
    return true;
}

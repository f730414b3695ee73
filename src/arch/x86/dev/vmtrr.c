/* SPDX-License-Identifier: Apache-2.0 */
/* Memory type range registers: see vmtrr.h. */
#include "arch/x86/dev/vmtrr.h"

#include "lib/nospec.h"
#include "domain/policy.h"
#include "mem/heap.h"

#define MSR_CAP        0xfeu
#define MSR_VARIABLE   0x200u
#define MSR_FIXED      0x250u
#define MSR_FIXED_LAST 0x26fu
#define MSR_DEF_TYPE   0x2ffu

#define VARIABLE       8u
#define CAP            (VARIABLE | 1u << 8 | 1u << 10) /* fixed ranges, write-combining */
#define DEF_TYPE       0x806u                          /* enabled, write-back */
#define DEF_TYPE_BITS  0xcffu
#define BASE_LOW       0xf00u /* reserved bits below the address */
#define MASK_LOW       0x7ffu

struct vmtrr {
    uint64_t def_type;
    uint64_t variable[2 * VARIABLE]; /* base, mask, base ... */
    uint64_t fixed[11];
};

int vmtrr_create(struct vcpu *v)
{
    v->mtrr = kalloc(sizeof(*v->mtrr));
    if (!v->mtrr)
        return -XEN_ENOMEM;
    v->mtrr->def_type = DEF_TYPE;
    return 0;
}

void vmtrr_destroy(struct vcpu *v)
{
    kfree(v->mtrr);
    v->mtrr = NULL;
}

/* UC, WC, WT, WP, WB */
static bool type_valid(uint64_t type)
{
    return type < 7 && (0x73u >> type & 1);
}

static bool types_valid(uint64_t value, bool pat)
{
    for (unsigned int i = 0; i < 8; i++, value >>= 8)
        if (!type_valid(value & 0xff) && !(pat && (value & 0xff) == 7)) /* UC-: PAT only */
            return false;
    return true;
}

bool vmtrr_pat_valid(uint64_t pat)
{
    return types_valid(pat, true);
}

/* 0x250, 0x258, 0x259, 0x268-0x26f; -1: not a fixed range. */
static int fixed_index(uint32_t msr)
{
    if (msr == 0x250)
        return 0;
    if (msr == 0x258 || msr == 0x259)
        return (int)(msr - 0x257);
    return msr >= 0x268 && msr <= MSR_FIXED_LAST ? (int)(msr - 0x265) : -1;
}

static uint64_t *vmtrr_find(struct vcpu *v, uint32_t msr)
{
    struct vmtrr *m = v->mtrr;
    int i;

    if (msr == MSR_DEF_TYPE)
        return &m->def_type;
    if (msr >= MSR_VARIABLE && msr < MSR_VARIABLE + 2 * VARIABLE)
        return &m->variable[index_nospec(msr - MSR_VARIABLE, 2 * VARIABLE)];
    i = fixed_index(msr);
    return i < 0 ? NULL : &m->fixed[index_nospec((uint64_t)i, ARRAY_SIZE(m->fixed))];
}

bool vmtrr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    const uint64_t *reg = vmtrr_find(v, msr);

    if (msr == MSR_CAP)
        *value = CAP;
    else if (reg)
        *value = *reg;
    return msr == MSR_CAP || reg;
}

bool vmtrr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    uint64_t *reg = vmtrr_find(v, msr);
    bool valid;

    if (!reg)
        return false;
    if (msr == MSR_DEF_TYPE)
        valid = !(value & ~(uint64_t)DEF_TYPE_BITS) && type_valid(value & 0xff);
    else if (msr >= MSR_FIXED)
        valid = types_valid(value, false);
    else if (value >> policy_phys_bits(v->domain))
        valid = false;
    else
        valid = msr & 1 ? !(value & MASK_LOW) : !(value & BASE_LOW) && type_valid(value & 0xff);
    if (valid)
        *reg = value;
    return valid;
}

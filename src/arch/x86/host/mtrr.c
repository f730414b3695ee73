/* SPDX-License-Identifier: Apache-2.0 */
/* MTRRs and PAT. Changes are made with caching off and the TLB flushed, as the manual asks. */
#include "arch/x86/host/mtrr.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/msr.h"
#include "port/cpu.h"
#include "port/mmu.h"

#define VARIABLE_MAX 32u
#define FIXED        11u
#define CR0_CD       (1UL << 30)
#define DEF_ENABLE   (1ULL << 11)

struct mtrr_state {
    uint64_t syscfg, fixed[FIXED], variable[2 * VARIABLE_MAX], def_type;
};

static struct mtrr_state of_boot_cpu;
static unsigned int nr_variable;

static uint32_t fixed_msr(unsigned int i)
{
    static const uint32_t first[] = {MSR_MTRR_FIX64K, MSR_MTRR_FIX16K_80000, MSR_MTRR_FIX16K_A0000};

    return i < 3 ? first[i] : MSR_MTRR_FIX4K_C0000 + i - 3;
}

static bool state_each(struct mtrr_state *s, bool (*fn)(uint32_t msr, uint64_t *v))
{
    bool any = cpu_has(CPU_SVM) && fn(MSR_SYSCFG, &s->syscfg); /* AMD only */

    for (unsigned int i = 0; i < FIXED; i++)
        any |= fn(fixed_msr(i), &s->fixed[i]);
    for (unsigned int i = 0; i < 2 * nr_variable; i++)
        any |= fn(MSR_MTRR_PHYS_BASE0 + i, &s->variable[i]);
    return any | fn(MSR_MTRR_DEF_TYPE, &s->def_type);
}

static bool get(uint32_t msr, uint64_t *v)
{
    if (!rdmsr_safe(msr, v))
        *v = 0;
    return false;
}

static bool differs(uint32_t msr, uint64_t *v)
{
    uint64_t mine = 0;

    return rdmsr_safe(msr, &mine) && mine != *v;
}

static bool put(uint32_t msr, uint64_t *v)
{
    return msr != MSR_MTRR_DEF_TYPE && wrmsr_safe(msr, *v);
}

static void pat_set(void)
{
    if (cpu_has(CPU_PAT) && rdmsr(MSR_PAT) != PAT_HOST) {
        wrmsr(MSR_PAT, PAT_HOST);
        mmu_flush_all();
    }
}

void mtrr_init(void)
{
    pat_set();
    if (!cpu_has(CPU_MTRR))
        return;
    nr_variable = min((unsigned int)(rdmsr(MSR_MTRR_CAP) & 0xff), VARIABLE_MAX);
    state_each(&of_boot_cpu, get);
}

bool mtrr_cpu_init(void)
{
    uint64_t cr0 = cr0_read();
    bool irqs = irq_enabled(), changed;

    pat_set();
    changed = cpu_has(CPU_MTRR) && state_each(&of_boot_cpu, differs);
    if (!changed)
        return false;
    irq_disable();
    cr0_write(cr0 | CR0_CD);
    __asm__ volatile("wbinvd" ::: "memory");
    mmu_flush_all();
    wrmsr(MSR_MTRR_DEF_TYPE, of_boot_cpu.def_type & ~DEF_ENABLE);
    state_each(&of_boot_cpu, put);
    wrmsr(MSR_MTRR_DEF_TYPE, of_boot_cpu.def_type);
    __asm__ volatile("wbinvd" ::: "memory");
    mmu_flush_all();
    cr0_write(cr0);
    if (irqs)
        irq_enable();
    return true;
}

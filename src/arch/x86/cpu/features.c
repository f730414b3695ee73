/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUID on the boot CPU, and the control registers of every CPU. CR4 has no feature that a CPU may
 * lack; five-level paging and PCID stay off.
 */
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/msr.h"
#include "lib/string.h"

struct cpu_info cpu_info;

static void text_of(char *out, const struct cpuid_regs *r)
{
    memcpy(out, r, sizeof(*r));
}

static void read_names(void)
{
    struct cpuid_regs r = cpuid(0, 0);

    cpu_info.max_leaf = r.a;
    memcpy(cpu_info.vendor, &r.b, 4);
    memcpy(cpu_info.vendor + 4, &r.d, 4);
    memcpy(cpu_info.vendor + 8, &r.c, 4);
    cpu_info.max_extended = cpuid(0x80000000, 0).a;
    for (uint32_t i = 0; i < 3 && cpu_info.max_extended >= 0x80000004; i++) {
        r = cpuid(0x80000002 + i, 0);
        text_of(cpu_info.brand + 16 * i, &r);
    }
}

static void read_signature(uint32_t a)
{
    cpu_info.stepping = a & 15;
    cpu_info.family = (a >> 8) & 15;
    cpu_info.model = (a >> 4) & 15;
    if (cpu_info.family == 15 || cpu_info.family == 6)
        cpu_info.model |= (a >> 12) & 0xf0;
    if (cpu_info.family == 15)
        cpu_info.family += (a >> 20) & 0xff;
}

void cpu_features_read(void)
{
    uint32_t *w = cpu_info.word;
    struct cpuid_regs r;

    read_names();
    r = cpuid(1, 0);
    read_signature(r.a);
    w[CPU_1_ECX] = r.c;
    w[CPU_1_EDX] = r.d;
    if (cpu_info.max_leaf >= 7) {
        r = cpuid(7, 0);
        w[CPU_7_EBX] = r.b;
        w[CPU_7_ECX] = r.c;
        w[CPU_7_EDX] = r.d;
    }
    r = cpuid(0x80000001, 0);
    w[CPU_E1_ECX] = r.c;
    w[CPU_E1_EDX] = r.d;
    if (cpu_info.max_extended >= 0x80000007)
        w[CPU_E7_EDX] = cpuid(0x80000007, 0).d;
    cpu_info.phys_bits = 36;
    if (cpu_info.max_extended >= 0x80000008) {
        r = cpuid(0x80000008, 0);
        w[CPU_E8_EBX] = r.b;
        cpu_info.phys_bits = (uint8_t)r.a;
    }
    if (cpu_has(CPU_SVM) && cpu_info.max_extended >= 0x8000000a)
        w[CPU_EA_EDX] = cpuid(0x8000000a, 0).d;
    /* Memory encryption that firmware has turned on (SYSCFG bit 23) takes address bits. */
    if (cpu_info.max_extended >= 0x8000001f && (cpuid(0x8000001f, 0).a & 1)) {
        uint64_t syscfg;

        if (rdmsr_safe(MSR_SYSCFG, &syscfg) && (syscfg & (1u << 23)))
            cpu_info.phys_bits =
                (uint8_t)(cpu_info.phys_bits - ((cpuid(0x8000001f, 0).b >> 6) & 63));
    }
}

/* In C1E, which HLT on all cores enters, old AMD CPUs stop the local timer (BKDG, F3xD4 and
 * MSRC001_0055). */
static void c1e_disable(void)
{
    const uint64_t c1e = 3ULL << 27;
    uint64_t v;

    if (cpu_has(CPU_SVM) && cpu_info.family >= 0x0f && cpu_info.family <= 0x11 &&
        rdmsr_safe(MSR_INT_PENDING, &v) && (v & c1e))
        wrmsr(MSR_INT_PENDING, v & ~c1e);
}

void cpu_control_init(void)
{
    uint64_t cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    static const struct {
        uint8_t feature_word, feature_bit;
        uint32_t cr4;
    } wanted[] = {
        {CPU_1_EDX, 7, CR4_MCE},   {CPU_1_EDX, 13, CR4_PGE}, {CPU_7_EBX, 7, CR4_SMEP},
        {CPU_7_EBX, 20, CR4_SMAP}, {CPU_7_ECX, 2, CR4_UMIP}, {CPU_1_ECX, 26, CR4_OSXSAVE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        if (cpu_has(CPU_FEATURE(wanted[i].feature_word, wanted[i].feature_bit)))
            cr4 |= wanted[i].cr4;
    cr0_write(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
    cr4_write(cr4);
    wrmsr(MSR_EFER, EFER_LME | EFER_LMA | EFER_NXE);
    c1e_disable();
}

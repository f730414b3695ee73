/* SPDX-License-Identifier: Apache-2.0 */
/* The change to x2APIC mode and its MSRs; Intel SDM vol. 3, 10.12. */
#include "checks.h"

static void expect_gp_write(uint32_t msr, uint64_t value)
{
    unsigned int f = wrmsr_probe(msr, value);
    CHECK(f == GP0, "write of %llx to MSR %x: %x, want #GP", (unsigned long long)value, msr, f);
}

static void expect_gp_read(uint32_t msr)
{
    uint64_t v;
    unsigned int f = rdmsr_probe(msr, &v);
    CHECK(f == GP0, "read of MSR %x: %x, want #GP", msr, f);
}

static void check_mode_changes(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);
    EXPECT(base, 0xfee00900);
    expect_gp_write(MSR_APIC_BASE, base | 1);
    expect_gp_write(MSR_APIC_BASE, base | 1ull << 60);
    expect_gp_write(MSR_APIC_BASE, (base & ~0x800ull) | APIC_BASE_X2APIC);
    expect_gp_read(0x802); /* not in xAPIC mode */
    expect_gp_write(0x80b, 0);
    EXPECT(cpuid(1, 0).d >> 9 & 1, 1);
    EXPECT(wrmsr_probe(MSR_APIC_BASE, base & ~0x800ull), 0);
    EXPECT(cpuid(1, 0).d >> 9 & 1, 0);
    expect_gp_write(MSR_APIC_BASE, base | APIC_BASE_X2APIC); /* off -> x2APIC */
    EXPECT(wrmsr_probe(MSR_APIC_BASE, base), 0);
    EXPECT(cpuid(1, 0).d >> 9 & 1, 1);
    apic_enable();
}

static void check_registers(void)
{
    uint64_t v;
    EXPECT(apic_is_x2(), 1);
    EXPECT(rdmsr_probe(0x802, &v), 0);
    EXPECT(v, 0);
    EXPECT(rdmsr_probe(0x803, &v), 0);
    EXPECT(v & 0xff, 0x14);
    EXPECT(rdmsr_probe(0x80d, &v), 0);
    EXPECT(v, 1); /* cluster 0, member 0 */
    EXPECT(*(volatile uint32_t *)(APIC_PAGE + APIC_VERSION), 0xffffffff);
    expect_gp_write(0x802, 0);
    expect_gp_write(0x803, 0);
    expect_gp_write(0x80d, 1);
    expect_gp_read(0x80b);
    expect_gp_write(0x80b, 1);
    expect_gp_write(0x808, 0x100);
    expect_gp_read(0x80e); /* no DFR */
    expect_gp_read(0x831); /* no ICR high */
    expect_gp_read(0x83f);
    expect_gp_write(0x839, 1); /* current count */
    expect_gp_write(0x83f, 0x100);
    expect_gp_write(0x80f, 1ull << 32);
    expect_gp_write(0x828, 1); /* ESR takes 0 only */
    expect_gp_read(0x8ff);
    EXPECT(wrmsr_probe(0x828, 0), 0);
}

void check_x2apic(void)
{
    if (!(cpuid(1, 0).c >> 21 & 1)) {
        print("no x2APIC");
        return;
    }
    check_mode_changes();
    uint64_t base = rdmsr(MSR_APIC_BASE);
    EXPECT(wrmsr_probe(MSR_APIC_BASE, base | APIC_BASE_X2APIC), 0);
    expect_gp_write(MSR_APIC_BASE, base); /* x2APIC -> xAPIC */
    check_registers();
    apic_enable();
    check_self_ipi();
    unsigned int before = taken(0, TIMER);
    EXPECT(wrmsr_probe(0x83f, TIMER), 0);
    interrupts_window();
    EXPECT(taken(0, TIMER), before + 1);
    EXPECT(wrmsr_probe(0x830, ICR_SELF | TIMER), 0);
    interrupts_window();
    EXPECT(taken(0, TIMER), before + 2);
    EXPECT(wrmsr_probe(MSR_APIC_BASE, base & ~0x800ull), 0);
    EXPECT(wrmsr_probe(MSR_APIC_BASE, base), 0); /* off and xAPIC again */
}

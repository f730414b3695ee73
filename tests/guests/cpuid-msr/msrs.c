/* SPDX-License-Identifier: Apache-2.0 */
/* MSRs: unknown ones fault, known ones keep what is written, none leaks the host's. */
#include "apic.h"
#include "checks.h"

static void check_unknown(void)
{
    static const uint32_t unknown[] = {
        0x3,        0x5000,     0x1234,     0x3fffff,   0x40000001, 0x400000ff, 0x4b564d00,
        0xc0000005, 0xc0000105, 0xc0001234, 0xc0002fff, 0xc0010114, 0xc0010115, 0xc0010117,
        0xc0012345, 0xd0000000, 0xffffffff, 0x480,      0x48b,
    };
    uint64_t v;
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        uint32_t m = unknown[i];
        bool svm = m >= 0xc0010114 && m <= 0xc0010117;
        unsigned int r = rdmsr_probe(m, &v), w = wrmsr_probe(m, 0);
        if (svm && on_xen)
            continue; /* Xen answers some of them */
        CHECK(r == GP0, "read of MSR %x: %x (%llx), want #GP", m, r, (unsigned long long)v);
        CHECK(w == GP0, "write of MSR %x: %x, want #GP", m, w);
    }
}

static void check_kept(uint32_t msr, uint64_t value)
{
    uint64_t before, v = 0;
    EXPECT(rdmsr_probe(msr, &before), 0);
    unsigned int f = wrmsr_probe(msr, value);
    CHECK(!f && !rdmsr_probe(msr, &v) && v == value, "MSR %x: fault %x, %llx written, %llx read",
          msr, f, (unsigned long long)value, (unsigned long long)v);
    EXPECT(wrmsr_probe(msr, before), 0);
}

static void check_values(void)
{
    const uint64_t address = 0xffff812345678000ull;
    check_kept(0x174, 8);                     /* SYSENTER_CS */
    check_kept(0x175, 0x12345678);            /* SYSENTER_ESP */
    check_kept(0xc0000081, 0x23001000000000); /* STAR */
    check_kept(0xc0000082, address);          /* LSTAR */
    check_kept(0xc0000083, address);          /* CSTAR */
    check_kept(0xc0000084, 0x47700);          /* SFMASK */
    check_kept(0xc0000100, address);          /* FS base */
    check_kept(0xc0000101, address);          /* GS base */
    check_kept(0xc0000102, address);          /* kernel GS base */
    check_kept(0x200, 0x80000006);            /* MTRR base */
    check_kept(0x201, 0xff0000800);           /* MTRR mask */
    check_kept(0x250, 0x0606060606060606);    /* fixed MTRR */
    check_kept(0x2ff, 0xc06);                 /* default type, enabled */
    if (cpuid(0x80000001, 0).d >> 27 & 1)
        check_kept(0xc0000103, 0x1234);          /* TSC_AUX */
    EXPECT(wrmsr_probe(0x200, 0x80000002), GP0); /* no such memory type */
    EXPECT(wrmsr_probe(0x2ff, 0x802), GP0);
    EXPECT(wrmsr_probe(0x250, 0x02), GP0);
    EXPECT(wrmsr_probe(0xfe, 0), GP0); /* MTRRcap is read-only */
    if (!on_xen)                       /* Xen leaves it to the CPU, and QEMU's takes anything */
        EXPECT(wrmsr_probe(MSR_PAT, 0x0007040600070402), GP0);
    EXPECT(wrmsr_probe(MSR_PAT, 0x0007010600070406), 0);
    EXPECT(rdmsr(MSR_PAT), 0x0007010600070406);
    EXPECT(wrmsr_probe(MSR_PAT, 0x0007040600070406), 0);
}

/* TSC and its adjustment move together. */
static void check_tsc(void)
{
    uint64_t adjust, v;
    if (!(cpuid(7, 0).b >> 1 & 1) || rdmsr_probe(0x3b, &adjust)) {
        print("no TSC_ADJUST");
        return;
    }
    uint64_t before = rdtsc();
    EXPECT(wrmsr_probe(0x3b, adjust + (1ull << 40)), 0);
    uint64_t after = rdtsc();
    CHECK(after - before >= 1ull << 40 && after - before < 1ull << 41, "TSC moved by %llx",
          (unsigned long long)(after - before));
    EXPECT(rdmsr_probe(0x3b, &v), 0);
    EXPECT(v, adjust + (1ull << 40));
    EXPECT(wrmsr_probe(0x3b, adjust), 0);
}

void check_msrs(void)
{
    check_unknown();
    check_values();
    check_tsc();
}

/* The values of another vCPU are its own. */
static struct cpuid one, four, xen;
static uint64_t star;

static void other(void *arg)
{
    (void)arg;
    one = cpuid(1, 0);
    four = cpuid(0xb, 0);
    xen = cpuid(0x40000004, 0);
    star = rdmsr(0xc0000081);
}

void check_other_vcpu(void)
{
    struct cpuid here = cpuid(1, 0);
    wrmsr(0xc0000081, 0x1234567800000000);
    if (cpu_count() < 2)
        return;
    if (!cpu_start(1, other, NULL)) {
        fail("vCPU 1 does not start");
        return;
    }
    for (unsigned int i = 0; i < 1000 && !cpu_done(1); i++)
        delay_us(1000);
    EXPECT(cpu_done(1), 1);
    EXPECT(one.b >> 24, 2);
    EXPECT(xen.b, 1);
    CHECK(one.a == here.a && one.c == here.c && one.d == here.d, "vCPU 1 has other features");
    if (here.c >> 21 & 1 && cpuid(0, 0).a >= 0xb)
        EXPECT(four.d, 2);
    EXPECT(star, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: the CPU that a guest is shown is one that works: the Xen leaves, features that agree
 * with what their instructions and registers do, nothing shown that is not switched (SVM, MONITOR,
 * LA57
 * ...), unknown MSRs and forbidden bits fault. Public header: xen/arch-x86/cpuid.h; AMD APM vol. 3,
 * E.
 *
 * RUN: memory=32M vcpus=2
 */
#include "checks.h"

static uint64_t xcr0_offered(void)
{
    struct cpuid x = cpuid(0xd, 0);
    return x.a | (uint64_t)x.d << 32;
}

static void check_xen_leaves(void)
{
    struct cpuid c = cpuid(0x40000000, 0);
    EXPECT(c.a, 0x40000005);
    EXPECT(c.b, XEN_CPUID_SIGNATURE_EBX);
    EXPECT(c.c, XEN_CPUID_SIGNATURE_ECX);
    EXPECT(c.d, XEN_CPUID_SIGNATURE_EDX);
    c = cpuid(0x40000001, 0);
    EXPECT(c.a, 0x40011);
    EXPECT(c.b | c.c | c.d, 0);
    c = cpuid(0x40000002, 0);
    EXPECT(c.a, 1);
    EXPECT(c.b, 0x40000000);
    EXPECT(c.c & 1, 0);
    EXPECT(c.d, 0);
    c = cpuid(0x40000003, 0);
    print("leaf 3: flags %x mode %u kHz %u incarnation %u", c.a, c.b, c.c, c.d);
    CHECK(c.c > 100000, "guest TSC rate %u kHz", c.c);
    struct cpuid o = cpuid(0x40000003, 1);
    const struct vcpu_time_info *t = &shared_info_map()->vcpu_info[0].time;
    uint32_t mul = t->tsc_to_system_mul;
    CHECK(o.c + mul / 16 >= mul && o.c <= mul + mul / 16, "two scales: %x %x", o.c, mul);
    EXPECT((int8_t)o.d, t->tsc_shift);
    c = cpuid(0x40000003, 2);
    EXPECT(c.b | c.c | c.d, 0);
    c = cpuid(0x40000004, 0);
    const uint32_t want = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT |
                          XEN_HVM_CPUID_IOMMU_MAPPINGS | XEN_HVM_CPUID_UPCALL_VECTOR;
    EXPECT(c.a & want, want);
    EXPECT(c.b, 0); /* this vCPU */
    CHECK(c.c < DOMID_FIRST_RESERVED, "domain id %u", c.c);
    EXPECT(cpuid(0x40000100, 0).b, 0);
    EXPECT(cpuid(1, 0).c >> 31, 1); /* hypervisor present */
}

static void check_structure(void)
{
    struct cpuid c0 = cpuid(0, 0), c = cpuid(1, 0), e;
    uint32_t max = c0.a, emax = cpuid(0x80000000, 0).a;
    print("max leaves %x %x, family %x, features %x %x", max, emax, c.a, c.c, c.d);
    CHECK(max >= 1 && max <= 0x20, "highest basic leaf %x", max);
    CHECK(emax >= 0x80000008 && emax <= 0x80000021, "highest extended leaf %x", emax);
    e = cpuid(0x80000000, 0);
    CHECK(e.b == c0.b && e.c == c0.c && e.d == c0.d, "vendor differs between leaves");
    EXPECT(c.b >> 24, 0); /* initial APIC id */
    e = cpuid(0x80000008, 0);
    CHECK((e.a & 0xff) >= 36 && (e.a & 0xff) <= 52, "physical address width %u", e.a & 0xff);
    EXPECT(e.a >> 8 & 0xff, 48);
    e = cpuid(max + 1, 0);
    EXPECT(e.a | e.b | e.c | e.d, 0);
    e = cpuid(emax + 1, 0);
    EXPECT(e.a | e.b | e.c | e.d, 0);
    e = cpuid(5, 0);
    EXPECT(e.a | e.b | e.c | e.d, 0);
    e = cpuid(0xa, 0);
    EXPECT(e.a, 0);
    EXPECT(c.c >> 27 & 1, 0); /* OSXSAVE follows CR4 */
    if (c.c >> 26 & 1) {
        EXPECT(write_cr4(read_cr4() | 1 << 18), 0);
        EXPECT(cpuid(1, 0).c >> 27 & 1, 1);
        EXPECT(write_cr4(read_cr4() & ~(1ul << 18)), 0);
    }
}

/* Bits that must not be shown. */
static void check_hidden(void)
{
    static const struct {
        const char *name;
        uint32_t leaf, reg, bit;
    } hidden[] = {
        {"MONITOR", 1, 2, 3},
        {"VMX", 1, 2, 5},
        {"SMX", 1, 2, 6},
        {"DS", 1, 3, 21},
        {"DS-CPL", 1, 2, 4},
        {"PDCM", 1, 2, 15},
        {"MPX", 7, 1, 14},
        {"PT", 7, 1, 25},
        {"LA57", 7, 2, 16},
        {"SGX", 7, 1, 2},
        {"CET-SS", 7, 2, 7},
        {"PKS", 7, 2, 31},
        {"WAITPKG", 7, 2, 5},
        {"SVM", 0x80000001, 2, 2},
        {"IBS", 0x80000001, 2, 10},
        {"LWP", 0x80000001, 2, 15},
        {"SKINIT", 0x80000001, 2, 12},
        {"WDT", 0x80000001, 2, 13},
        {"PERFCTR", 0x80000001, 2, 23},
        {"MWAITX", 0x80000001, 2, 29},
    };
    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
        struct cpuid c = cpuid(hidden[i].leaf, 0);
        uint32_t r = hidden[i].reg == 1 ? c.b : hidden[i].reg == 2 ? c.c : c.d;
        CHECK(!(r >> hidden[i].bit & 1), "%s is shown", hidden[i].name);
    }
    struct cpuid svm = cpuid(0x8000000a, 0);
    EXPECT(svm.a | svm.b | svm.c | svm.d, 0);
}

/* What contradicts itself is the CPU's to refuse; what it would take is the hypervisor's. */
static void check_control_registers(void)
{
    unsigned long cr4 = read_cr4();
    struct cpuid c1 = cpuid(1, 0), c7 = cpuid(7, 0);
    static const struct {
        unsigned int bit, leaf7;
        uint32_t mask;
    } gated[] = {
        {10, 0, 0},       {11, 2, 1u << 2},  {12, 2, 1u << 16}, {13, 0, 0},        {14, 0, 0},
        {16, 1, 1u << 0}, {18, 9, 1u << 26}, {20, 1, 1u << 7},  {21, 1, 1u << 20}, {22, 2, 1u << 3},
        {23, 2, 1u << 7}, {24, 2, 1u << 31}, {28, 0, 0},        {31, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(gated); i++) {
        uint32_t word = gated[i].leaf7 == 1 ? c7.b : gated[i].leaf7 == 2 ? c7.c : c1.c;
        unsigned long bit = 1ul << gated[i].bit;
        if (gated[i].mask && (word & gated[i].mask))
            continue; /* shown: may be set, tried elsewhere */
        if (gated[i].bit == 10)
            continue; /* OSXMMEXCPT: always there in long mode */
        unsigned int f = write_cr4(cr4 | bit);
        CHECK(f == GP0, "CR4 bit %u can be set without its feature: %x", gated[i].bit, f);
        if (!f)
            write_cr4(cr4);
    }
}

static void check_efer(void)
{
    uint64_t efer = rdmsr(MSR_EFER), v;
    EXPECT(efer, 0x500);                                 /* LME, LMA; no trace of SVME */
    EXPECT(wrmsr_probe(MSR_EFER, efer | 1u << 12), GP0); /* SVME */
    EXPECT(wrmsr_probe(MSR_EFER, efer | 1u << 9), GP0);
    EXPECT(wrmsr_probe(MSR_EFER, efer | 1ull << 40), GP0);
    EXPECT(wrmsr_probe(MSR_EFER, efer & ~0x100ull), GP0); /* LME off while paging */
    EXPECT(wrmsr_probe(MSR_EFER, efer | 1), 0);           /* SCE */
    EXPECT(rdmsr_probe(MSR_EFER, &v), 0);
    EXPECT(v, efer | 1);
    if (cpuid(0x80000001, 0).d >> 20 & 1)
        EXPECT(wrmsr_probe(MSR_EFER, efer | 1u << 11), 0); /* NXE */
    EXPECT(wrmsr_probe(MSR_EFER, efer), 0);
}

static void check_xsetbv(void)
{
    uint64_t offered, v;
    if (!(cpuid(1, 0).c >> 26 & 1)) {
        EXPECT(xsetbv_probe(0, 1), UD);
        return;
    }
    EXPECT(xgetbv_probe(0, &v), UD); /* CR4.OSXSAVE is off */
    EXPECT(xsetbv_probe(0, 1), UD);
    EXPECT(write_cr4(read_cr4() | 1 << 18), 0);
    offered = xcr0_offered();
    print("XCR0 may be %llx", (unsigned long long)offered);
    EXPECT(offered & 3, 3);
    EXPECT(xsetbv_probe(0, offered), 0);
    EXPECT(xgetbv_probe(0, &v), 0);
    EXPECT(v, offered);
    EXPECT(cpuid(0xd, 0).b, cpuid(0xd, 0).c); /* all enabled: current size = largest */
    EXPECT(xsetbv_probe(0, 1), 0);
    EXPECT(cpuid(0xd, 0).b, 576);
    EXPECT(xsetbv_probe(0, 0), GP0); /* x87 is not optional */
    EXPECT(xsetbv_probe(1, 1), GP0);
    if (!on_xen) { /* QEMU does not let a hypervisor see these; Xen's checks never run */
        EXPECT(xsetbv_probe(0, offered | 1ull << 63), GP0);
        if (offered & 4)
            EXPECT(xsetbv_probe(0, 5), GP0); /* AVX without SSE */
    }
    EXPECT(write_cr4(read_cr4() & ~(1ul << 18)), 0);
}

GUEST_MAIN
{
    check_xen_leaves();
    check_structure();
    check_hidden();
    check_control_registers();
    check_efer();
    check_xsetbv();
    check_msrs();
    check_other_vcpu();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default policy of a domain, made once from the host's CPUID: the white list of rows.c, then
 * what depends on it (other bits, topology, Xen's leaves, control register masks). Topology: one
 * package, one thread a core, APIC id = 2 * vCPU.
 */
#include "arch/x86/policy/policy.h"

#include "lib/muldiv.h"
#include "lib/string.h"
#include "core/clock.h"
#include "mem/heap.h"

#include "port/feature.h"

#define B(n) (1u << (n))

/* Leaf 1 */
#define ECX_X2APIC     B(21)
#define ECX_DEADLINE   B(24)
#define ECX_XSAVE      B(26)
#define ECX_HYPERVISOR B(31)
#define EDX_HTT        B(28)
#define AVX_1_ECX      (B(12) | B(28) | B(29)) /* FMA, AVX, F16C */
/* Leaf 7 */
#define EBX_FSGSBASE   B(0)
#define EBX_TSC_ADJUST B(1)
#define EBX_SMEP       B(7)
#define EBX_SMAP       B(20)
#define ECX_UMIP       B(2)
#define ECX_PKU        B(3)
#define AVX_7_EBX      B(5)
#define AVX_7_ECX      (B(9) | B(10))
#define AVX512_7_EBX   (B(16) | B(17) | B(21) | B(28) | B(30) | B(31))
#define AVX512_7_ECX   (B(1) | B(6) | B(11) | B(12) | B(14))
#define AVX512_7_EDX   (B(2) | B(3) | B(8))
#define AVX512_7_1_EAX B(5)
#define AVX_7_1_EAX    B(4)
/* 0x80000001 */
#define ECX_CMP_LEGACY B(1)
#define AVX_E1_ECX     (B(11) | B(16)) /* XOP, FMA4 */
#define EDX_NX         B(20)
#define EDX_RDTSCP     B(27)
/* 0x80000007 */
#define EDX_INVARIANT B(8)

#define XCR0_SSE      3u
#define XCR0_AVX      (1u << 2)
#define XCR0_AVX512   (7u << 5)
#define XCR0_PKRU     (1u << 9)

/* VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT; each needs what every 64-bit CPU has */
#define CR4_BASE     0x7ffull
#define CR4_UMIP     (1ull << 11)
#define CR4_FSGSBASE (1ull << 16)
#define CR4_OSXSAVE  (1ull << 18)
#define CR4_SMEP     (1ull << 20)
#define CR4_SMAP     (1ull << 21)
#define CR4_PKE      (1ull << 22)

#define EFER_SCE     1ull
#define EFER_LME     (1ull << 8)
#define EFER_LMA     (1ull << 10)
#define EFER_NXE     (1ull << 11)

#define LINEAR_BITS  48u
#define XEN_BASE     0x40000000u
#define XEN_VERSION  0x00040011u
/* 0x40000004 EAX: IOMMU mappings, vCPU id, domid, upcall vector */
#define XEN_HVM_BITS (B(2) | B(3) | B(4) | B(6))

struct cpuid_leaf *policy_leaf(struct cpu_policy *p, uint32_t leaf, uint32_t sub)
{
    if (leaf == 4 && sub < POLICY_NR_CACHES)
        return &p->cache[sub];
    if (leaf == 7 && sub < ARRAY_SIZE(p->feature))
        return &p->feature[sub];
    if (leaf == 0xd && sub < POLICY_NR_XSTATE)
        return &p->xstate[sub];
    if (leaf == 0x8000001d && sub < POLICY_NR_CACHES)
        return &p->cache_amd[sub];
    if (leaf <= POLICY_MAX_BASIC && !sub)
        return &p->basic[leaf];
    if (leaf >= 0x80000000 && leaf <= POLICY_MAX_EXTENDED && !sub)
        return &p->extended[leaf - 0x80000000];
    return NULL;
}

static void policy_apply_rows(struct cpu_policy *p)
{
    uint32_t host[4], max[4];

    for (unsigned int i = 0; i < policy_nr_rows; i++) {
        const struct policy_row *row = &policy_rows[i];
        struct cpuid_leaf *l = policy_leaf(p, row->leaf, row->sub);

        host_cpuid(row->leaf & 0x80000000, 0, max);
        if (!l || row->leaf > max[0])
            continue;
        host_cpuid(row->leaf, row->sub, host);
        *l = (struct cpuid_leaf){host[0] & row->mask[0], host[1] & row->mask[1],
                                 host[2] & row->mask[2], host[3] & row->mask[3]};
    }
    host_cpuid(0x80000000, 0, max);
    p->max_basic = POLICY_MAX_BASIC;
    p->max_extended = max[0] < POLICY_MAX_EXTENDED ? max[0] : POLICY_MAX_EXTENDED;
    p->basic[0].eax = p->max_basic;
    p->extended[0].eax = p->max_extended;
}

/* XSAVE state components that the host has and Krypton switches, and their places. */
static void policy_xstate(struct cpu_policy *p)
{
    uint32_t host[4];
    uint32_t all = XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU, size = 512 + 64;

    if (!(p->basic[1].ecx & ECX_XSAVE)) {
        memset(p->xstate, 0, sizeof(p->xstate));
        return;
    }
    host_cpuid(0xd, 0, host);
    all &= host[0];
    if ((all & XCR0_AVX512) != XCR0_AVX512 || !(all & XCR0_AVX))
        all &= ~XCR0_AVX512;
    for (unsigned int i = 2; i < POLICY_NR_XSTATE; i++) {
        if (!(all >> i & 1))
            continue;
        host_cpuid(0xd, i, host);
        p->xstate[i] = (struct cpuid_leaf){host[0], host[1], 0, 0};
        size = max(size, host[0] + host[1]);
    }
    p->xstate[0] = (struct cpuid_leaf){all, 0, size, 0};
    p->xcr0 = all;
}

/* Features whose registers are in a component that is not there. */
static void policy_dependent(struct cpu_policy *p)
{
    struct cpuid_leaf *f = p->feature, *e1 = &p->extended[1];

    if (!(p->xcr0 & XCR0_AVX)) {
        p->basic[1].ecx &= ~AVX_1_ECX;
        f[0].ebx &= ~AVX_7_EBX;
        f[0].ecx &= ~AVX_7_ECX;
        f[1].eax &= ~AVX_7_1_EAX;
        e1->ecx &= ~AVX_E1_ECX;
    }
    if (!(p->xcr0 & XCR0_AVX512)) {
        f[0].ebx &= ~AVX512_7_EBX;
        f[0].ecx &= ~AVX512_7_ECX;
        f[0].edx &= ~AVX512_7_EDX;
        f[1].eax &= ~AVX512_7_1_EAX;
    }
    if (!(p->xcr0 & XCR0_PKRU))
        f[0].ecx &= ~ECX_PKU;
    f[0].eax = f[1].eax ? 1 : 0;
    /* What Krypton itself provides. */
    f[0].ebx |= EBX_TSC_ADJUST;
    p->basic[1].ecx |= ECX_X2APIC | ECX_DEADLINE | ECX_HYPERVISOR;
}

/* Smallest n with 2^n >= x. */
static unsigned int log2_up(unsigned int x)
{
    unsigned int n = 0;

    while (1u << n < x)
        n++;
    return n;
}

static bool is_last_level(const struct cpuid_leaf *cache)
{
    return (cache->eax >> 5 & 7) >= 3;
}

/* Ids 0 to 2 * max_vcpus - 2, all cores of one package; caches up to L2 are a core's own. */
static void policy_topology(struct cpu_policy *p, unsigned int vcpus)
{
    unsigned int bits = vcpus > 1 ? log2_up(2 * vcpus) : 0, ids = min(1u << bits, 255u);

    if (vcpus > 1) {
        p->basic[1].edx |= EDX_HTT;
        p->extended[1].ecx |= ECX_CMP_LEGACY;
    }
    p->basic[1].ebx |= ids << 16;
    p->extended[8].ecx = bits << 12 | (ids - 1);
    for (unsigned int i = 0; i < POLICY_NR_CACHES; i++) {
        struct cpuid_leaf *c = &p->cache[i], *a = &p->cache_amd[i];

        if (c->eax & 0x1f)
            c->eax |= (is_last_level(c) ? ids - 1 : 1) << 14 | min((1u << bits) / 2 - 1, 63u) << 26;
        if (a->eax & 0x1f)
            a->eax |= (is_last_level(a) ? ids - 1 : 1) << 14;
    }
}

static void policy_addresses(struct cpu_policy *p, const struct domain *d)
{
    uint32_t host[4];

    host_cpuid(0x80000008, 0, host);
    p->phys_bits = host[0] & 0xff ? host[0] & 0xff : 36;
    if (d->p2m.bits && d->p2m.bits < p->phys_bits)
        p->phys_bits = d->p2m.bits;
    p->extended[8].eax = LINEAR_BITS << 8 | p->phys_bits;
    host_cpuid(0x80000007, 0, host);
    if (clock_tsc_stable)
        p->extended[7].edx = host[3] & EDX_INVARIANT;
}

static void policy_xen(struct cpu_policy *p, const struct domain *d)
{
    struct time_scale s = time_scale_make(clock_tsc_hz, 1000000000);
    uint32_t khz = (uint32_t)(clock_tsc_hz / 1000);
    uint32_t reliable = clock_tsc_stable ? B(1) : 0;
    uint32_t rdtscp = p->extended[1].edx & EDX_RDTSCP ? B(2) : 0;

    p->xen[0] =
        (struct cpuid_leaf){XEN_BASE + POLICY_NR_XEN - 1, 0x566e6558, 0x65584d4d, 0x4d4d566e};
    p->xen[1].eax = XEN_VERSION;
    p->xen[2] = (struct cpuid_leaf){1, XEN_BASE, 0, 0};
    p->xen[4] = (struct cpuid_leaf){XEN_HVM_BITS, 0, d->id, 0};
    p->xen_time[0] = (struct cpuid_leaf){reliable | rdtscp, 0, khz, 0};
    p->xen_time[1] = (struct cpuid_leaf){0, 0, s.mul, (uint32_t)s.shift};
    p->xen_time[2].eax = khz;
}

static void policy_controls(struct cpu_policy *p)
{
    const struct cpuid_leaf *f = &p->feature[0];

    p->cr4 = CR4_BASE | (f->ecx & ECX_UMIP ? CR4_UMIP : 0) |
             (f->ebx & EBX_FSGSBASE ? CR4_FSGSBASE : 0) | (f->ebx & EBX_SMEP ? CR4_SMEP : 0) |
             (f->ebx & EBX_SMAP ? CR4_SMAP : 0) | (f->ecx & ECX_PKU ? CR4_PKE : 0) |
             (p->basic[1].ecx & ECX_XSAVE ? CR4_OSXSAVE : 0);
    p->efer = EFER_SCE | EFER_LME | EFER_LMA | (p->extended[1].edx & EDX_NX ? EFER_NXE : 0);
}

int policy_init(struct domain *d)
{
    struct cpu_policy *p = kalloc(sizeof(*p));

    if (!p)
        return -XEN_ENOMEM;
    policy_apply_rows(p);
    policy_xstate(p);
    policy_dependent(p);
    policy_topology(p, d->max_vcpus);
    policy_addresses(p, d);
    policy_xen(p, d);
    policy_controls(p);
    d->policy = p;
    return 0;
}

void policy_fini(struct domain *d)
{
    kfree(d->policy);
    d->policy = NULL;
}

uint64_t policy_cr4_valid(const struct domain *d)
{
    return d->policy->cr4;
}

uint64_t policy_efer_valid(const struct domain *d)
{
    return d->policy->efer;
}

uint64_t policy_xcr0_valid(const struct domain *d)
{
    return d->policy->xcr0;
}

unsigned int policy_phys_bits(const struct domain *d)
{
    return d->policy->phys_bits;
}

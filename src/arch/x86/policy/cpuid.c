/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUID as a vCPU executes it: a look into the domain's policy, and the few bits that depend on the
 * vCPU and its state (addendum B1.13). Leaves past the maximum, and sub-leaves that are not there,
 * are all zero.
 */
#include "arch/x86/policy/policy.h"

#include "lib/nospec.h"
#include "domain/upcall.h"

#include "port/feature.h"

#define CR4_OSXSAVE (1ull << 18)
#define CR4_PKE     (1ull << 22)
#define ECX_XSAVE   (1u << 26)
#define ECX_OSXSAVE (1u << 27)
#define EDX_APIC    (1u << 9)
#define ECX_OSPKE   (1u << 4)
#define EAX_XSAVEC  (1u << 1)
#define ECX_TOPOEXT (1u << 22)
#define ALIGN_64    (1u << 1) /* ECX of a component's sub-leaf */

#define XEN_LEAF    0x40000000u
#define XEN_TIME    0x40000003u
#define XEN_HVM     0x40000004u

#define LEGACY_SIZE 576u

static uint64_t vcpu_cr4(struct vcpu *v)
{
    struct vcpu_control c;

    virt->get_control(v, &c);
    return c.cr4;
}

/* Bytes that XSAVE, or XSAVEC when compacted, writes for what is in XCR0 now. */
static uint32_t xsave_size(const struct cpu_policy *p, bool compacted)
{
    uint64_t xcr0 = host_xcr0();
    uint32_t size = LEGACY_SIZE;

    for (unsigned int i = 2; i < POLICY_NR_XSTATE; i++) {
        const struct cpuid_leaf *c = &p->xstate[i];

        if (!(xcr0 >> i & 1))
            continue;
        if (!compacted)
            size = max(size, c->eax + c->ebx);
        else
            size = (c->ecx & ALIGN_64 ? ALIGN_UP(size, 64u) : size) + c->eax;
    }
    return size;
}

static void cpuid_xstate(const struct cpu_policy *p, uint32_t sub, struct cpuid_leaf *out)
{
    if (sub >= POLICY_NR_XSTATE)
        return;
    *out = p->xstate[index_nospec(sub, POLICY_NR_XSTATE)];
    if (sub > 1 || !(p->basic[1].ecx & ECX_XSAVE))
        return;
    if (!sub)
        out->ebx = xsave_size(p, false);
    else if (out->eax & EAX_XSAVEC)
        out->ebx = xsave_size(p, true);
}

static void cpuid_features(struct vcpu *v, const struct cpu_policy *p, struct cpuid_leaf *out)
{
    *out = p->basic[1];
    out->ebx |= 2 * v->id << 24;
    if (intc->present(v))
        out->edx |= EDX_APIC;
    if (vcpu_cr4(v) & CR4_OSXSAVE)
        out->ecx |= ECX_OSXSAVE;
}

/* Leaves with sub-leaves, or that depend on the vCPU. */
static void cpuid_basic(struct vcpu *v, const struct cpu_policy *p, uint32_t leaf, uint32_t sub,
                        struct cpuid_leaf *out)
{
    switch (leaf) {
    case 4:
        if (sub < POLICY_NR_CACHES)
            *out = p->cache[index_nospec(sub, POLICY_NR_CACHES)];
        break;
    case 7:
        if (sub < ARRAY_SIZE(p->feature))
            *out = p->feature[index_nospec(sub, ARRAY_SIZE(p->feature))];
        if (!sub && (vcpu_cr4(v) & CR4_PKE))
            out->ecx |= ECX_OSPKE;
        break;
    case 0xb:
        *out = (struct cpuid_leaf){0, 0, sub & 0xff, 2 * v->id};
        break;
    case 0xd:
        cpuid_xstate(p, sub, out);
        break;
    default:
        *out = p->basic[index_nospec(leaf, ARRAY_SIZE(p->basic))];
        break;
    }
}

static void cpuid_extended(struct vcpu *v, const struct cpu_policy *p, uint32_t leaf, uint32_t sub,
                           struct cpuid_leaf *out)
{
    switch (leaf) {
    case 0x80000001:
        *out = p->extended[1];
        if (intc->present(v))
            out->edx |= EDX_APIC;
        break;
    case 0x8000001d:
        if (sub < POLICY_NR_CACHES)
            *out = p->cache_amd[index_nospec(sub, POLICY_NR_CACHES)];
        break;
    case 0x8000001e:
        if (p->extended[1].ecx & ECX_TOPOEXT)
            *out = (struct cpuid_leaf){2 * v->id, v->id & 0xff, 0, 0};
        break;
    default:
        *out = p->extended[index_nospec(leaf - 0x80000000, ARRAY_SIZE(p->extended))];
        break;
    }
}

static void cpuid_xen(struct vcpu *v, const struct cpu_policy *p, uint32_t leaf, uint32_t sub,
                      struct cpuid_leaf *out)
{
    switch (leaf) {
    case XEN_TIME:
        if (sub >= ARRAY_SIZE(p->xen_time))
            break;
        *out = p->xen_time[index_nospec(sub, ARRAY_SIZE(p->xen_time))];
        if (sub == 1) {
            out->eax = (uint32_t)v->domain->tsc_offset;
            out->ebx = (uint32_t)((uint64_t)v->domain->tsc_offset >> 32);
        }
        break;
    case XEN_HVM:
        if (sub)
            break;
        *out = p->xen[XEN_HVM - XEN_LEAF];
        out->ebx = v->id;
        break;
    default:
        *out = p->xen[index_nospec(leaf - XEN_LEAF, POLICY_NR_XEN)];
        break;
    }
}

void policy_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf, struct cpuid_leaf *out)
{
    const struct cpu_policy *p = v->domain->policy;

    *out = (struct cpuid_leaf){0};
    if (leaf == 1)
        cpuid_features(v, p, out);
    else if (leaf <= p->max_basic)
        cpuid_basic(v, p, leaf, subleaf, out);
    else if (leaf - XEN_LEAF < POLICY_NR_XEN)
        cpuid_xen(v, p, leaf, subleaf, out);
    else if (leaf >= 0x80000000 && leaf <= p->max_extended)
        cpuid_extended(v, p, leaf, subleaf, out);
}

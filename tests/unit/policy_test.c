/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arch/x86/policy: of a host that has every feature a guest sees exactly the white list; what
 * depends on other bits, the vCPU and its state is right; the masks of control registers agree with
 * what CPUID shows.
 */
#include "unit/vm.h"

#include "domain/policy.h"

#include "port/feature.h"

static struct domain *d;
static struct vcpu *v;

static void start(unsigned int vcpus)
{
    static domid_t id;

    vm_machine(1);
    d = vm_create(++id, vcpus);
    v = d->vcpu[0];
}

static struct cpuid_leaf leaf(struct vcpu *w, uint32_t n, uint32_t sub)
{
    struct cpuid_leaf l;

    memset(&l, 0xa5, sizeof(l));
    policy_cpuid(w, n, sub, &l);
    return l;
}

static void assert_leaf(struct cpuid_leaf l, uint32_t a, uint32_t b, uint32_t c, uint32_t dx)
{
    assert_int_equal(l.eax, a);
    assert_int_equal(l.ebx, b);
    assert_int_equal(l.ecx, c);
    assert_int_equal(l.edx, dx);
}

/* The simulated host's feature words are all ones: a bit that is missing in these numbers, which
 * were written down by hand from the manual, must not be seen. */
static void white_list(void **state)
{
    start(1);
    struct cpuid_leaf l = leaf(v, 1, 0);
    /* no DTES64 MONITOR DS_CPL VMX EST TM2 PDCM PCID DCA, no AVX-512 dependents; OSXSAVE off */
    assert_int_equal(l.ecx, 0xf7f83203);
    /* no PSN DS ACPI SS HTT (one vCPU) TM PBE */
    assert_int_equal(l.edx, 0x078bfbff);
    l = leaf(v, 7, 0);
    /* TSC_ADJUST; no SGX HLE INVPCID RTM PQM MPX PQE PT, no AVX-512: the host's XCR0 lacks it */
    assert_int_equal(l.ebx, 0x219c23eb & ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 28));
    /* UMIP PKU GFNI VAES VPCLMUL RDPID; no LA57 CET PKS WAITPKG */
    assert_int_equal(l.ecx, 0x0040070c);
    /* FSRM SERIALIZE; no IBRS STIBP SSBD ARCH_CAPABILITIES CET_IBT AMX */
    assert_int_equal(l.edx, 0x00004010);
    assert_leaf(leaf(v, 7, 1), 0x00001c10, 0, 0, 0);
    l = leaf(v, 0x80000001, 0);
    /* no SVM EXTAPIC OSVW IBS SKINIT WDT LWP TCE NODEID PERFCTR DBEXT MONITORX */
    assert_int_equal(l.ecx, 0x006109f1);
    /* no FFXSR */
    assert_int_equal(l.edx, 0xedd3fbff);
    assert_leaf(leaf(v, 5, 0), 0, 0, 0, 0);
    assert_leaf(leaf(v, 6, 0), 0, 0, 0, 0);
    assert_leaf(leaf(v, 0xa, 0), 0, 0, 0, 0);
    assert_leaf(leaf(v, 0x8000000a, 0), 0, 0, 0, 0); /* SVM */
    assert_leaf(leaf(v, 0x8000001b, 0), 0, 0, 0, 0); /* IBS */
    assert_leaf(leaf(v, 0x8000001f, 0), 0, 0, 0, 0); /* SEV */
    assert_int_equal(leaf(v, 0x80000008, 0).ebx, 5);
    assert_int_equal(leaf(v, 0x80000021, 0).eax, 0x44);
}

static void ranges(void **state)
{
    static const uint32_t out[] = {0xe,        0x10,       0x3fffffff, 0x40000006,
                                   0x40000100, 0x7fffffff, 0x80000022, 0x80000023,
                                   0x8fffffff, 0xc0000000, 0xffffffff};

    start(1);
    assert_leaf(leaf(v, 0, 0), 0xd, 0x68747541, 0x444d4163, 0x69746e65);
    assert_int_equal(leaf(v, 0x80000000, 0).eax, 0x80000021);
    for (unsigned int i = 0; i < ARRAY_SIZE(out); i++)
        assert_leaf(leaf(v, out[i], 0), 0, 0, 0, 0);
    for (uint32_t sub = 2; sub; sub <<= 1) {
        assert_leaf(leaf(v, 7, sub), 0, 0, 0, 0);
        if (sub > 8) {
            assert_leaf(leaf(v, 4, sub), 0, 0, 0, 0);
            assert_leaf(leaf(v, 0xd, sub), 0, 0, 0, 0);
            assert_leaf(leaf(v, 0x8000001d, sub), 0, 0, 0, 0);
        }
    }
}

static void run_time_bits(void **state)
{
    start(3);
    struct vcpu *w = d->vcpu[2];
    assert_int_equal(leaf(w, 1, 0).ebx >> 24, 4);
    assert_leaf(leaf(w, 0xb, 1), 0, 0, 1, 4);
    assert_int_equal(leaf(w, 0x8000001e, 0).eax, 4);
    assert_int_equal(leaf(v, 1, 0).ecx >> 27 & 1, 0);
    assert_int_equal(leaf(v, 7, 0).ecx >> 4 & 1, 0);
    script_of(v)->control.cr4 = 1u << 18 | 1u << 22;
    assert_int_equal(leaf(v, 1, 0).ecx >> 27 & 1, 1);
    assert_int_equal(leaf(v, 7, 0).ecx >> 4 & 1, 1);
    assert_true(vlapic_write_msr(v, 0x1b, 0xfee00000)); /* APIC off: its bit goes */
    assert_int_equal(leaf(v, 1, 0).edx >> 9 & 1, 0);
    assert_int_equal(leaf(v, 0x80000001, 0).edx >> 9 & 1, 0);
}

static void topology(void **state)
{
    start(3); /* ids 0, 2, 4: three bits */
    assert_int_equal(leaf(v, 1, 0).ebx >> 16 & 0xff, 8);
    assert_int_equal(leaf(v, 1, 0).edx >> 28 & 1, 1);
    assert_int_equal(leaf(v, 0x80000001, 0).ecx >> 1 & 1, 1);
    assert_int_equal(leaf(v, 0x80000008, 0).ecx, 0x3007);
    assert_int_equal(leaf(v, 0x8000001d, 0).eax >> 14 & 0xfff, 1); /* L1: its core's two ids */
    assert_int_equal(leaf(v, 0x8000001d, 3).eax >> 14 & 0xfff, 7); /* L3: all */
    start(1);
    assert_int_equal(leaf(v, 1, 0).ebx >> 16 & 0xff, 1);
    assert_int_equal(leaf(v, 0x80000008, 0).ecx, 0);
}

static void xstate(void **state)
{
    start(1);
    assert_int_equal(policy_xcr0_valid(d), 0x207); /* MPX (3, 4) hidden, PKRU shown */
    host_xcr0_set(3);
    assert_leaf(leaf(v, 0xd, 0), 0x207, 576, 0xa88, 0);
    host_xcr0_set(7);
    assert_leaf(leaf(v, 0xd, 0), 0x207, 832, 0xa88, 0);
    assert_leaf(leaf(v, 0xd, 1), 7, 832, 0, 0);
    host_xcr0_set(0x207);
    assert_leaf(leaf(v, 0xd, 0), 0x207, 0xa88, 0xa88, 0);
    assert_leaf(leaf(v, 0xd, 1), 7, 840, 0, 0); /* compacted */
    assert_leaf(leaf(v, 0xd, 2), 0x100, 0x240, 0, 0);
    assert_leaf(leaf(v, 0xd, 3), 0, 0, 0, 0);
    assert_leaf(leaf(v, 0xd, 9), 8, 0xa80, 0, 0);
}

/* A host without XSAVE: nothing that needs it is left. */
static void without_xsave(void **state)
{
    static struct host_cpuid_row rows[64];
    const struct host_cpuid_row *all = host_cpuid_table;

    memcpy(rows, host_cpuid_table, host_cpuid_rows * sizeof(rows[0]));
    for (unsigned int i = 0; i < host_cpuid_rows; i++)
        if (rows[i].leaf == 1)
            rows[i].reg[2] &= ~(1u << 26);
    host_cpuid_table = rows;
    start(1);
    assert_int_equal(policy_xcr0_valid(d), 0);
    assert_int_equal(leaf(v, 1, 0).ecx & (1u << 12 | 1u << 26 | 1u << 28 | 1u << 29), 0);
    assert_int_equal(leaf(v, 7, 0).ebx & (1u << 5), 0);
    assert_int_equal(leaf(v, 7, 0).ecx & (1u << 3 | 1u << 9 | 1u << 10), 0);
    assert_int_equal(leaf(v, 0x80000001, 0).ecx & (1u << 11 | 1u << 16), 0);
    for (uint32_t sub = 0; sub < 12; sub++)
        assert_leaf(leaf(v, 0xd, sub), 0, 0, 0, 0);
    assert_int_equal(policy_cr4_valid(d) & (1u << 18 | 1u << 22), 0);
    host_cpuid_table = all;
}

static void control_masks(void **state)
{
    start(1);
    /* no LA57 VMXE SMXE PCIDE CET PKS */
    assert_int_equal(policy_cr4_valid(d), 0x750fff);
    assert_int_equal(policy_efer_valid(d), 0xd01);
    assert_int_equal(policy_phys_bits(d), d->p2m.bits);
    assert_int_equal(leaf(v, 0x80000008, 0).eax, 0x3000 | d->p2m.bits);
}

static void xen_leaves(void **state)
{
    start(2);
    struct vcpu *w = d->vcpu[1];
    assert_leaf(leaf(w, 0x40000000, 0), 0x40000005, 0x566e6558, 0x65584d4d, 0x4d4d566e);
    assert_leaf(leaf(w, 0x40000001, 0), 0x00040011, 0, 0, 0);
    assert_leaf(leaf(w, 0x40000002, 0), 1, 0x40000000, 0, 0);
    assert_leaf(leaf(w, 0x40000004, 0), 0x5c, 1, d->id, 0);
    assert_leaf(leaf(w, 0x40000004, 1), 0, 0, 0, 0);
    assert_leaf(leaf(w, 0x40000005, 0), 0, 0, 0, 0);
    assert_int_equal(leaf(w, 0x40000003, 0).ecx, 1000000);
    assert_int_equal(leaf(w, 0x40000003, 0).eax & 1, 0); /* the TSC is not emulated */
    d->tsc_offset = 0x123456789;
    assert_leaf(leaf(w, 0x40000003, 1), 0x23456789, 1, 0x80000000, 1);
    assert_leaf(leaf(w, 0x40000003, 2), 1000000, 0, 0, 0);
    assert_leaf(leaf(w, 0x40000003, 3), 0, 0, 0, 0);
}

UNIT_MAIN(cmocka_unit_test(white_list), cmocka_unit_test(ranges), cmocka_unit_test(run_time_bits),
          cmocka_unit_test(topology), cmocka_unit_test(xstate), cmocka_unit_test(without_xsave),
          cmocka_unit_test(control_masks), cmocka_unit_test(xen_leaves))

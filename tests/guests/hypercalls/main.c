/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: each hypercall of a PVH guest keeps its documented results and errors: unknown numbers
 * and sub-operations -ENOSYS, bad pointers -EFAULT, callers outside CPL 0 -EPERM, every
 * sub-operation's success and failures, multicalls, and long operations that are interrupted and go
 * on.
 *
 * RUN: memory=64M vcpus=3
 */
#include "apic.h"
#include "checks.h"

static unsigned long call_at_cpl3(unsigned long nr)
{
    return (unsigned long)hypercall(nr, 0, 0, 0, 0, 0);
}

static void check_privilege(void)
{
    EXPECT(user_call(call_at_cpl3, __HYPERVISOR_xen_version), -XEN_EPERM);
    EXPECT(user_call(call_at_cpl3, __HYPERVISOR_sched_op), -XEN_EPERM);
    EXPECT(user_call(call_at_cpl3, __HYPERVISOR_memory_op), -XEN_EPERM);
    EXPECT(user_call(call_at_cpl3, 1000), -XEN_EPERM);
}

static uint8_t call_page[PAGE_SIZE] aligned_to(4096);

static void check_hypercall_page(void)
{
    struct cpuid leaf = cpuid(0x40000002, 0);
    uint64_t value;
    EXPECT(leaf.a, 1);
    EXPECT(wrmsr_probe(leaf.b, (uint64_t)call_page | 1), GP0); /* no such page index */
    EXPECT(wrmsr_probe(leaf.b, 0xfee00000), GP0);              /* no RAM */
    EXPECT(wrmsr_probe(leaf.b, (uint64_t)call_page), 0);
    EXPECT(rdmsr_probe(leaf.b, &value), 0);
    EXPECT(value, 0);
    EXPECT(wrmsr_probe(leaf.b + 1, (uint64_t)call_page), GP0);

    unsigned long result = __HYPERVISOR_xen_version, cmd = XENVER_version;
    __asm__ volatile("call *%2"
                     : "=a"(result), "+D"(cmd)
                     : "r"(call_page + 32 * __HYPERVISOR_xen_version), "S"(0)
                     : "memory");
    EXPECT(result, 0x40011);
    EXPECT(call_page[32 * __HYPERVISOR_iret], 0x0f); /* ud2 */
    EXPECT(call_page[32 * __HYPERVISOR_iret + 1], 0x0b);
    for (unsigned int n = 0; n < 64; n++)
        if (n != __HYPERVISOR_iret)
            EXPECT(*(const uint32_t *)(const void *)&call_page[32 * n + 1], n); /* mov eax, n */
}

GUEST_MAIN
{
    apic_enable();
    check_numbers();
    check_privilege();
    check_hypercall_page();
    check_version();
    check_memory();
    check_evtchn();
    check_sched();
    check_vcpu();
    check_hvm();
    check_misc();
    check_multicall();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Single exits and hypercalls that need nobody else. */
#include "bench.h"

static struct multicall_entry list[16];
static xen_pfn_t pfn;
static evtchn_port_t port;
static uint8_t page[PAGE_SIZE] aligned_to(4096);

static void port_read(void)
{
    inb(0x1234);
}

static void version(void)
{
    xen_version(XENVER_version, 0);
}

static void multicall16(void)
{
    multicall(list, 16);
}

static void do_cpuid(void)
{
    cpuid(0, 0);
}

static void do_rdmsr(void)
{
    rdmsr(MSR_APIC_BASE);
}

static void apic_mmio_read(void)
{
    (void)*(volatile uint32_t *)(APIC_PAGE + APIC_ID);
}

static void status(void)
{
    unsigned int vcpu;
    port_status(port, &vcpu);
}

static void yield(void)
{
    sched_op(SCHEDOP_yield, 0);
}

static void reservation(unsigned int op)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    set_xen_guest_handle(r.extent_start, &pfn);
    if (memory_op(op, &r) != 1)
        fail("reservation");
}

static void give_and_take(void)
{
    reservation(XENMEM_decrease_reservation);
    reservation(XENMEM_populate_physmap);
    *(volatile uint8_t *)page = 1;
}

void bench_exits(void)
{
    for (unsigned int i = 0; i < 16; i++)
        list[i] = (struct multicall_entry){.op = __HYPERVISOR_xen_version};
    port = (evtchn_port_t)port_unbound(DOMID_SELF);
    pfn = (unsigned long)page >> 12;
    bench_run("port-read", port_read, 250, 1151);
    bench_run("xen_version", version, 300, 5827);
    bench_run("multicall-16", multicall16, 2500, 266763);
    bench_run("cpuid", do_cpuid, 350, 5744);
    bench_run("rdmsr", do_rdmsr, 350, 5654);
    bench_run("apic-read-mmio", apic_mmio_read, 900, 14771);
    bench_run("evtchn-status", status, 800, 14382);
    bench_run("yield", yield, 700, 8239);
    bench_run("page-give-and-take", give_and_take, 3500, 36874);
    port_close(port);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the other CPUs: INIT, then the start-up IPI with the page of the trampoline (head.S),
 * one CPU at a time. One that does not answer is named, put back into the wait for a start-up IPI
 * and left out. Intel SDM vol. 3 section 9.4.4, AMD APM vol. 2 section 16.5.
 */
#include "arch/x86/boot/boot.h"
#include "arch/x86/cpu/desc.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/mmu.h"
#include "arch/x86/host/lapic.h"
#include "arch/x86/host/mtrr.h"
#include "core/clock.h"
#include "core/param.h"
#include "core/pcpu.h"
#include "core/printk.h"
#include "core/trace.h"
#include "host/time.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "port/mmu.h"

#define ANSWER_LIMIT SEC(2)

extern const char trampoline[], trampoline_end[];
extern uint32_t trampoline_cr3, trampoline_cpu;
extern uint64_t boot_l4[512];
extern struct memmap memory_map;
extern uint64_t ap_cr3[MAX_CPUS];

void noreturn_fn ap_start(unsigned int cpu); /* head.S calls it */

static unsigned int arrived; /* number of the CPU that has come up last */
static bool released;

static void wait_ns(nsec_t ns)
{
    nsec_t end = clock_now() + ns;

    while (clock_now() < end)
        cpu_relax();
}

/* The highest page of RAM below 640 KiB; 0 when there is none. */
static uint64_t trampoline_page(void)
{
    for (uint64_t at = 0x9f000; at >= PAGE_SIZE; at -= PAGE_SIZE)
        if (memmap_type_at(&memory_map, at) == MEMMAP_RAM)
            return at;
    return 0;
}

/* Bytes of `symbol` from the trampoline's start. */
static size_t trampoline_offset(const void *symbol)
{
    return (uintptr_t)symbol - (uintptr_t)trampoline;
}

static void trampoline_place(uint64_t page, unsigned int cpu)
{
    char *to = mmu_temp_map(1, _hpa(page));
    uint32_t cr3 = (uint32_t)image_phys_of(boot_l4);

    memcpy(to, trampoline, trampoline_offset(trampoline_end));
    memcpy(to + trampoline_offset(&trampoline_cr3), &cr3, sizeof(cr3));
    memcpy(to + trampoline_offset(&trampoline_cpu), &cpu, sizeof(cpu));
    mmu_temp_unmap(1);
}

static bool cpu_answers(unsigned int cpu, nsec_t limit)
{
    nsec_t end = clock_now() + limit;

    while (READ_ONCE(arrived) != cpu && clock_now() < end)
        cpu_relax();
    return READ_ONCE(arrived) == cpu;
}

static bool cpu_start(unsigned int cpu, uint32_t apic_id, uint64_t page)
{
    trampoline_place(page, cpu);
    lapic_send_init(apic_id);
    wait_ns(MSEC(10));
    lapic_send_startup(apic_id, (uint8_t)(page >> PAGE_SHIFT));
    if (!cpu_answers(cpu, MSEC(1))) {
        lapic_send_startup(apic_id, (uint8_t)(page >> PAGE_SHIFT));
        if (!cpu_answers(cpu, ANSWER_LIMIT)) {
            lapic_send_init(apic_id);
            log_err("CPU with APIC id %u does not answer: left out", apic_id);
            return false;
        }
    }
    time_check_cpu();
    while (!cpumask_test(&cpus_online, cpu))
        cpu_relax();
    return true;
}

void smp_start(const struct acpi_info *acpi)
{
    unsigned int limit = min(params.maxcpus, MAX_CPUS), next = 1;
    uint64_t page = trampoline_page();
    uint32_t own = lapic_id();

    if (!page && limit > 1)
        log_err("no RAM below 640 KiB: the other CPUs cannot be started");
    limit = min(limit, max(acpi->nr_cpus, 1u));
    nr_cpus = limit;
    for (unsigned int i = 0; i < acpi->nr_cpus && next < limit && page; i++) {
        const struct acpi_cpu *c = &acpi->cpus[i];

        if (!c->enabled || c->apic_id == own)
            continue;
        if (!lapic_is_x2apic() && c->apic_id > 254) {
            log_err("CPU with APIC id %u needs x2APIC: left out", c->apic_id);
            continue;
        }
        if (!ap_cr3[next] && !space_create(next)) {
            log_err("no memory for CPU %u and later ones", next);
            break;
        }
        pcpu_init(next, c->apic_id);
        if (!pcpu_shared[next].trace)
            pcpu_shared[next].trace = kalloc(sizeof(struct trace_ring));
        if (cpu_start(next, c->apic_id, page))
            next++;
    }
    nr_cpus = next;
    boot_l4[0] = 0;
    log_info("%u of %u CPUs online", nr_cpus, max(acpi->nr_cpus, 1u));
}

void smp_release(void)
{
    WRITE_ONCE(released, true);
}

void ap_start(unsigned int cpu)
{
    bool mtrr_changed;

    desc_cpu_init();
    cpu_control_init();
    mmu_flush_all();
    mtrr_changed = mtrr_cpu_init();
    lapic_cpu_init();
    WRITE_ONCE(arrived, cpu);
    time_cpu_init();
    if (mtrr_changed)
        log_debug("CPU %u: MTRRs differed from the boot CPU's, made equal", cpu);
    pcpu_shared[cpu].online = true;
    cpumask_set(&cpus_online, cpu);
    while (!READ_ONCE(released))
        cpu_relax();
    mmu_flush_all(); /* Krypton's pages have come and gone meanwhile */
    ap_main();
}

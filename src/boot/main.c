/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of contents of a boot: everything that is initialised, in order, one line each. Three
 * parts: on the boot loader's memory (boot_start), on the boot CPU's own tables and stack
 * (boot_main), and what every other CPU does once it is up (ap_main).
 */
#include "arch/x86/boot/boot.h"
#include "arch/x86/cpu/desc.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/layout.h"
#include "arch/x86/cpu/mmu.h"
#include "arch/x86/host/ioapic.h"
#include "arch/x86/host/lapic.h"
#include "arch/x86/host/mtrr.h"
#include "arch/x86/svm/svm.h"
#include "boot/supervise.h"
#include "domain/flush.h"
#include "domain/lifecycle.h"
#include "domain/sched.h"
#include "domain/virt.h"
#include "exit/exit.h"
#include "guest/guest.h"
#include "arch/x86/cpu/trap.h"
#include "boot/bootinfo.h"
#include "boot/guest.h"
#include "boot/terminal.h"
#include "abi/xen.h"
#include "core/clock.h"
#include "core/param.h"
#include "core/pcpu.h"
#include "core/printk.h"
#include "core/trace.h"
#include "core/version.h"
#include "host/console.h"
#include "host/irq.h"
#include "host/power.h"
#include "host/time.h"
#include "mem/heap.h"

void noreturn_fn boot_start(uint32_t magic, uint32_t at, uint64_t phys); /* head.S */

static struct boot_info boot_info;
static struct acpi_info acpi_info;

static int boot_info_read(uint32_t magic, uint32_t at)
{
    switch (magic) {
    case MAGIC_MULTIBOOT1:
        return bootinfo_mb1(&boot_info, _hpa(at), memory_identity);
    case MAGIC_MULTIBOOT2:
        return bootinfo_mb2(&boot_info, _hpa(at), memory_identity);
    default:
        return bootinfo_pvh(&boot_info, _hpa(at), memory_identity);
    }
}

static void complaint_print(const char *line)
{
    log_warn("%s", line);
}

static void banner_print(int boot_error)
{
    log_info("Krypton, a type-1 hypervisor for x86-64 (%s build)", KR_DEBUG ? "debug" : "release");
    log_info("CPU: %s (%s family %#x model %#x stepping %u), %u address bits", cpu_info.brand,
             cpu_info.vendor, cpu_info.family, cpu_info.model, cpu_info.stepping,
             cpu_info.phys_bits);
    if (boot_error)
        panic("the boot loader's information cannot be read (error %d)", boot_error);
    log_info("Boot: %s by %s", boot_info.protocol,
             *boot_info.loader ? boot_info.loader : "an unnamed loader");
    log_info("Command line: %s", boot_info.cmdline);
    param_report(complaint_print);
    for (unsigned int i = 0; i < min(boot_info.nr_notes, (unsigned int)BOOT_MAX_NOTES); i++)
        log_warn("boot information: %s", boot_info.notes[i]);
}

static const struct framebuffer *framebuffer_of(const struct boot_framebuffer *from)
{
    static struct framebuffer fb;

    fb = (struct framebuffer){from->base, from->pitch, from->width, from->height,
                              (uint8_t)((from->bpp + 7) / 8)};
    return &fb;
}

static int acpi_memory_read(hpa_t from, void *buf, size_t len)
{
    if (from.v + len < from.v || (from.v + len) >> cpu_info.phys_bits)
        return -XEN_EFAULT;
    mmu_copy_from(buf, from, len);
    return 0;
}

static void acpi_read(void)
{
    int err = acpi_parse(&acpi_info, acpi_memory_read, boot_info.rsdp_size ? boot_info.rsdp : NULL,
                         boot_info.rsdp_size, boot_info.rsdp_at);

    for (unsigned int i = 0; i < min(acpi_info.nr_notes, (unsigned int)ACPI_MAX_NOTES); i++)
        log_warn("ACPI: %s", acpi_info.notes[i]);
    if (err)
        log_warn("no ACPI tables: one CPU, and no way to switch off");
    log_info("ACPI: %u CPUs, %u I/O APICs%s%s", acpi_info.nr_cpus, acpi_info.nr_ioapics,
             acpi_info.has_hpet ? ", HPET" : "", acpi_info.has_s5 ? ", S5" : "");
}

static uint32_t apic_id_max(void)
{
    uint32_t id = 0;

    for (unsigned int i = 0; i < acpi_info.nr_cpus; i++)
        id = max(id, acpi_info.cpus[i].apic_id);
    return id;
}

static void kick_received(void)
{
    flush_acknowledge();
}

static int isa_irq_route(uint8_t irq, void (*handler)(void))
{
    return irq_route_isa(&acpi_info, irq, handler);
}

/* Ops tables and hooks that lower floors call through. */
static void domains_init(void)
{
    virt = &svm_ops;
    guest_init();
    pages_init();
    irq_handler_set(VECTOR_KICK, kick_received);
    if (sched_init())
        log_warn("scheduler: default parameters");
}

/* bootscrub=on: all free memory is clean before the first guest is built. */
static void memory_scrub(void)
{
    if (params.bootscrub != PARAM_SCRUB_ON)
        return;
    while (heap_scrub_step())
        ;
    log_info("Free memory has been cleared");
}

static void noreturn_fn boot_main(void)
{
    desc_cpu_init();         /* own GDT, TSS, IST stacks */
    cpu_control_init();      /* SMEP, SMAP, UMIP ... */
    mtrr_init();             /* what the others must have, PAT */
    acpi_read();             /* tables of the machine */
    ioapic_init(&acpi_info); /* everything masked, the 8259s before the APICs */
    lapic_init(acpi_info.lapic_address, apic_id_max()); /* mode and address */
    lapic_cpu_init();                                   /* clean, enabled */
    pcpu_init(0, lapic_id());                           /* CPU 0 has its name */
    power_init(&acpi_info);                             /* ACPI mode, how to switch off */
    time_init(&acpi_info);                              /* clock, timer rate, date */
    pcpu_shared[0].trace = kalloc(sizeof(struct trace_ring));
    pcpu_shared[0].online = true;
    cpumask_set(&cpus_online, 0);
    irq_enable();                     /* timer, kick */
    smp_start(&acpi_info);            /* the other CPUs wait */
    time_decide();                    /* is the TSC stable? */
    console_irq_start(isa_irq_route); /* serial by interrupt */
    terminal_start();                 /* the keyboard */
    memory_scrub();                   /* if it was asked for */
    domains_init();                   /* what the floors below know of domains */
    boot_domains(boot_info.modules, boot_info.nr_modules); /* guests queued, CPUs will build them */
    kpage_flush_hook = flush_all_cpus;                     /* from here on the others take part */
    smp_release();                                         /* they go on in ap_main */
    ap_main();
}

void boot_start(uint32_t magic, uint32_t at, uint64_t phys)
{
    int err;

    boot_tsc_entry = cpu_tsc_unordered();
    image_phys = phys;
    space_early_init();                        /* this_cpu(), windows */
    desc_idt_init();                           /* exceptions are reported */
    cpu_features_read();                       /* CPUID */
    cpu_control_init();                        /* WP, NX */
    memory_identity_init();                    /* all below 4 GiB can be read */
    err = boot_info_read(magic, at);           /* copied out of the loader's memory */
    param_parse(err ? "" : boot_info.cmdline); /* params */
    version_command_line = err ? "" : boot_info.cmdline;
    console_init(framebuffer_of(&boot_info.framebuffer)); /* serial, screen */
    terminal_boot();                                      /* lines on it, kept for later */
    banner_print(err);
    mmu_image_protect();     /* W^X */
    memory_init(&boot_info); /* modules moved, heap */
    space_enter(boot_main);  /* own tables, guarded stack */
}

void ap_main(void)
{
    time_cpu_start();                              /* renews the clock stamp if needed */
    this_cpu()->trace = this_cpu()->shared->trace; /* recorded from here on */
    if (virt->cpu_init()) {                        /* it has said why */
        power_stop_others();
        power_halt(POWER_NOTHING_STARTED);
    }
    exit_loop();
}

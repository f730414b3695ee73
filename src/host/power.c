/* SPDX-License-Identifier: Apache-2.0 */
/* Power off and reset. */
#include "host/power.h"
#include "arch/x86/cpu/io.h"
#include "arch/x86/cpu/trap.h"
#include "arch/x86/host/lapic.h"
#include "core/clock.h"
#include "core/keys.h"
#include "core/param.h"
#include "core/pcpu.h"
#include "core/printk.h"
#include "core/trace.h"
#include "host/console.h"

#define PM1_SCI_ENABLE    (1u << 0)
#define PM1_SLEEP_TYPE(t) ((uint32_t)(t) << 10)
#define PM1_SLEEP_ENABLE  (1u << 13)
#define PM1_SLEEP_MASK    0x3c00u
#define SLEEP_ENABLE      (1u << 5) /* of the sleep control register */

static struct {
    bool has_s5, hw_reduced, ready;
    uint8_t type_a, type_b, reset_value;
    struct acpi_reg control_a, control_b, sleep_control, reset;
} power;

/* Before the TSC's rate is known, writes to an unused port take about a microsecond. */
static void wait_us(uint64_t us)
{
    uint64_t start = cpu_tsc();

    while (clock_tsc_hz && (cpu_tsc() - start) / (clock_tsc_hz / 1000000 + 1) < us)
        cpu_relax();
    for (uint64_t i = 0; i < us && !clock_tsc_hz; i++)
        out8(0x80, 0);
}

void power_init(const struct acpi_info *acpi)
{
    power.has_s5 = acpi->has_fadt && acpi->has_s5;
    power.hw_reduced = acpi->hw_reduced;
    power.type_a = acpi->s5_type_a;
    power.type_b = acpi->s5_type_b;
    power.control_a = acpi->pm1a_control;
    power.control_b = acpi->pm1b_control;
    power.sleep_control = acpi->sleep_control;
    power.reset = acpi->reset;
    power.reset_value = acpi->reset_value;
    power.ready = true;
    if (!acpi->has_fadt || acpi->hw_reduced || !acpi->smi_command || !acpi->acpi_enable ||
        !acpi->pm1a_control.io || (in16((uint16_t)acpi->pm1a_control.address) & PM1_SCI_ENABLE))
        return;
    out8(acpi->smi_command, acpi->acpi_enable);
    for (unsigned int i = 0; i < 300; i++) {
        if (in16((uint16_t)acpi->pm1a_control.address) & PM1_SCI_ENABLE)
            return;
        wait_us(1000);
    }
    log_warn("ACPI mode does not come on");
}

void power_stop_others(void)
{
    unsigned int cpu;

    WRITE_ONCE(trap_stopping, true);
    for_each_cpu (cpu, &cpus_online)
        if (cpu != this_cpu()->id)
            lapic_send_nmi(pcpu_shared[cpu].hw_id);
    wait_us(1000);
}

static void noreturn_fn halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void sleep_write(const struct acpi_reg *r, uint8_t type)
{
    uint32_t v;

    if (!r->bytes || !r->io)
        return;
    v = in16((uint16_t)r->address) & ~(PM1_SLEEP_MASK);
    v |= PM1_SLEEP_TYPE(type);
    out16((uint16_t)r->address, (uint16_t)v);
    out16((uint16_t)r->address, (uint16_t)(v | PM1_SLEEP_ENABLE));
}

static void debug_exit(enum power_verdict verdict)
{
    if (params.debug_exit)
        out32((uint16_t)params.debug_exit, verdict);
}

void power_off(enum power_verdict verdict)
{
    console_force();
    irq_disable();
    debug_exit(verdict);
    if (power.has_s5 && !power.hw_reduced) {
        sleep_write(&power.control_a, power.type_a);
        sleep_write(&power.control_b, power.type_b);
        wait_us(1000000);
    } else if (power.has_s5 && power.sleep_control.bytes && power.sleep_control.io) {
        out8((uint16_t)power.sleep_control.address,
             (uint8_t)((unsigned int)power.type_a << 2 | SLEEP_ENABLE));
        wait_us(1000000);
    }
    log_err("this machine cannot be switched off by ACPI S5: halted, switch it off by hand");
    halt();
}

void power_halt(enum power_verdict verdict)
{
    console_force();
    irq_disable();
    log_err("halted");
    debug_exit(verdict);
    halt();
}

void power_reset(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } packed_struct no_idt = {0, 0};

    console_force();
    irq_disable();
    if (power.ready && power.reset.bytes && power.reset.io) {
        out8((uint16_t)power.reset.address, power.reset_value);
        wait_us(100000);
    }
    out8(0xcf9, 0x02); /* hard reset, then the edge that starts it */
    wait_us(50);
    out8(0xcf9, 0x06);
    wait_us(100000);
    for (unsigned int i = 0; i < 1000 && (in8(0x64) & 2); i++)
        wait_us(10);
    out8(0x64, 0xfe); /* the keyboard controller pulls the reset line */
    wait_us(100000);
    __asm__ volatile("lidt %0; ud2" : : "m"(no_idt));
    halt();
}

static void reset_key(void)
{
    power_stop_others();
    power_reset();
}
DEBUG_KEY('R', "reset the machine", reset_key);

void cpu_panic_stop(void)
{
    static bool entered;

    irq_disable();
    if (__atomic_exchange_n(&entered, true, __ATOMIC_SEQ_CST))
        halt();
    console_force();
    power_stop_others();
    if (!trap_reporting)
        backtrace_print((uint64_t)__builtin_return_address(0) - 1,
                        *(const uint64_t *const *)__builtin_frame_address(0));
    trace_dump(16);
    debug_exit(POWER_PANIC);
    if (params.noreboot) {
        log_err("halted (noreboot)");
        halt();
    }
    log_err("resetting in 5 seconds");
    wait_us(5000000);
    power_reset();
}

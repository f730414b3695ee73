/* SPDX-License-Identifier: Apache-2.0 */
/* The local APIC. Register offsets are those of the xAPIC page; x2APIC MSRs are at offset / 16. */
#include "arch/x86/host/lapic.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/io.h"
#include "arch/x86/cpu/mmu.h"
#include "arch/x86/cpu/msr.h"
#include "arch/x86/cpu/trap.h"
#include "core/clock.h"
#include "core/pcpu.h"
#include "core/printk.h"
#include "core/trace.h"
#include "lib/muldiv.h"

#define REG_ID         0x020
#define REG_VERSION    0x030
#define REG_TPR        0x080
#define REG_EOI        0x0b0
#define REG_LDR        0x0d0
#define REG_DFR        0x0e0
#define REG_SVR        0x0f0
#define REG_ISR        0x100
#define REG_ESR        0x280
#define REG_LVT_CMCI   0x2f0
#define REG_ICR        0x300
#define REG_ICR_HIGH   0x310
#define REG_LVT_TIMER  0x320
#define REG_LVT_THERM  0x330
#define REG_LVT_PERF   0x340
#define REG_LVT_LINT0  0x350
#define REG_LVT_LINT1  0x360
#define REG_LVT_ERROR  0x370
#define REG_TIMER_INIT 0x380
#define REG_TIMER_NOW  0x390
#define REG_TIMER_DIV  0x3e0

#define SVR_ENABLE     (1u << 8)
#define LVT_MASKED     (1u << 16)
#define LVT_NMI        (4u << 8)
#define LVT_DEADLINE   (2u << 17)
#define ICR_NMI        (4u << 8)
#define ICR_INIT       (5u << 8)
#define ICR_STARTUP    (6u << 8)
#define ICR_BUSY       (1u << 12)
#define ICR_ASSERT     (1u << 14)
#define DIVIDE_BY_1    0xbu

static volatile char *page;
static bool x2apic, deadline_mode;
static uint64_t timer_hz;
static struct time_scale ns_to_ticks; /* of the timer, or of the TSC in deadline mode */

static uint32_t reg_read(unsigned int reg)
{
    return x2apic ? (uint32_t)rdmsr(MSR_X2APIC_BASE + reg / 16) : mmio_read32(page + reg);
}

static void reg_write(unsigned int reg, uint32_t v)
{
    if (x2apic)
        wrmsr(MSR_X2APIC_BASE + reg / 16, v);
    else
        mmio_write32(page + reg, v);
}

static void lapic_eoi(void)
{
    reg_write(REG_EOI, 0);
}

static void timer_fired(void)
{
    __atomic_fetch_or(&this_cpu()->shared->work, WORK_TIMER, __ATOMIC_SEQ_CST);
}

/* No message: an interrupt handler takes no lock. */
static void error_seen(void)
{
    reg_write(REG_ESR, 0);
    trace(TRACE_IRQ, VECTOR_APIC_ERROR, reg_read(REG_ESR));
}

static void spurious(void)
{
}

uint32_t lapic_id(void)
{
    uint32_t id = reg_read(REG_ID);

    return x2apic ? id : id >> 24;
}

bool lapic_is_x2apic(void)
{
    return x2apic;
}

void lapic_init(hpa_t base, uint32_t max_id)
{
    uint64_t v = rdmsr(MSR_APIC_BASE);

    x2apic = (v & APIC_BASE_X2APIC) || (max_id > 254 && cpu_has(CPU_X2APIC));
    deadline_mode = cpu_has(CPU_TSC_DEADLINE);
    if (!x2apic) {
        if ((v & APIC_BASE_ADDRESS) != base.v)
            log_warn("APIC at %#llx, firmware says %#lx", v & APIC_BASE_ADDRESS, base.v);
        page = mmu_device_map(_hpa(v & APIC_BASE_ADDRESS), PAGE_SIZE, false);
        BUG_ON(!page);
    }
    irq_end = lapic_eoi;
    irq_handler_set(VECTOR_TIMER, timer_fired);
    irq_handler_set(VECTOR_APIC_ERROR, error_seen);
    irq_handler_set(VECTOR_SPURIOUS, spurious);
}

/* In-service bits that firmware left would block lower vectors for ever. */
static void clear_in_service(void)
{
    for (unsigned int i = 0; i < 8; i++)
        for (unsigned int n = 0; n < 32 && reg_read(REG_ISR + 16 * i); n++)
            lapic_eoi();
}

void lapic_cpu_init(void)
{
    uint64_t v = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;
    unsigned int lvts;

    if (x2apic && !(v & APIC_BASE_X2APIC))
        wrmsr(MSR_APIC_BASE, v); /* off, xAPIC, x2APIC: no step may be left out */
    wrmsr(MSR_APIC_BASE, x2apic ? v | APIC_BASE_X2APIC : v);
    lvts = ((reg_read(REG_VERSION) >> 16) & 0xff) + 1;
    reg_write(REG_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    reg_write(REG_TPR, 0);
    if (!x2apic) {
        reg_write(REG_DFR, ~0u);
        reg_write(REG_LDR, 0);
    }
    reg_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    reg_write(REG_TIMER_INIT, 0);
    reg_write(REG_LVT_LINT0, LVT_MASKED);
    reg_write(REG_LVT_LINT1, LVT_NMI);
    if (lvts >= 5)
        reg_write(REG_LVT_PERF, LVT_MASKED);
    if (lvts >= 6)
        reg_write(REG_LVT_THERM, LVT_MASKED);
    if (lvts >= 7)
        reg_write(REG_LVT_CMCI, LVT_MASKED);
    clear_in_service();
    reg_write(REG_ESR, 0);
    reg_write(REG_ESR, 0);
    reg_write(REG_LVT_ERROR, VECTOR_APIC_ERROR);
    reg_write(REG_TIMER_DIV, DIVIDE_BY_1);
    if (deadline_mode) {
        reg_write(REG_LVT_TIMER, LVT_DEADLINE | VECTOR_TIMER);
        smp_mb(); /* an xAPIC's store must be done before the first deadline */
        wrmsr(MSR_TSC_DEADLINE, 0);
    } else {
        reg_write(REG_LVT_TIMER, VECTOR_TIMER);
    }
}

/* -- interrupts to other CPUs ----------------------------------------------------------------- */

static void icr_wait(void)
{
    for (unsigned int i = 0; i < 100000 && (reg_read(REG_ICR) & ICR_BUSY); i++)
        cpu_relax();
}

/* Not interrupted between the two halves: an interrupt handler may send, too. */
static void icr_write(uint32_t id, uint32_t command)
{
    bool irqs = irq_enabled();

    if (x2apic) {
        smp_mb(); /* the register write does not wait for earlier stores */
        wrmsr(MSR_X2APIC_BASE + REG_ICR / 16, ((uint64_t)id << 32) | command);
        return;
    }
    irq_disable();
    icr_wait();
    reg_write(REG_ICR_HIGH, id << 24);
    reg_write(REG_ICR, command);
    if (irqs)
        irq_enable();
}

void lapic_send(uint32_t id, uint8_t vector)
{
    icr_write(id, ICR_ASSERT | vector);
}

void lapic_send_init(uint32_t id)
{
    icr_write(id, ICR_ASSERT | ICR_INIT);
}

void lapic_send_startup(uint32_t id, uint8_t start_page)
{
    icr_write(id, ICR_ASSERT | ICR_STARTUP | start_page);
}

void lapic_send_nmi(uint32_t id)
{
    icr_write(id, ICR_ASSERT | ICR_NMI);
}

void cpu_kick(unsigned int cpu)
{
    lapic_send(pcpu_shared[cpu].hw_id, VECTOR_KICK);
}

/* -- timer ------------------------------------------------------------------------------------ */

bool lapic_timer_is_deadline(void)
{
    return deadline_mode;
}

void lapic_timer_start_raw(void)
{
    reg_write(REG_TIMER_INIT, ~0u);
}

uint32_t lapic_timer_left(void)
{
    return reg_read(REG_TIMER_NOW);
}

void lapic_timer_set_rate(uint64_t hz)
{
    reg_write(REG_TIMER_INIT, 0);
    timer_hz = deadline_mode ? clock_tsc_hz : hz;
    ns_to_ticks = time_scale_make(1000000000, timer_hz);
}

void cpu_timer_set(nsec_t deadline)
{
    uint64_t tsc = cpu_tsc(), ticks;
    nsec_t wait;

    if (deadline == NSEC_NEVER) {
        if (deadline_mode)
            wrmsr(MSR_TSC_DEADLINE, 0);
        else
            reg_write(REG_TIMER_INIT, 0);
        return;
    }
    wait = deadline - clock_at_tsc(tsc);
    ticks = 1 + (wait <= 0 ? 0 : time_scale_apply(ns_to_ticks, (uint64_t)min(wait, SEC(3600))));
    if (deadline_mode)
        wrmsr(MSR_TSC_DEADLINE, tsc + ticks);
    else /* a long wait is cut: the timer queue's handler arms the rest */
        reg_write(REG_TIMER_INIT, (uint32_t)min(ticks, (uint64_t)UINT32_MAX));
}

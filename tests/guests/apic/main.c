/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: the local APIC of each vCPU behaves like the manual's in both modes: registers,
 * priorities, self and cross IPIs, NMI, INIT and SIPI of all vCPUs, the timer one-shot, periodic
 * and by TSC deadline, and what must fault in x2APIC mode. AMD APM vol. 2, chapter 16; Intel SDM
 * vol. 3, 10.12.
 *
 * RUN: memory=32M vcpus=4
 */
#include "checks.h"

static struct {
    bool high_in_service, nested_allowed, low_left_pending;
    unsigned int order[4], n;
} seen;

unsigned int taken(unsigned int cpu, unsigned int vector)
{
    return (unsigned int)__atomic_load_n(&cpu_get(cpu)->count[vector], __ATOMIC_ACQUIRE);
}

bool taken_soon(unsigned int cpu, unsigned int vector, unsigned int count)
{
    uint64_t end = now_ns() + 2000000000;
    while (taken(cpu, vector) < count)
        if (now_ns() > end)
            return false;
    return true;
}

void interrupts_window(void)
{
    __asm__ volatile("sti\n nop\n nop\n nop\n cli" ::: "memory");
}

void eoi_handler(struct regs *r)
{
    (void)r;
    apic_eoi();
}

static void on_low(struct regs *r)
{
    (void)r;
    seen.order[seen.n++ & 3] = LOW;
    CHECK(apic_bit(APIC_ISR, LOW) && !apic_bit(APIC_IRR, LOW), "IRR and ISR of the low vector");
    EXPECT(apic_read(APIC_PPR), LOW & 0xf0);
    if (seen.nested_allowed) {
        apic_icr(0, ICR_SELF | ICR_ASSERT | HIGH);
        interrupts_window(); /* the higher class comes in between */
        apic_icr(0, ICR_SELF | ICR_ASSERT | LOW);
        interrupts_window(); /* the same does not */
        seen.low_left_pending = apic_bit(APIC_IRR, LOW);
        seen.nested_allowed = false;
    }
    apic_eoi();
}

static void on_high(struct regs *r)
{
    (void)r;
    seen.order[seen.n++ & 3] = HIGH;
    seen.high_in_service = apic_bit(APIC_ISR, HIGH);
    apic_eoi();
}

static void check_registers(void)
{
    apic_enable();
    EXPECT(apic_read(APIC_ID), 0);
    EXPECT(apic_read(APIC_VERSION) & 0xff, 0x14);
    CHECK((apic_read(APIC_VERSION) >> 16 & 0xff) >= 4, "number of LVT entries");
    EXPECT(apic_read(APIC_SVR), 0x1ff);
    for (uint32_t v = 0; v < 256; v += 0x11) {
        apic_write(APIC_TPR, v);
        EXPECT(apic_read(APIC_TPR), v);
        EXPECT(apic_read(APIC_PPR), v);
    }
    apic_write(APIC_TPR, 0);
    apic_write(APIC_LDR, 0x5a000000);
    EXPECT(apic_read(APIC_LDR), 0x5a000000);
    apic_write(APIC_DFR, 0x0fffffff);
    EXPECT(apic_read(APIC_DFR), 0x0fffffff);
    apic_write(APIC_DFR, 0xffffffff);
    apic_write(APIC_VERSION, 0); /* read-only */
    EXPECT(apic_read(APIC_VERSION) & 0xff, 0x14);
    static const unsigned int lvts[] = {APIC_LVT_TIMER, APIC_LVT_LINT0, APIC_LVT_LINT1,
                                        APIC_LVT_ERROR};
    for (size_t i = 0; i < ARRAY_SIZE(lvts); i++) {
        apic_write(lvts[i], APIC_LVT_MASKED | 0x44);
        EXPECT(apic_read(lvts[i]), APIC_LVT_MASKED | 0x44);
    }
    apic_write(APIC_EOI, 0); /* nothing in service */
}

void check_self_ipi(void)
{
    unsigned int low = taken(0, LOW), high = taken(0, HIGH);
    seen.n = 0;
    apic_icr(0, ICR_SELF | ICR_ASSERT | LOW);
    apic_icr(0, ICR_SELF | ICR_ASSERT | LOW); /* merges */
    apic_icr(0, ICR_SELF | ICR_ASSERT | HIGH);
    CHECK(apic_bit(APIC_IRR, LOW) && apic_bit(APIC_IRR, HIGH), "IRR of self IPIs");
    EXPECT(taken(0, LOW), low);
    interrupts_window();
    EXPECT(taken(0, LOW), low + 1);
    EXPECT(taken(0, HIGH), high + 1);
    EXPECT(seen.order[0], HIGH);
    EXPECT(seen.order[1], LOW);
    EXPECT(seen.high_in_service, 1);
    CHECK(!apic_bit(APIC_ISR, LOW) && !apic_bit(APIC_IRR, LOW), "left after EOI");

    seen.nested_allowed = true;
    seen.low_left_pending = false;
    apic_icr(0, ICR_SELF | ICR_ASSERT | LOW);
    interrupts_window();
    EXPECT(seen.low_left_pending, 1);
    EXPECT(taken(0, LOW), low + 3);
    EXPECT(taken(0, HIGH), high + 2);
}

/* Vectors at or below the task priority class wait; CR8 is the same register. */
static void check_priority(void)
{
    unsigned int low = taken(0, LOW), high = taken(0, HIGH);
    apic_write(APIC_TPR, LOW | 3);
    apic_icr(0, ICR_SELF | ICR_ASSERT | LOW);
    apic_icr(0, ICR_SELF | ICR_ASSERT | HIGH);
    interrupts_window();
    EXPECT(taken(0, LOW), low);
    EXPECT(taken(0, HIGH), high + 1);
    unsigned long cr8;
    __asm__ volatile("mov %%cr8, %0" : "=r"(cr8));
    EXPECT(cr8, LOW >> 4);
    __asm__ volatile("mov %0, %%cr8" ::"r"(5ul));
    EXPECT(apic_read(APIC_TPR), 0x50);
    interrupts_window();
    EXPECT(taken(0, LOW), low + 1);
    __asm__ volatile("mov %0, %%cr8" ::"r"(0ul));
    EXPECT(apic_read(APIC_TPR), 0);
}

/* With the APIC switched off by software nothing is accepted; the LVTs are masked by it. */
static void check_software_disable(void)
{
    unsigned int low = taken(0, LOW);
    apic_write(APIC_LVT_LINT0, 0x44);
    apic_write(APIC_SVR, 0xff);
    EXPECT(apic_read(APIC_LVT_LINT0) & APIC_LVT_MASKED, APIC_LVT_MASKED);
    apic_write(APIC_LVT_LINT0, 0x44); /* stays masked */
    EXPECT(apic_read(APIC_LVT_LINT0) & APIC_LVT_MASKED, APIC_LVT_MASKED);
    apic_icr(0, ICR_SELF | ICR_ASSERT | LOW);
    interrupts_window();
    EXPECT(taken(0, LOW), low);
    apic_enable();
    interrupts_window();
    EXPECT(taken(0, LOW), low);
}

GUEST_MAIN
{
    trap_handler(LOW, on_low);
    trap_handler(HIGH, on_high);
    trap_handler(TIMER, eoi_handler);
    check_registers();
    check_self_ipi();
    if (!on_xen) /* Xen 4.17 hangs on QEMU's SVM with an interrupt held back by priority */
        check_priority();
    check_software_disable();
    check_timer();
    check_others();
    check_x2apic();
}

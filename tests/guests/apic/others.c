/* SPDX-License-Identifier: Apache-2.0 */
/* INIT and SIPI of all other vCPUs, and IPIs of each kind of destination to them. */
#include "checks.h"
#include "entry.h"

#define TRAMPOLINE_STATE_AT (0x8000ul + (unsigned long)(trampoline_state - trampoline))

extern const uint8_t trampoline[], trampoline_state[];
static unsigned int entered[MAX_CPUS];
static volatile unsigned int stop;

static void sleeper(void *arg)
{
    unsigned int id = this_cpu()->id;
    (void)arg;
    apic_write(APIC_LDR, 1u << (24 + id));
    __atomic_fetch_add(&entered[id], 1, __ATOMIC_SEQ_CST);
    while (!stop)
        sti_hlt_cli();
}

static void on_nmi(struct regs *r)
{
    (void)r;
}

static void start_all(unsigned int n)
{
    for (unsigned int i = 1; i < n; i++) {
        if (!cpu_start(i, sleeper, NULL))
            test_error("vCPU %u does not start", i);
        const struct sipi_state *s = (const void *)TRAMPOLINE_STATE_AT;
        EXPECT(s->eflags, 2);
        EXPECT(s->cr0 & ~0x60000000u, 0x10);
        EXPECT(s->cr4, 0);
        EXPECT(cpu_get(i)->apic_id, 2 * i);
        EXPECT(vcpu_op(VCPUOP_is_up, i, 0), 1);
    }
    delay_us(10000);
    for (unsigned int i = 1; i < n; i++)
        EXPECT(entered[i], 1); /* the second SIPI did nothing */
}

static void check_destinations(unsigned int n)
{
    for (unsigned int i = 1; i < n; i++) {
        apic_icr(2 * i, ICR_ASSERT | TIMER); /* physical */
        CHECK(taken_soon(i, TIMER, 1), "physical IPI to vCPU %u", i);
    }
    apic_icr(0, ICR_OTHERS | ICR_ASSERT | TIMER);
    for (unsigned int i = 1; i < n; i++)
        CHECK(taken_soon(i, TIMER, 2), "IPI to all others, vCPU %u", i);
    unsigned int mine = taken(0, TIMER);
    apic_icr(0, ICR_ALL | ICR_ASSERT | TIMER);
    for (unsigned int i = 1; i < n; i++)
        CHECK(taken_soon(i, TIMER, 3), "IPI to all, vCPU %u", i);
    interrupts_window();
    EXPECT(taken(0, TIMER), mine + 1);
    apic_icr(0xff, ICR_ASSERT | TIMER); /* physical broadcast */
    for (unsigned int i = 1; i < n; i++)
        CHECK(taken_soon(i, TIMER, 4), "physical broadcast, vCPU %u", i);
    interrupts_window();
    EXPECT(taken(0, TIMER), mine + 2);

    apic_write(APIC_LDR, 1u << 24);
    apic_icr(((1u << n) - 1) & ~2u, ICR_LOGICAL | ICR_ASSERT | TIMER); /* all but vCPU 1 */
    for (unsigned int i = 2; i < n; i++)
        CHECK(taken_soon(i, TIMER, 5), "logical IPI, vCPU %u", i);
    interrupts_window();
    EXPECT(taken(0, TIMER), mine + 3);
    EXPECT(taken(1, TIMER), 4);
    apic_icr(1, ICR_ASSERT | TIMER);           /* nobody has an odd APIC id */
    apic_icr(0, ICR_SELF | ICR_ASSERT | 0x05); /* vector below 16: not delivered */
    interrupts_window();
    EXPECT(taken(0, 5), 0);
}

static void check_nmi(void)
{
    trap_handler(2, on_nmi);
    apic_icr(2, ICR_NMI | ICR_ASSERT);
    CHECK(taken_soon(1, 2, 1), "NMI by ICR to vCPU 1");
    EXPECT(vcpu_op(VCPUOP_send_nmi, 1, 0), 0);
    CHECK(taken_soon(1, 2, 2), "NMI by hypercall to vCPU 1");
}

/* INIT takes a running vCPU down; SIPI starts it afresh. */
static void check_restart(void)
{
    apic_icr(2, ICR_INIT | ICR_ASSERT);
    delay_us(10000);
    EXPECT(vcpu_op(VCPUOP_is_up, 1, 0), 0);
    if (!cpu_start(1, sleeper, NULL))
        fail("vCPU 1 does not start again");
    apic_icr(2, ICR_ASSERT | TIMER);
    CHECK(taken_soon(1, TIMER, 1), "IPI after the restart");
    EXPECT(entered[1], 2);
}

void check_others(void)
{
    unsigned int n = cpu_count();
    if (n < 2) {
        print("one vCPU only");
        return;
    }
    start_all(n);
    check_destinations(n);
    check_nmi();
    check_restart();
    stop = 1;
}

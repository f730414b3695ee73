/* SPDX-License-Identifier: Apache-2.0 */
/* The APIC timer: its rate, one-shot, periodic, masked, TSC deadline. */
#include "checks.h"

#define HZ 100000000u /* the rate that Xen has always given its guests */

static uint64_t us(uint64_t from)
{
    return (now_ns() - from) / 1000;
}

static void check_one_shot(void)
{
    unsigned int before = taken(0, TIMER);
    apic_write(APIC_TIMER_DIVIDE, 0xb); /* by 1 */
    EXPECT(apic_read(APIC_TIMER_DIVIDE), 0xb);
    apic_write(APIC_LVT_TIMER, TIMER);
    uint64_t start = now_ns();
    apic_write(APIC_TIMER_INITIAL, HZ / 100);
    uint32_t first = apic_read(APIC_TIMER_CURRENT);
    delay_us(1000);
    uint32_t later = apic_read(APIC_TIMER_CURRENT);
    CHECK(first <= HZ / 100 && later < first && first - later >= HZ / 1000 - HZ / 20000,
          "current count went from %u to %u in 1 ms", first, later);
    while (taken(0, TIMER) == before && us(start) < 2000000)
        sti_hlt_cli();
    uint64_t took = us(start);
    print("one-shot of 10 ms took %lu us", took);
    EXPECT(taken(0, TIMER), before + 1);
    CHECK(took >= 9950, "10 ms timer after %lu us", took);
    EXPECT(apic_read(APIC_TIMER_CURRENT), 0);
    delay_us(15000);
    interrupts_window();
    EXPECT(taken(0, TIMER), before + 1);

    /* Divided by 16, and stopped by an initial count of 0. */
    apic_write(APIC_TIMER_DIVIDE, 0x3);
    apic_write(APIC_TIMER_INITIAL, HZ / 100 / 16);
    start = now_ns();
    while (taken(0, TIMER) == before + 1 && us(start) < 2000000)
        sti_hlt_cli();
    CHECK(us(start) >= 9900, "10 ms timer by 16 after %lu us", us(start));
    apic_write(APIC_TIMER_INITIAL, HZ / 1000);
    apic_write(APIC_TIMER_INITIAL, 0);
    EXPECT(apic_read(APIC_TIMER_CURRENT), 0);
}

static void check_periodic(void)
{
    unsigned int before = taken(0, TIMER);
    apic_write(APIC_TIMER_DIVIDE, 0xb);
    apic_write(APIC_LVT_TIMER, TIMER | APIC_TIMER_PERIODIC);
    uint64_t start = now_ns();
    apic_write(APIC_TIMER_INITIAL, HZ / 200);
    while (taken(0, TIMER) < before + 5 && us(start) < 2000000)
        sti_hlt_cli();
    uint64_t took = us(start);
    print("5 periods of 5 ms took %lu us", took);
    CHECK(took >= 24500, "5 periods of 5 ms after %lu us", took);

    apic_write(APIC_LVT_TIMER, TIMER | APIC_TIMER_PERIODIC | APIC_LVT_MASKED);
    interrupts_window();
    before = taken(0, TIMER);
    delay_us(12000);
    interrupts_window();
    EXPECT(taken(0, TIMER), before);
    CHECK(apic_read(APIC_TIMER_CURRENT) != 0, "a masked periodic timer does not count");
    apic_write(APIC_TIMER_INITIAL, 0);
}

static void check_deadline(void)
{
    uint64_t v;
    unsigned int before = taken(0, TIMER);
    if (!(cpuid(1, 0).c >> 24 & 1)) {
        print("no TSC deadline timer");
        return;
    }
    apic_write(APIC_LVT_TIMER, TIMER | APIC_TIMER_DEADLINE);
    uint64_t start = rdtsc(), ticks = (uint64_t)tsc_khz() * 100;
    EXPECT(wrmsr_probe(MSR_TSC_DEADLINE, start + ticks), 0);
    EXPECT(rdmsr_probe(MSR_TSC_DEADLINE, &v), 0);
    EXPECT(v, start + ticks);
    while (taken(0, TIMER) == before && rdtsc() < start + 40 * ticks)
        sti_hlt_cli();
    CHECK(rdtsc() >= start + ticks, "deadline came early");
    EXPECT(taken(0, TIMER), before + 1);
    EXPECT(rdmsr_probe(MSR_TSC_DEADLINE, &v), 0);
    EXPECT(v, 0);                                    /* disarmed */
    EXPECT(wrmsr_probe(MSR_TSC_DEADLINE, start), 0); /* past: at once */
    interrupts_window();
    EXPECT(taken(0, TIMER), before + 2);
}

void check_timer(void)
{
    check_one_shot();
    check_periodic();
    check_deadline();
    apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
}

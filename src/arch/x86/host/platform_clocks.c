/* SPDX-License-Identifier: Apache-2.0 */
/* HPET, PM timer, PIT, CMOS clock. */
#include "arch/x86/host/platform_clocks.h"
#include "arch/x86/cpu/io.h"
#include "arch/x86/cpu/mmu.h"
#include "port/cpu.h"

/* A counter that does not move in this many reads is not there. */
static bool counts(uint64_t (*read)(void))
{
    uint64_t first = read();

    for (unsigned int i = 0; i < 100000; i++)
        if (read() != first)
            return true;
    return false;
}

/* -- HPET ------------------------------------------------------------------------------------- */

#define HPET_CAPS       0x000
#define HPET_PERIOD     0x004 /* femtoseconds */
#define HPET_CONFIG     0x010
#define HPET_COUNTER    0x0f0
#define HPET_TIMER(n)   (0x100 + 0x20 * (n))
#define HPET_ENABLE     (1u << 0)
#define HPET_LEGACY     (1u << 1)
#define HPET_TIMER_IRQ  (1u << 2)
#define FEMTO_PER_S     1000000000000000ULL
#define HPET_PERIOD_MAX 100000000u /* by its specification */

static volatile char *hpet;

static uint64_t hpet_read(void)
{
    return mmio_read32(hpet + HPET_COUNTER);
}

bool hpet_probe(const struct acpi_info *acpi, struct platform_clock *c)
{
    uint32_t period, caps, config;

    if (!acpi->has_hpet)
        return false;
    hpet = mmu_device_map(acpi->hpet_address, 0x400, false);
    if (!hpet)
        return false;
    period = mmio_read32(hpet + HPET_PERIOD);
    caps = mmio_read32(hpet + HPET_CAPS);
    if (period < 100000 || period > HPET_PERIOD_MAX)
        return false;
    config = mmio_read32(hpet + HPET_CONFIG) & ~(HPET_ENABLE | HPET_LEGACY);
    mmio_write32(hpet + HPET_CONFIG, config);
    for (unsigned int i = 0; i <= ((caps >> 8) & 31); i++)
        mmio_write32(hpet + HPET_TIMER(i), mmio_read32(hpet + HPET_TIMER(i)) & ~HPET_TIMER_IRQ);
    mmio_write32(hpet + HPET_CONFIG, config | HPET_ENABLE);
    *c = (struct platform_clock){"HPET", FEMTO_PER_S / period, UINT32_MAX, hpet_read, false};
    return counts(hpet_read);
}

/* -- PM timer --------------------------------------------------------------------------------- */

#define PM_TIMER_HZ 3579545u

static uint16_t pm_port;
static uint32_t pm_mask;

/* Some chipsets let a read fall into the middle of a ripple: three that rise are good. */
static uint64_t pm_timer_read(void)
{
    uint32_t a, b, c;

    for (unsigned int i = 0; i < 10; i++) {
        a = in32(pm_port) & pm_mask;
        b = in32(pm_port) & pm_mask;
        c = in32(pm_port) & pm_mask;
        if (a <= b && b <= c)
            return b;
    }
    return c;
}

bool pm_timer_probe(const struct acpi_info *acpi, struct platform_clock *c)
{
    if (!acpi->has_fadt || !acpi->pm_timer.bytes || !acpi->pm_timer.io)
        return false;
    pm_port = (uint16_t)acpi->pm_timer.address;
    pm_mask = acpi->pm_timer_bits == 32 ? UINT32_MAX : 0xffffff;
    *c = (struct platform_clock){"PM timer", PM_TIMER_HZ, pm_mask, pm_timer_read, false};
    return counts(pm_timer_read);
}

/* -- PIT -------------------------------------------------------------------------------------- */

#define PIT_HZ       1193182u
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND  0x43
#define PORT_B       0x61

static uint64_t pit_read(void)
{
    uint32_t v;

    out8(PIT_COMMAND, 0x80); /* latch channel 2 */
    v = in8(PIT_CHANNEL2);
    v |= (uint32_t)in8(PIT_CHANNEL2) << 8;
    return ~v & 0xffff; /* it counts down */
}

bool pit_probe(const struct acpi_info *acpi, struct platform_clock *c)
{
    (void)acpi;
    out8(PORT_B, (uint8_t)((in8(PORT_B) & ~2u) | 1)); /* gate on, speaker off */
    out8(PIT_COMMAND, 0xb0);                          /* channel 2, low then high byte, mode 0 */
    out8(PIT_CHANNEL2, 0xff);
    out8(PIT_CHANNEL2, 0xff);
    *c = (struct platform_clock){"PIT", PIT_HZ, 0xffff, pit_read, true};
    return counts(pit_read);
}

/* -- CMOS ------------------------------------------------------------------------------------- */

#define CMOS_INDEX    0x70
#define CMOS_DATA     0x71
#define CMOS_STATUS_A 0x0a
#define CMOS_UPDATE   0x80

static uint8_t cmos_read(uint8_t reg)
{
    out8(CMOS_INDEX, reg);
    return in8(CMOS_DATA);
}

static struct rtc_registers rtc_read_once(void)
{
    return (struct rtc_registers){cmos_read(0), cmos_read(2), cmos_read(4), cmos_read(7),
                                  cmos_read(8), cmos_read(9), cmos_read(11)};
}

static bool rtc_same(const struct rtc_registers *a, const struct rtc_registers *b)
{
    return a->second == b->second && a->minute == b->minute && a->hour == b->hour &&
           a->day == b->day && a->month == b->month && a->year == b->year;
}

bool rtc_read(struct rtc_registers *r)
{
    struct rtc_registers again;

    /* An update takes 2 ms at most; it is announced 244 us ahead. */
    for (unsigned int i = 0; i < 10000; i++) {
        if (cmos_read(CMOS_STATUS_A) & CMOS_UPDATE)
            continue;
        *r = rtc_read_once();
        again = rtc_read_once();
        if (!(cmos_read(CMOS_STATUS_A) & CMOS_UPDATE) && rtc_same(r, &again))
            return true;
    }
    return false;
}

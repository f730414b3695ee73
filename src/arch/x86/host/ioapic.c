/* SPDX-License-Identifier: Apache-2.0 */
/* I/O APICs. Register 0x10 + 2n is the low half of pin n's entry. */
#include "arch/x86/host/ioapic.h"
#include "abi/xen.h"
#include "arch/x86/cpu/io.h"
#include "arch/x86/cpu/mmu.h"
#include "core/printk.h"

#define SELECT      0x00
#define WINDOW      0x10
#define REG_VERSION 1u
#define REG_PIN(n)  (0x10u + 2 * (n))

#define PIN_LOW     (1u << 13)
#define PIN_LEVEL   (1u << 15)
#define PIN_MASKED  (1u << 16)

struct ioapic {
    volatile char *regs;
    uint32_t gsi_base, pins;
};

static struct ioapic ioapic[ACPI_MAX_IOAPICS];
static unsigned int nr_ioapics;

static uint32_t reg_read(const struct ioapic *a, uint32_t reg)
{
    mmio_write32(a->regs + SELECT, reg);
    return mmio_read32(a->regs + WINDOW);
}

static void reg_write(const struct ioapic *a, uint32_t reg, uint32_t v)
{
    mmio_write32(a->regs + SELECT, reg);
    mmio_write32(a->regs + WINDOW, v);
}

static void ioapic_add(const struct acpi_ioapic *from)
{
    struct ioapic *a = &ioapic[nr_ioapics];

    a->regs = mmu_device_map(from->address, 0x20, false);
    if (!a->regs)
        return;
    a->gsi_base = from->gsi_base;
    a->pins = ((reg_read(a, REG_VERSION) >> 16) & 0xff) + 1;
    for (uint32_t pin = 0; pin < a->pins; pin++)
        reg_write(a, REG_PIN(pin), PIN_MASKED);
    nr_ioapics++;
}

void ioapic_init(const struct acpi_info *acpi)
{
    /* The 8259s: initialised to vectors that nobody uses, so that a spurious one is no exception,
     * then masked. */
    static const uint8_t master[] = {0x20, 4, 1}, slave[] = {0x28, 2, 1};

    if (acpi->has_pic || !acpi->has_madt) {
        out8(0x21, 0xff); /* first, so that what is pending goes away before anything else */
        out8(0xa1, 0xff);
        out8(0x20, 0x11);
        out8(0xa0, 0x11);
        for (unsigned int i = 0; i < sizeof(master); i++) {
            out8(0x21, master[i]);
            out8(0xa1, slave[i]);
        }
        out8(0x21, 0xff);
        out8(0xa1, 0xff);
    }
    for (unsigned int i = 0; i < acpi->nr_ioapics; i++)
        ioapic_add(&acpi->ioapics[i]);
}

int ioapic_route_isa(const struct acpi_info *acpi, uint8_t irq, uint32_t apic_id, uint8_t vector)
{
    uint32_t gsi = irq, low = vector;

    for (unsigned int i = 0; i < acpi->nr_overrides; i++) {
        const struct acpi_override *o = &acpi->overrides[i];

        if (o->isa_irq != irq)
            continue;
        gsi = o->gsi;
        if (ACPI_POLARITY(o->flags) == 3)
            low |= PIN_LOW;
        if (ACPI_TRIGGER(o->flags) == 3)
            low |= PIN_LEVEL;
    }
    if (apic_id > 255)
        return -XEN_ENODEV; /* a pin holds eight bits without interrupt remapping */
    for (unsigned int i = 0; i < nr_ioapics; i++) {
        const struct ioapic *a = &ioapic[i];

        if (gsi < a->gsi_base || gsi - a->gsi_base >= a->pins)
            continue;
        reg_write(a, REG_PIN(gsi - a->gsi_base), PIN_MASKED);
        reg_write(a, REG_PIN(gsi - a->gsi_base) + 1, apic_id << 24);
        reg_write(a, REG_PIN(gsi - a->gsi_base), low);
        return 0;
    }
    return -XEN_ENODEV;
}

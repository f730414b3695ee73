/* SPDX-License-Identifier: Apache-2.0 */
/* Local APIC access in both modes; see apic.h. */
#include "apic.h"
#include "guest.h"

bool apic_is_x2(void)
{
    return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC;
}

static volatile uint32_t *xapic(unsigned int reg)
{
    return (volatile uint32_t *)(APIC_PAGE + reg);
}

uint32_t apic_read(unsigned int reg)
{
    return apic_is_x2() ? (uint32_t)rdmsr(0x800 + reg / 16) : *xapic(reg);
}

void apic_write(unsigned int reg, uint32_t value)
{
    if (apic_is_x2())
        wrmsr(0x800 + reg / 16, value);
    else
        *xapic(reg) = value;
}

void apic_icr(uint32_t destination, uint32_t low)
{
    if (apic_is_x2()) {
        wrmsr(0x830, (uint64_t)destination << 32 | low);
        return;
    }
    *xapic(APIC_ICR_HIGH) = destination << 24;
    *xapic(APIC_ICR) = low;
}

uint32_t apic_id(void)
{
    return apic_is_x2() ? (uint32_t)rdmsr(0x802) : *xapic(APIC_ID) >> 24;
}

bool apic_bit(unsigned int bank, unsigned int vector)
{
    return apic_read(bank + vector / 32 * 16) >> (vector % 32) & 1;
}

void apic_enable(void)
{
    apic_write(APIC_TPR, 0);
    apic_write(APIC_SVR, APIC_SVR_ENABLE | 0xff);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local APIC as the guest sees it, in xAPIC (memory) or x2APIC (MSR) mode; the functions follow
 * the mode that MSR 0x1b shows. Register names by xAPIC offset. AMD APM vol. 2, chapter 16.
 */
#ifndef GUEST_APIC_H
#define GUEST_APIC_H

#include "cpu.h"

#define APIC_PAGE 0xfee00000ul

enum {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30,
    APIC_TPR = 0x80,
    APIC_PPR = 0xa0,
    APIC_EOI = 0xb0,
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0,
    APIC_SVR = 0xf0,
    APIC_ISR = 0x100,
    APIC_TMR = 0x180,
    APIC_IRR = 0x200,
    APIC_ESR = 0x280,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_THERMAL = 0x330,
    APIC_LVT_PMC = 0x340,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
    APIC_SELF_IPI = 0x3f0, /* x2APIC only */
};

#define APIC_BASE_ENABLE    (1u << 11)
#define APIC_BASE_X2APIC    (1u << 10)
#define APIC_SVR_ENABLE     (1u << 8)
#define APIC_LVT_MASKED     (1u << 16)
#define APIC_TIMER_PERIODIC (1u << 17)
#define APIC_TIMER_DEADLINE (2u << 17)

/* ICR: delivery modes and shorthands */
#define ICR_FIXED   0x000u
#define ICR_NMI     0x400u
#define ICR_INIT    0x500u
#define ICR_STARTUP 0x600u
#define ICR_LOGICAL (1u << 11)
#define ICR_ASSERT  (1u << 14)
#define ICR_SELF    (1u << 18)
#define ICR_ALL     (2u << 18)
#define ICR_OTHERS  (3u << 18)

bool apic_is_x2(void);
uint32_t apic_read(unsigned int reg);
void apic_write(unsigned int reg, uint32_t value);
void apic_icr(uint32_t destination, uint32_t low);
uint32_t apic_id(void);
bool apic_bit(unsigned int bank, unsigned int vector); /* bank: APIC_IRR, APIC_ISR, APIC_TMR */

static inline void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}
void apic_enable(void); /* SVR on with spurious vector 0xff, TPR 0 */

#endif

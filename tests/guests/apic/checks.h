/* SPDX-License-Identifier: Apache-2.0 */
/* Between the parts of the apic guest: registers and IPIs (main.c), timer.c, others.c, x2apic.c. */
#ifndef APIC_CHECKS_H
#define APIC_CHECKS_H

#include "apic.h"
#include "guest.h"

#define LOW   0x60u /* vectors of different priority classes */
#define HIGH  0x90u
#define TIMER 0xb0u

void check_timer(void);
void check_others(void);
void check_x2apic(void);
void check_self_ipi(void); /* in either mode */

unsigned int taken(unsigned int cpu, unsigned int vector);
bool taken_soon(unsigned int cpu, unsigned int vector, unsigned int count);
void interrupts_window(void);
void eoi_handler(struct regs *r);

#endif

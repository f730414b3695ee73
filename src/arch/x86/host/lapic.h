/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local APIC of each CPU, by its xAPIC page or, when firmware left it on or an id needs it, by
 * x2APIC registers: end of interrupt, inter-processor interrupts, the timer. AMD APM vol. 2 ch. 16,
 * Intel SDM vol. 3 ch. 11.
 */
#ifndef KR_ARCH_X86_HOST_LAPIC_H
#define KR_ARCH_X86_HOST_LAPIC_H

#include "lib/types.h"

/* Boot CPU: chooses the mode (x2APIC when already on, or when max_id is above 254 and the CPU can),
 * maps the page. `base` is where ACPI says it is; the CPU's own register has the last word. */
void lapic_init(hpa_t base, uint32_t max_id);
/* Every CPU: enabled, everything that firmware left pending or unmasked is cleared. */
void lapic_cpu_init(void);

uint32_t lapic_id(void);
bool lapic_is_x2apic(void);

/* Sends a fixed interrupt, INIT, start-up (page number of the code) or NMI to one APIC id. Any
 * context; a busy xAPIC is waited for, at most about a millisecond. */
void lapic_send(uint32_t id, uint8_t vector);
void lapic_send_init(uint32_t id);
void lapic_send_startup(uint32_t id, uint8_t page);
void lapic_send_nmi(uint32_t id);

/* The timer counts at this rate (one-shot mode); from the calibration, same for all CPUs. */
void lapic_timer_set_rate(uint64_t hz);
/* For the calibration: starts counting down from the greatest value; what is left. */
void lapic_timer_start_raw(void);
uint32_t lapic_timer_left(void);
/* True when the timer takes TSC deadlines, so that no rate is needed. */
bool lapic_timer_is_deadline(void);

#endif

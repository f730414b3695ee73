/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of a PC that run at a known rate: HPET (IA-PC HPET Specification 1.0a), ACPI PM
 * timer (ACPI 6.4 section 4.8.3.3), PIT channel 2 (Intel 8254); and the CMOS date.
 */
#ifndef KR_ARCH_X86_HOST_PLATFORM_CLOCKS_H
#define KR_ARCH_X86_HOST_PLATFORM_CLOCKS_H

#include "host/time.h"

/* Each: true and *c filled when the machine has it and it counts. Boot. */
bool hpet_probe(const struct acpi_info *acpi, struct platform_clock *c);
bool pm_timer_probe(const struct acpi_info *acpi, struct platform_clock *c);
bool pit_probe(const struct acpi_info *acpi, struct platform_clock *c);

/* The CMOS clock's registers, consistent, without waiting for a second's edge. False when it never
 * answers sensibly. */
bool rtc_read(struct rtc_registers *r);

#endif

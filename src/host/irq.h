/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of devices that Krypton itself drives: a free vector, a handler, a route to the boot
 * CPU.
 */
#ifndef KR_HOST_IRQ_H
#define KR_HOST_IRQ_H

#include "host/acpi.h"

/* An ISA interrupt (with ACPI's overrides) runs `handler` on the boot CPU, interrupts off: it only
 * moves data and sets bits. -XEN_ENODEV, -XEN_ENOSPC. Boot. */
int must_check irq_route_isa(const struct acpi_info *acpi, uint8_t irq, void (*handler)(void));

#endif

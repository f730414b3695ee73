/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O APICs: every pin is masked at boot; Krypton routes the few interrupts that it takes itself.
 * Intel 82093AA data sheet; numbering and overrides: ACPI 6.4 section 5.2.12.
 */
#ifndef KR_ARCH_X86_HOST_IOAPIC_H
#define KR_ARCH_X86_HOST_IOAPIC_H

#include "host/acpi.h"

/* Boot: maps all, masks all pins; also masks the two 8259 when the machine has them. */
void ioapic_init(const struct acpi_info *acpi);
/* Delivers an ISA interrupt (with the overrides of ACPI) to the APIC id as `vector`.
 * -XEN_ENODEV when no I/O APIC has the pin. Boot. */
int must_check ioapic_route_isa(const struct acpi_info *acpi, uint8_t irq, uint32_t apic_id,
                                uint8_t vector);

#endif

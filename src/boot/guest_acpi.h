/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ACPI tables of a PVH guest: RSDP, XSDT, FADT, FACS, MADT and a DSDT with nothing but
 * processor objects (ACPI 5.0). There is no \_S5 in it on purpose: the guest then powers off by
 * halting its CPUs, which the hypervisor understands.
 */
#ifndef KR_BOOT_GUEST_ACPI_H
#define KR_BOOT_GUEST_ACPI_H

#include "lib/types.h"

/* Enough for GUEST_MAX_VCPUS. */
#define GUEST_ACPI_SIZE 4096

/*
 * Writes the tables for a guest with `vcpus` (1..256) CPUs, as they are to stand at guest-physical
 * `base` (64-byte aligned, all below 4 GiB); the RSDP comes first. Returns the bytes used, 0 when
 * `size` is too small for them.
 */
size_t must_check guest_acpi_build(void *buf, size_t size, gpa_t base, unsigned int vcpus);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bring-up of memory and CPUs, in the order in which boot/main.c calls it. One CPU runs until
 * smp_start() except where said.
 */
#ifndef KR_ARCH_X86_BOOT_BOOT_H
#define KR_ARCH_X86_BOOT_BOOT_H

#include "boot/bootinfo.h"
#include "host/acpi.h"

/* The boot CPU's first per-CPU area and windows, in the first tables: this_cpu() works then. */
void space_early_init(void);
/* A CPU's own tables, area and stacks; its top-level table's address, 0 when memory is out. */
uint64_t must_check space_create(unsigned int cpu);
/* Goes on in fn on CPU 0's own tables and stack; the first ones, and the identity map in them, are
 * not used again but by CPUs on their way up. */
void noreturn_fn space_enter(void (*fn)(void));

/* Everything below 4 GiB is mapped to itself in the first tables: reads the boot loader's data. */
void memory_identity_init(void);
const void *memory_identity(hpa_t at, size_t len);
/* Sanitised map, modules moved to the top, frame table, heap. Fills boot/module.h's array; a module
 * that found no room has size 0 there. */
void memory_init(struct boot_info *bi);

/* Starts the other CPUs; each that answers runs through ap_main() (boot/main.c) when
 * smp_release() lets it. */
void smp_start(const struct acpi_info *acpi);
void smp_release(void);
void noreturn_fn ap_main(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the machine's life: off by ACPI S5, or reset. ACPI 6.4 sections 4.8.3.2, 4.8.4.6,
 * 16.1.
 */
#ifndef KR_HOST_POWER_H
#define KR_HOST_POWER_H

#include "host/acpi.h"

/* debug-exit= values */
enum power_verdict {
    POWER_ALL_OFF = 0,
    POWER_GUEST_CRASHED = 1,
    POWER_NOTHING_STARTED = 2,
    POWER_PANIC = 3,
};

/* Boot: what later calls need; switches the machine to ACPI mode. */
void power_init(const struct acpi_info *acpi);

/* Writes the verdict to the debug-exit port, then switches the machine off; where that does not
 * work says so and halts. The other CPUs have been stopped. */
void noreturn_fn power_off(enum power_verdict verdict);
/* As above, but leaves the machine on with its last words on the screen. */
void noreturn_fn power_halt(enum power_verdict verdict);
/* By every way there is in turn. The other CPUs have been stopped. */
void noreturn_fn power_reset(void);
/* NMIs the other CPUs that are online into a halt: one that was never started is firmware's. */
void power_stop_others(void);

#endif

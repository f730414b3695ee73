/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where system time comes from: a platform clock (HPET, PM timer, PIT) against which the TSC is
 * measured at boot, and, when TSCs are not invariant or not synchronised, once a second again on
 * each CPU. Also the date. Reading time is core/clock.h.
 */
#ifndef KR_HOST_TIME_H
#define KR_HOST_TIME_H

#include "host/acpi.h"
#include "lib/muldiv.h"

/* A counter that wraps at mask + 1. */
struct platform_clock {
    const char *name;
    uint64_t hz;
    uint64_t mask;
    uint64_t (*read)(void);
    bool brief; /* wraps too soon to be more than a measure for boot */
};

/* Boot CPU, interrupts off: measures (at most 10 ms), sets the CPU's stamp and the timer's rate,
 * reads the date. */
void time_init(const struct acpi_info *acpi);
/* Boot CPU in boot, CPUs in pairs: the boot CPU calls time_check_cpu() while the new one runs
 * time_cpu_init(): compares the two TSCs and sets the new CPU's stamp. */
void time_check_cpu(void);
void time_cpu_init(void);
/* Boot CPU, all CPUs up: decides clock_tsc_stable. Then every CPU, before its loop: starts the
 * renewal of its stamp where that is needed. */
void time_decide(void);
void time_cpu_start(void);

/* -- pure parts (tests/unit/time_test.c) ------------------------------------------------------ */

/* One moment as the TSC and the platform clock (ns) see it. */
struct time_sample {
    uint64_t tsc;
    nsec_t ns;
};

struct time_stamp {
    nsec_t base_ns;
    struct time_scale scale;
};

/*
 * A new stamp for a CPU whose clock shows `own` at sample `now`, having been at `last` before: it
 * goes on from own without a step and with the rate that meets the platform clock one second later.
 * A CPU more than 100 ms behind is set forward; one ahead is slowed, never set back. False (keep
 * the old stamp) when the samples are too close together or make no sense.
 */
bool must_check time_restamp(const struct time_sample *last, const struct time_sample *now,
                             nsec_t own, struct time_stamp *stamp);

/* The CMOS clock's registers to seconds since 1970; -XEN_EINVAL for no date. */
struct rtc_registers {
    uint8_t second, minute, hour, day, month, year, status_b;
};
int must_check rtc_decode(const struct rtc_registers *r, uint64_t *seconds);

#endif

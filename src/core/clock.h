/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System time: nanoseconds since boot, the same on all CPUs, never going back on one. Also the
 * wall clock base. Floor 3 (host/time) calibrates and writes the stamps.
 */
#ifndef KR_CORE_CLOCK_H
#define KR_CORE_CLOCK_H

#include "lib/types.h"

struct clock_stamp;

/* Any context. */
nsec_t clock_now(void);

/* The calling CPU's time for the given TSC value of its own. */
nsec_t clock_at_tsc(uint64_t tsc);

extern uint64_t clock_tsc_hz;  /* measured; constant after boot */
extern bool clock_tsc_stable;  /* invariant and synchronised: guests see TSC_STABLE */
extern uint64_t clock_wall_ns; /* UTC nanoseconds at system time 0 */

/* Writes the calling CPU's stamp, seqlock as readers on other CPUs expect. A stamp that would set
 * the CPU's time back has base_ns raised by the difference. */
void clock_stamp_set(uint64_t base_tsc, nsec_t base_ns, uint32_t mul, int8_t shift);

#endif

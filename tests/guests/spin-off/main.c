/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: a vCPU that loops with interrupts off is taken off its CPU all the same, and gets no
 * more than its share: it spins for `seconds` of the TSC (0: for ever) on every vCPU, beside a
 * guest that watches its own clock.
 *
 * RUN: memory=32M vcpus=2 -- seconds=5
 * BESIDE: innocent
 * EXACT: seconds=2
 */
#include "guest.h"

static void spin(void *arg)
{
    uint64_t seconds = param_num("seconds", 0);
    uint64_t end = rdtsc() + seconds * 1000 * tsc_khz();
    (void)arg;
    cli();
    while (!seconds || rdtsc() < end)
        ;
}

GUEST_MAIN
{
    unsigned int n = cpu_count();
    for (unsigned int i = 1; i < n; i++)
        if (!cpu_start(i, spin, NULL))
            test_error("vCPU %u does not start", i);
    spin(NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Between the parts of the benchmark guest: main.c measures, exits.c, events.c and domains.c do. */
#ifndef BENCH_H
#define BENCH_H

#include "apic.h"
#include "events.h"
#include "grant.h"

typedef void (*bench_fn)(void);

/* Prints one line; reach and xen are figures to compare with, 0 for none. */
void bench_run(const char *name, bench_fn op, unsigned int reach, unsigned int xen);
void bench_report(const char *name, uint64_t cost, unsigned int reach, unsigned int xen);
uint64_t bench_median(uint64_t *v, unsigned int n); /* sorts v */

void bench_exits(void);          /* one exit each, hypercalls, memory */
void bench_events(void);         /* events, IPIs, timer; leaves the guest in FIFO and x2APIC mode */
void bench_domains(void);        /* with the peer */
void bench_give(struct peer *p); /* the server's part: grants what bench_domains uses */

extern struct peer peer;

#endif

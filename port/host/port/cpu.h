/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPU that executes this code, in the simulated machine: the one that sim_cpu_set() chose
 * (port/host/sim.h). Meaning and contexts are those of port/metal/port/cpu.h.
 */
#ifndef KR_PORT_CPU_H
#define KR_PORT_CPU_H

#include "lib/types.h"

struct pcpu;

extern struct pcpu *sim_this_cpu;

static inline struct pcpu *this_cpu(void)
{
    return sim_this_cpu;
}

/* Somebody spins: kicks that are under way arrive; if none is, the spin would never end. */
void cpu_relax(void);

static inline void barrier(void)
{
    __asm__ volatile("" ::: "memory");
}
static inline void smp_mb(void)
{
    barrier();
}
static inline void smp_rmb(void)
{
    barrier();
}
static inline void smp_wmb(void)
{
    barrier();
}

void irq_disable(void);
void irq_enable(void);
bool irq_enabled(void);
void cpu_idle_wait(void);

uint64_t cpu_tsc(void);
static inline uint64_t cpu_tsc_unordered(void)
{
    return cpu_tsc();
}
void cpu_kick(unsigned int cpu);
void cpu_timer_set(nsec_t deadline);
void noreturn_fn cpu_panic_stop(void);

#endif

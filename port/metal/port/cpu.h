/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPU that executes this code, on real hardware: its per-CPU area, interrupt flag, barriers.
 * port/host has the same header for the simulated machine. Interrupt handlers and everything that
 * runs with interrupts on may use all of it.
 */
#ifndef KR_PORT_CPU_H
#define KR_PORT_CPU_H

#include "lib/types.h"

struct pcpu;

/* Every CPU maps its own per-CPU area, and no other's, at this address (arch/x86/cpu/layout.h). */
#define PCPU_VIRT 0xffffff0000000000UL

static inline struct pcpu *this_cpu(void)
{
    return (struct pcpu *)PCPU_VIRT;
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}

/* Compiler barrier, and the full memory barrier of all CPUs. */
static inline void barrier(void)
{
    __asm__ volatile("" ::: "memory");
}
static inline void smp_mb(void)
{
    __asm__ volatile("lock; addl $0, -4(%%rsp)" ::: "memory", "cc");
}
/* x86 orders loads with loads and stores with stores of write-back memory. */
static inline void smp_rmb(void)
{
    barrier();
}
static inline void smp_wmb(void)
{
    barrier();
}

static inline void irq_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}
static inline void irq_enable(void)
{
    __asm__ volatile("sti" ::: "memory");
}
static inline bool irq_enabled(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    return flags & 0x200;
}

/* Turns interrupts on and sleeps until the next one, without a gap between the two; returns with
 * interrupts on. Call with interrupts off, after the last look for work. */
static inline void cpu_idle_wait(void)
{
    __asm__ volatile("sti; hlt" ::: "memory");
}

/* The time stamp counter, ordered after all earlier loads. */
static inline uint64_t cpu_tsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return ((uint64_t)hi << 32) | lo;
}

/* The same without any ordering: for what only wants a rough moment. */
static inline uint64_t cpu_tsc_unordered(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return ((uint64_t)hi << 32) | lo;
}

/* Interrupts CPU `cpu` (never the caller) so that it looks at its work bits; arch/x86/host. */
void cpu_kick(unsigned int cpu);

/* Has the local timer raise WORK_TIMER at `deadline` (system time) or at once when past;
 * NSEC_NEVER stops it. One deadline per CPU, for the calling CPU; arch/x86/host. */
void cpu_timer_set(nsec_t deadline);

/* Ends the machine's life after a panic message: stops other CPUs, prints the backtrace and the
 * last trace records, then debug-exit, reset or halt. */
void noreturn_fn cpu_panic_stop(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated machine, as tests and fuzz targets drive it: physical memory, CPUs that are stepped
 * one at a time, a clock that moves when told. Single-threaded: whoever would wait for another CPU
 * has its kicks delivered, or panics when that cannot end the wait.
 */
#ifndef KR_HOST_SIM_H
#define KR_HOST_SIM_H

#include "core/pcpu.h"
#include "lib/types.h"

#include <setjmp.h>

/* Physical address space: sparse, so that memory above 4 GiB costs nothing. */
#define SIM_PHYS_SIZE GIB(8)
#define SIM_RAM_SIZE  MIB(64)

/* Starts the machine: RAM from 0 to `ram` in the heap (frame 0 excepted), `cpus` CPUs online, CPU 0
 * stepped, interrupts on, time 1 ms. The second and later calls keep memory and its owners and
 * only start the CPUs anew. */
void sim_init(uint64_t ram, unsigned int cpus);
/* More RAM, into the heap. */
void sim_ram_add(mfn_t start, mfn_t end);

/* From here on the n-th CPU executes. */
void sim_cpu_set(unsigned int n);
/* What a frame holds, whoever owns it, past all page tables. */
void *sim_phys(mfn_t mfn);

/* Kicks: delivered at once when the target has interrupts on; queued until it spins, turns them on
 * or sim_kick_deliver() when sim_kick_queued. The handler runs as the target, interrupts off. */
extern void (*sim_kick_handler)(void);
extern bool sim_kick_queued;
bool sim_kick_deliver(unsigned int cpu);

/* Replaces what cpu_relax() does. */
extern void (*sim_spin_hook)(void);

/* Runs before each access through a window: what another CPU does at that very moment. It is off
 * while it runs. */
extern void (*sim_access_hook)(void);

/* Time goes on; each CPU whose deadline passes has WORK_TIMER set at that moment. */
void sim_advance(nsec_t ns);
nsec_t sim_now(void);
nsec_t sim_deadline(unsigned int cpu);
extern int64_t sim_tsc_skew[MAX_CPUS]; /* added to the CPU's TSC (1 GHz) */

/* Allocations fail from the n-th on from now; 0: none does. Counts down to 1 and stays there. */
extern unsigned int sim_alloc_fail;
/* Called at each allocation: what another CPU does at that moment. */
extern void (*sim_alloc_hook)(void);

/* How often things were done that are dear on hardware. */
extern struct sim_count {
    unsigned int window_writes, invalidations, flushes, kicks, timer_sets;
} sim_count;

/* True when the statement panics; its message is in sim_panic_text. Locks that it held stay
 * held. Without this a panic aborts the program. */
#define sim_panics(statement)          \
    ({                                 \
        sim_panic_begin();             \
        bool p_ = setjmp(sim_catcher); \
        if (!p_) {                     \
            statement;                 \
        }                              \
        sim_panic_end(p_);             \
        p_;                            \
    })
extern jmp_buf sim_catcher;
extern char sim_panic_text[300];
void sim_panic_begin(void);
void sim_panic_end(bool panicked);

/* port/host/mmu.c, for port/host/sim.c */
void sim_mmu_init(void);
void sim_mmu_reset(void);
void sim_mmu_ram(mfn_t start, mfn_t end);
void sim_mmu_switch(void);

#endif

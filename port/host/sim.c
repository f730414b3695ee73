/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUs, kicks, time and panics of the simulated machine.
 */
#include "sim.h"

#include "core/clock.h"
#include "core/printk.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "port/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct sim_cpu {
    bool irqs, kicked;
    nsec_t deadline;
};

static struct pcpu cpus[MAX_CPUS];
static struct sim_cpu sim[MAX_CPUS];
static nsec_t now;

struct pcpu *sim_this_cpu = &cpus[0];
void (*sim_kick_handler)(void);
bool sim_kick_queued;
void (*sim_spin_hook)(void);
void (*sim_access_hook)(void);
void (*sim_atomic_hook)(void *host);
int64_t sim_tsc_skew[MAX_CPUS];
struct sim_count sim_count;
unsigned int sim_alloc_fail;
void (*sim_alloc_hook)(void);

jmp_buf sim_catcher;
char sim_panic_text[300];
static bool catching;
static int locks_before;

static void sink(const char *line, size_t n)
{
    if (panicking) {
        size_t len = min(n, sizeof(sim_panic_text) - 1);
        memcpy(sim_panic_text, line, len);
        sim_panic_text[len] = 0;
    }
    if (!panicking || !catching)
        fwrite(line, 1, n, stderr);
}

void sim_cpu_set(unsigned int n)
{
    sim_this_cpu = &cpus[n];
    sim_mmu_switch();
}

void sim_ram_add(mfn_t start, mfn_t end)
{
    sim_mmu_ram(start, end);
    if (frame_table_add(start, end))
        abort();
    heap_add(start, end);
}

void sim_init(uint64_t ram, unsigned int n)
{
    static bool started;

    console_sink = sink;
    sim_kick_handler = NULL;
    sim_spin_hook = NULL;
    sim_access_hook = NULL;
    sim_atomic_hook = NULL;
    sim_kick_queued = false;
    memset(&sim_count, 0, sizeof(sim_count));
    sim_alloc_fail = 0;
    sim_alloc_hook = NULL;
    memset(sim_tsc_skew, 0, sizeof(sim_tsc_skew));
    memset(cpus, 0, sizeof(cpus));
    memset(sim, 0, sizeof(sim));
    memset(pcpu_shared, 0, sizeof(pcpu_shared));
    now = MSEC(1);
    nr_cpus = n;
    pcpus_ready = true;
    if (!started)
        sim_mmu_init();
    sim_mmu_reset();
    cpus_online.bits = 0;
    for (unsigned int i = n; i-- > 0;) {
        pcpu_init(i, 2 * i);
        cpus[i].shared = &pcpu_shared[i];
        cpus[i].id = i;
        cpus[i].served_domid = FRAME_OWNER_NONE;
        pcpu_shared[i].online = true;
        cpumask_set(&cpus_online, i);
        sim[i] = (struct sim_cpu){.irqs = true, .deadline = NSEC_NEVER};
        sim_cpu_set(i);
        clock_stamp_set((uint64_t)now, now, 1u << 31, 1);
    }
    if (!started)
        sim_ram_add(_mfn(1), _mfn(ram >> PAGE_SHIFT));
    started = true;
}

/* -- interrupts ------------------------------------------------------------------------------- */

bool sim_kick_deliver(unsigned int cpu)
{
    unsigned int from = sim_this_cpu->id;

    if (!sim[cpu].kicked || !sim[cpu].irqs)
        return false;
    sim[cpu].kicked = false;
    sim[cpu].irqs = false;
    sim_cpu_set(cpu);
    if (sim_kick_handler)
        sim_kick_handler();
    sim_cpu_set(from);
    sim[cpu].irqs = true;
    return true;
}

void cpu_kick(unsigned int cpu)
{
    BUG_ON(cpu == sim_this_cpu->id);
    sim_count.kicks++;
    sim[cpu].kicked = true;
    if (!sim_kick_queued)
        sim_kick_deliver(cpu);
}

void cpu_relax(void)
{
    bool progress = false;

    if (sim_spin_hook) {
        sim_spin_hook();
        return;
    }
    for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
        progress |= sim_kick_deliver(cpu);
    if (!progress)
        panic("CPU %u waits for ever", sim_this_cpu->id);
}

void irq_disable(void)
{
    sim[sim_this_cpu->id].irqs = false;
}

void irq_enable(void)
{
    sim[sim_this_cpu->id].irqs = true;
    sim_kick_deliver(sim_this_cpu->id);
}

bool irq_enabled(void)
{
    return sim[sim_this_cpu->id].irqs;
}

/* -- time ------------------------------------------------------------------------------------- */

nsec_t sim_now(void)
{
    return now;
}

nsec_t sim_deadline(unsigned int cpu)
{
    return sim[cpu].deadline;
}

static void timer_interrupts(void)
{
    for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
        if (sim[cpu].deadline <= now) {
            sim[cpu].deadline = NSEC_NEVER;
            pcpu_shared[cpu].work |= WORK_TIMER;
        }
}

void sim_advance(nsec_t ns)
{
    nsec_t target = now + ns;

    while (now < target) {
        nsec_t next = target;
        for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
            next = min(next, sim[cpu].deadline);
        now = max(now, next);
        timer_interrupts();
    }
}

uint64_t cpu_tsc(void)
{
    return (uint64_t)(now + sim_tsc_skew[sim_this_cpu->id]);
}

void cpu_timer_set(nsec_t deadline)
{
    sim_count.timer_sets++;
    sim[sim_this_cpu->id].deadline = deadline;
    timer_interrupts();
}

void cpu_idle_wait(void)
{
    nsec_t deadline = sim[sim_this_cpu->id].deadline;

    irq_enable();
    if (!sim_this_cpu->shared->work && deadline != NSEC_NEVER)
        sim_advance(max(deadline - now, (nsec_t)0));
}

bool mem_alloc_fails(void)
{
    void (*hook)(void) = sim_alloc_hook;

    sim_alloc_hook = NULL; /* not for its own */
    if (hook)
        hook();
    sim_alloc_hook = hook;
    if (sim_alloc_fail > 1) {
        sim_alloc_fail--;
        return false;
    }
    return sim_alloc_fail == 1;
}

/* -- panics ----------------------------------------------------------------------------------- */

void sim_panic_begin(void)
{
    catching = true;
    locks_before = sim_this_cpu->held_locks;
}

void sim_panic_end(bool panicked)
{
    catching = false;
    panicking = false;
    if (panicked)
        sim_this_cpu->held_locks = locks_before;
}

void cpu_panic_stop(void)
{
    if (catching)
        longjmp(sim_catcher, 1);
    abort();
}

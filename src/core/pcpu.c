/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of all CPUs, and how one is asked to look at its work bits. Bringing CPUs up is
 * arch/x86/boot's.
 */
#include "core/pcpu.h"

bool pcpus_ready;
struct pcpu_shared pcpu_shared[MAX_CPUS];
unsigned int nr_cpus = 1;
cpumask_t cpus_online;

void pcpu_init(unsigned int cpu, unsigned int hw_id)
{
    struct pcpu_shared *s = &pcpu_shared[cpu];

    s->id = cpu;
    s->hw_id = hw_id;
    timer_queue_init(&s->timers);
}

void pcpu_raise(unsigned int cpu, uint32_t work)
{
    struct pcpu_shared *s = &pcpu_shared[cpu];

    /* A full barrier: either the other CPU, having published `serving` or `idle`, sees the bits,
     * or we see that it has published. */
    uint32_t old = __atomic_fetch_or(&s->work, work, __ATOMIC_SEQ_CST);
    if ((old & work) == work || cpu == this_cpu()->id)
        return;
    if (READ_ONCE(s->serving) || READ_ONCE(s->idle))
        cpu_kick(cpu);
}

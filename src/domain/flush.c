/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flush protocol. A changer writes the entry, raises the generation (a full barrier,
 * domain/p2m.c), then reads who serves the domain. A CPU publishes whom it serves, full barrier,
 * then reads the generation, interrupts off, before it enters. So one of the two sees the other:
 * either the changer kicks and waits, or the CPU flushes. A kick is acknowledged by its interrupt
 * handler, which runs outside guest mode; the next entry looks at the generation again.
 */
#include "core/pcpu.h"
#include "core/trace.h"
#include "domain/domain.h"
#include "domain/flush.h"

#include "port/mmu.h"

/* CPUs that are to drop their whole TLB at the next acknowledgement. */
static uint64_t flush_whole;

void flush_acknowledge(void)
{
    struct pcpu_shared *s = this_cpu()->shared;
    uint64_t own = 1ULL << this_cpu()->id;
    uint32_t request = __atomic_load_n(&s->flush_request, __ATOMIC_SEQ_CST);

    if (READ_ONCE(flush_whole) & own) {
        __atomic_fetch_and(&flush_whole, ~own, __ATOMIC_SEQ_CST);
        mmu_flush_all();
    }
    __atomic_store_n(&s->flush_done, request, __ATOMIC_SEQ_CST);
}

/* Kicks the CPUs of the mask and waits until each has acknowledged. Two that wait for each other
 * do so with interrupts on, or acknowledge here. */
static void kick_and_wait(cpumask_t mask)
{
    unsigned int cpu;

    for_each_cpu (cpu, &mask) {
        __atomic_add_fetch(&pcpu_shared[cpu].flush_request, 1, __ATOMIC_SEQ_CST);
        cpu_kick(cpu);
    }
    for_each_cpu (cpu, &mask) {
        const struct pcpu_shared *s = &pcpu_shared[cpu];
        uint32_t ticket = READ_ONCE(s->flush_request); /* ours, or one that comes after it */
        while ((int32_t)(READ_ONCE(s->flush_done) - ticket) < 0) {
            if (!irq_enabled())
                flush_acknowledge();
            cpu_relax();
        }
    }
    smp_mb();
}

void flush_domain(struct domain *d)
{
    cpumask_t mask = {0};
    unsigned int cpu;

    smp_mb();
    for_each_cpu (cpu, &cpus_online)
        if (cpu != this_cpu()->id && READ_ONCE(pcpu_shared[cpu].serving) == d)
            mask.bits |= 1ULL << cpu;
    trace(TRACE_FLUSH, d->id, mask.bits);
    kick_and_wait(mask);
}

bool flush_check(struct vcpu *v)
{
    unsigned int cpu = this_cpu()->id;
    uint64_t generation = READ_ONCE(v->domain->p2m.generation);

    if (likely(v->p2m_seen == generation && v->p2m_cpu == cpu))
        return false;
    v->p2m_seen = generation;
    v->p2m_cpu = cpu;
    if (!cpumask_test(&v->domain->has_run, cpu))
        cpumask_set(&v->domain->has_run, cpu);
    return true;
}

void flush_all_cpus(void)
{
    cpumask_t others = {cpus_online.bits & ~(1ULL << this_cpu()->id)};

    if (!others.bits)
        return;
    __atomic_fetch_or(&flush_whole, others.bits, __ATOMIC_SEQ_CST);
    kick_and_wait(others);
}

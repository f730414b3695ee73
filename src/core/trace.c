/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace rings. An interrupt that comes between a record's number and its last store leaves at
 * worst one record of mixed content.
 */
#include "core/pcpu.h"
#include "core/printk.h"
#include "core/trace.h"

static const char *const names[TRACE_NR] = {
    [TRACE_NONE] = "-",
    [TRACE_EXIT] = "exit",
    [TRACE_INJECT] = "inject",
    [TRACE_SWITCH] = "switch",
    [TRACE_HYPERCALL] = "hypercall",
    [TRACE_WAKE] = "wake",
    [TRACE_BLOCK] = "block",
    [TRACE_IRQ] = "irq",
    [TRACE_FLUSH] = "flush",
    [TRACE_ERROR] = "error",
};

void trace_dump(unsigned int n)
{
    for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
        const struct trace_ring *ring = pcpu_shared[cpu].trace;
        if (!ring)
            continue;
        uint32_t end = READ_ONCE(ring->next), first = end - min(end, TRACE_RECORDS);
        for (uint32_t i = max(first, end - min(end, n)); i != end; i++) {
            const struct trace_record *r = &ring->record[i % TRACE_RECORDS];
            log_err("cpu%u %016lx %-9s %08x %016lx", cpu, r->tsc,
                    r->event < TRACE_NR ? names[r->event] : "?", r->a, r->b);
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU trace rings: fixed-size records of what happened last, printed by panic and a debug key.
 * Writing costs a few stores; any context.
 */
#ifndef KR_CORE_TRACE_H
#define KR_CORE_TRACE_H

#include "lib/types.h"
#include "core/pcpu.h"

enum trace_event {
    TRACE_NONE,
    TRACE_EXIT,      /* a = the hardware's code (vmexit.info), b = guest rip */
    TRACE_INJECT,    /* a = vector | type << 8, b = error code */
    TRACE_SWITCH,    /* a = domid << 16 | vcpu, b = previous likewise */
    TRACE_HYPERCALL, /* a = number, b = first argument */
    TRACE_WAKE,      /* a = domid << 16 | vcpu */
    TRACE_BLOCK,     /* a = domid << 16 | vcpu */
    TRACE_IRQ,       /* a = vector */
    TRACE_FLUSH,     /* a = domid, b = CPU mask */
    TRACE_ERROR,     /* a = errno, b = address of file:line text (debug builds) */
    TRACE_NR,
};

#define TRACE_RECORDS 256u /* per CPU, a power of two */

struct trace_record {
    uint64_t tsc;
    uint32_t event;
    uint32_t a;
    uint64_t b;
};

struct trace_ring {
    uint32_t next; /* free running */
    struct trace_record record[TRACE_RECORDS];
};

/* Recorded in this CPU's ring, which boot allocates; nothing while there is none. */
/* On a CPU whose per-CPU area is not there yet nothing is recorded. The stamp is not ordered with
 * what surrounds it. */
static inline void trace(enum trace_event event, uint32_t a, uint64_t b)
{
    struct trace_ring *ring = likely(pcpus_ready) ? this_cpu()->trace : NULL;
    struct trace_record *r;

    if (unlikely(!ring))
        return;
    r = &ring->record[ring->next++ % TRACE_RECORDS];
    r->tsc = cpu_tsc_unordered();
    r->event = event;
    r->a = a;
    r->b = b;
}

/* Prints the last n records of every CPU, newest last. */
void trace_dump(unsigned int n);

#endif

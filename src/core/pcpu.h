/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical CPUs. `struct pcpu` is the private part, mapped on its own CPU only and reached by
 * this_cpu(); `struct pcpu_shared` is what other CPUs may look at or poke. Work bits are how
 * anything asynchronous reaches a CPU: set a bit, kick, and exit/work.c settles it.
 */
#ifndef KR_CORE_PCPU_H
#define KR_CORE_PCPU_H

#include "lib/types.h"
#include "core/lock.h"
#include "core/timer.h"

#include "port/cpu.h"

#define MAX_CPUS 64u

/* One bit per pCPU. */
typedef struct {
    uint64_t bits;
} cpumask_t;
BUILD_BUG_ON(MAX_CPUS > 64);

/* pcpu_shared.work */
#define WORK_TIMER   (1u << 0) /* the local timer's deadline has passed */
#define WORK_RESCHED (1u << 1) /* ask the scheduler again */
#define WORK_CONSOLE (1u << 2) /* console input, or output waiting for the transmitter */
#define WORK_RECLAIM (1u << 3) /* deferred frees may have passed their grace period */
#define WORK_TASK    (1u << 4) /* a task of core/task.h is queued */
#define WORK_CLOCK   (1u << 5) /* this CPU's clock stamp is to be renewed */

struct vcpu;
struct domain;
struct sched_cpu;
struct trace_ring;
struct virt_cpu;
struct page;

/* How a CPU turns its TSC into system time: ns = base_ns + scale(tsc - base_tsc). Written by its
 * own CPU, seqlock in `version` (odd while changing). */
struct clock_stamp {
    uint32_t version;
    uint64_t base_tsc;
    nsec_t base_ns;
    uint32_t mul; /* as pvclock's tsc_to_system_mul */
    int8_t shift; /* and tsc_shift */
};

struct pcpu_shared {
    unsigned int id;           /* constant */
    unsigned int hw_id;        /* constant: APIC id */
    uint32_t work;             /* atomic: WORK_* */
    uint32_t flush_request;    /* atomic: tickets drawn by flushers */
    uint32_t flush_done;       /* own CPU's kick handler: last ticket passed */
    bool online;               /* set once by the CPU itself */
    bool idle;                 /* own CPU writes: asleep, or about to look once more */
    struct domain *serving;    /* own CPU writes: whose guest mode it may be in (domain/flush.c) */
    struct timer_queue timers; /* its own lock */
    struct clock_stamp clock;
    struct sched_cpu *sched;  /* owned by domain/sched */
    struct trace_ring *trace; /* written by its own CPU only */
};

#define WINDOW_CACHE_SLOTS 256u

struct window_slot {
    uint32_t mfn;   /* frame number; 0 = empty (frame 0 is never mapped by a window) */
    uint16_t refs;  /* nested users */
    bool transient; /* frame of a domain that is not served: dropped at the last unmap */
};

/* A gfn whose frame was found lately (domain/p2m.c). Generations are unique over all p2ms. */
#define P2M_LOOK_SLOTS 64u

struct p2m_look {
    uint64_t gfn;
    uint64_t generation; /* 0: empty */
    uint64_t mfn;
    uint8_t type; /* enum p2m_type */
};

/* A page walk made lately (arch/x86/walk): where the entries are, and what they said. */
#define WALK_MEMO_SLOTS 16u

struct walk_memo {
    uint64_t page, cr3, efer, generation; /* of which walk; generation 0: empty */
    const void *entry[4];                 /* in windows: good while window_epoch is the same */
    uint64_t pte[4];
    uint64_t both, any; /* rights found */
    uint64_t result;    /* guest-physical page */
    uint64_t epoch;
    bool dirty; /* the leaf was marked so */
};

struct pcpu {
    struct pcpu_shared *shared;
    unsigned int id;
    uint16_t served_domid;    /* owner whose frames may stay in windows; FRAME_OWNER_NONE if none */
    struct vcpu *loaded;      /* whose FPU, MSRs and VMLOAD state is in the CPU; NULL if none */
    struct trace_ring *trace; /* shared->trace; NULL: nothing is recorded */
    struct vcpu *current;     /* whom the loop is running now; floor 6, trace and panic only */
    struct virt_cpu *virt;    /* back end's per-CPU data */
    uint64_t windows_used[WINDOW_CACHE_SLOTS / 64];
    uint64_t window_epoch; /* raised when a window that was to stay goes or changes */
    struct window_slot window[WINDOW_CACHE_SLOTS];
    struct walk_memo walk[WALK_MEMO_SLOTS];
    struct p2m_look look[P2M_LOOK_SLOTS];
    int held_locks; /* debug builds: nesting, and the ranks held */
    uint8_t held_ranks[16];
};

extern bool pcpus_ready; /* this_cpu() may be used: boot sets it once its area is mapped */
extern struct pcpu_shared pcpu_shared[MAX_CPUS];
extern unsigned int nr_cpus; /* CPUs that may come online; 1..MAX_CPUS, fixed before APs start */
extern cpumask_t cpus_online;

static inline bool cpumask_test(const cpumask_t *m, unsigned int cpu)
{
    return (READ_ONCE(m->bits) >> cpu) & 1;
}
static inline void cpumask_set(cpumask_t *m, unsigned int cpu) /* atomic */
{
    __atomic_fetch_or(&m->bits, 1ULL << cpu, __ATOMIC_SEQ_CST);
}
static inline void cpumask_clear(cpumask_t *m, unsigned int cpu) /* atomic */
{
    __atomic_fetch_and(&m->bits, ~(1ULL << cpu), __ATOMIC_SEQ_CST);
}

#define for_each_cpu(cpu, mask)                    \
    for (uint64_t left_ = READ_ONCE((mask)->bits); \
         left_ && ((cpu) = (unsigned int)__builtin_ctzll(left_), true); left_ &= left_ - 1)

/* Boot: names the CPU and makes its timer queue. */
void pcpu_init(unsigned int cpu, unsigned int hw_id);

/* Sets work bits of a CPU and makes sure that it looks: any context, any CPU. */
void pcpu_raise(unsigned int cpu, uint32_t work);

#endif

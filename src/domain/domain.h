/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains and their vCPUs: what they are and their life. A lookup returns an owned reference; a
 * domain is published last, unpublished first, and freed after a grace period. Parts with a state
 * of their own (events, grants, scheduler, bus, policy) hang off it by pointer and are known only
 * to their files.
 */
#ifndef KR_DOMAIN_DOMAIN_H
#define KR_DOMAIN_DOMAIN_H

#include "abi/xen.h"
#include "lib/list.h"
#include "lib/types.h"
#include "core/lock.h"
#include "core/pcpu.h"
#include "core/reclaim.h"
#include "core/task.h"
#include "core/timer.h"
#include "domain/p2m.h"
#include "domain/virt.h"

#define DOMAIN_NAME_MAX  32u
#define DOMAIN_MAX_VCPUS 128u

struct evtchn_domain;
struct grant_table;
struct bus;
struct cpu_policy;
struct sched_vcpu;
struct sched_domain;
struct vlapic;
struct vmtrr;
struct console_guest;
struct virt_vcpu;

/* The guest's memory map as XENMEM_memory_map gives it (E820 types). */
struct memory_map {
    uint32_t nr;
    struct memory_map_entry {
        uint64_t base, size;
        uint32_t type;
    } packed_struct entry[16];
};

enum domain_state {
    DOMAIN_BUILDING, /* not started: every vCPU held */
    DOMAIN_RUNNING,
    DOMAIN_SHUTDOWN, /* every vCPU paused for shutdown; shutdown_code says why */
    DOMAIN_DYING,    /* being torn down */
    DOMAIN_DEAD,     /* torn down; references are left */
};

/* A page that the domain shares with Krypton for long: shared_info, vcpu_info, FIFO pages ... The
 * frame is held by a reference; access it with shared_map() (domain/shared.h). */
struct shared_page {
    mfn_t mfn; /* MFN_NONE: not registered */
};

/*
 * Legend: (c) constant after creation; (i) set once while building; [L] the domain's lock;
 * [P] its page-list lock; (a) atomic.
 */
struct domain {
    domid_t id;                   /* (c) */
    char name[DOMAIN_NAME_MAX];   /* (c) boot-time guests; else "dN" */
    uint32_t refs;                /* (a) from domain_get() */
    bool built;                   /* set last: domain_get() may hand it out */
    enum domain_state state;      /* [L]; read anywhere */
    bool is_control, is_hardware; /* (c) dom0 */
    bool is_console;              /* (c) console_io allowed: boot-time guests, dom0 */
    bool wide;                    /* [L] 64-bit shared info (addendum B0.3: false = "32-bit" flag
                                     as sampled; starts as 64-bit) */
    struct spinlock lock;
    struct domain *next; /* hash chain of the table of domains; readers lock-free */
    struct reclaim reclaim;
    struct task task;   /* its life's next step: shutdown, teardown */
    uint8_t kill_phase; /* own task */

    unsigned int max_vcpus; /* (c) */
    struct vcpu **vcpu;     /* (c) array of max_vcpus */

    struct p2m p2m;
    struct spinlock page_lock;
    uint32_t pages;                /* [P] first frame of its page list, 0 = none */
    uint64_t tot_pages, max_pages; /* [P] */

    cpumask_t has_run; /* (a) CPUs that may hold translations of this domain */

    struct shared_page shared_info;
    struct spinlock physmap_lock;  /* placing shared_info and grant frames */
    uint64_t shared_info_gfn;      /* [physmap_lock] where it was placed last, FRAME_NONE */
    uint64_t param[HVM_NR_PARAMS]; /* [L] */
    uint8_t callback_vector;       /* [L] HVM_PARAM_CALLBACK_IRQ type 2, 0 = none */

    struct evtchn_domain *evtchn;  /* (c) */
    struct grant_table *grants;    /* (c) */
    struct bus *bus;               /* (c) */
    struct cpu_policy *policy;     /* (i) */
    struct sched_domain *sched;    /* (c) */
    struct console_guest *console; /* (i) NULL: none */
    uint64_t part_root;            /* (c) frame of the domain part's L3 table */

    unsigned int pause_count;      /* [L] toolstack pauses; starts at 1 */
    unsigned int online_vcpus;     /* [L] vCPUs that are not down */
    bool shutting_down;            /* [L] reason latched, vCPUs are stopping */
    uint32_t shutdown_code;        /* [L] SHUTDOWN_*, ~0 = none; SCHEDOP_shutdown_code sets it
                                      ahead of a shutdown */
    bool crashed;                  /* [L] domain_crash() was called */
    nsec_t start_time, end_time;   /* (i) */
    uint64_t wall_offset;          /* [L] seconds */
    int64_t tsc_offset;            /* [L] of vCPU 0 */
    uint8_t handle[16];            /* [L] uuid */
    struct ktimer watchdog[2];     /* SCHEDOP_watchdog */
    bool watchdog_used[2];         /* [L] */
    uint8_t runstate_flag;         /* vm_assist type 5 is on */
    void *owner;                   /* (i) who follows its life (floor 7); NULL: nobody */
    struct memory_map *memory_map; /* (i) what XENMEM_memory_map answers; NULL: none */
};

/* vcpu.work: settled by exit/work.c before the next entry; atomic. */
#define VWORK_EVENT (1u << 0) /* interrupt state changed: look for something to inject */
#define VWORK_PAUSE (1u << 1) /* pause count, shutdown or destruction: must not run */
#define VWORK_TIME  (1u << 2) /* its time record is to be rewritten */
#define VWORK_RESET (1u << 3) /* INIT/SIPI changed its state: reload */
#define VWORK_FLUSH (1u << 4) /* flush second-stage translations */
#define VWORK_CALL  (1u << 5) /* resume.fn runs before entry */

/* vcpu.pause flags: any set = does not run. Atomic. */
#define VPAUSE_DOWN     (1u << 0) /* not brought up, or taken down */
#define VPAUSE_BLOCKED  (1u << 1) /* HLT, block, poll: wake clears it */
#define VPAUSE_DOMAIN   (1u << 2) /* domain paused by pause_count > 0 */
#define VPAUSE_SHUTDOWN (1u << 3)
#define VPAUSE_DYING    (1u << 4)
#define VPAUSE_WAIT     (1u << 5) /* waits for a completion inside Krypton */

/* Guest state in the domain part: addressable only while the CPU serves its domain. */
struct vcpu_priv {
    struct vcpu_regs regs;
    struct fetch_memory { /* guest/fetch.c: the last instructions, which often are the next */
        uint64_t mode, bytes[2], insn[5];
    } fetched[4];
    uint8_t pad[512 - sizeof(struct vcpu_regs) - 4 * sizeof(struct fetch_memory)];
    /* the back end's own areas (FPU image, ...) follow in further pages */
};

struct vcpu {
    unsigned int id;          /* (c) */
    struct domain *domain;    /* (c) */
    uint32_t work;            /* (a) VWORK_* */
    uint32_t pause;           /* (a) VPAUSE_* */
    bool initialised;         /* [L] HVM: SIPI or VCPUOP_initialise has set its state */
    bool loading;             /* (i) runs the loader: only loader calls answer */
    bool polling;             /* (a) in SCHEDOP_poll */
    uint32_t poll_port;       /* own: the only port polled, 0 = several */
    unsigned int cpu;         /* [sched] where it runs, or ran last */
    bool running;             /* [sched] current somewhere */
    struct vcpu_priv *priv;   /* (c) in the domain part */
    uint64_t priv_mfn;        /* (c) frame of priv, for window access by others */
    struct virt_vcpu *virt;   /* (c) back end's data, not guest state */
    struct sched_vcpu *sched; /* (c) */
    struct vlapic *lapic;     /* (c) */
    struct vmtrr *mtrr;       /* (c) made with lapic */
    int64_t tsc_adjust;       /* own: what its writes of the TSC add to the domain's tsc_offset */

    struct shared_page info; /* registered vcpu_info; else the slot in shared_info */
    uint16_t info_offset;
    uint8_t upcall_vector; /* HVMOP_set_evtchn_upcall_vector, 0 = none */
    bool nmi_pending;      /* (a) */

    struct ktimer singleshot, periodic, poll_timer;
    nsec_t period;

    struct vcpu_runstate_info runstate; /* [sched lock of its CPU] */
    uint64_t runstate_area;             /* guest linear address, 0 = none */
    uint64_t time_area;                 /* likewise */
    uint32_t time_version;              /* clock stamp version that its time record shows */

    void (*resume)(struct vcpu *v); /* VWORK_CALL: runs before the next entry, loaded */
    uint64_t exits[VMEXIT_NR];      /* own CPU: counters */
    uint64_t p2m_seen;              /* own CPU: p2m generation that its TLB entries follow */
    unsigned int p2m_cpu;           /* own CPU: the CPU where p2m_seen holds */
};

/* -- domains ---------------------------------------------------------------------------------- */

struct domain_config {
    domid_t id;
    const char *name;
    void *owner;
    unsigned int max_vcpus;
    uint64_t max_pages;
    uint64_t p2m_pages; /* pool for second-stage tables */
    bool is_control, is_hardware, is_console;
    unsigned int max_grant_frames, max_maptrack_frames, max_evtchn_port;
};

/* Creates a domain with all its parts and vCPUs (all down, vCPU 0 too), state BUILDING, pause
 * count 1, and publishes it. NULL with *err: -XEN_EINVAL, -XEN_EEXIST, -XEN_ENOMEM. */
struct domain *must_check domain_create(const struct domain_config *c, int *err);

struct domain *must_check domain_get(domid_t id); /* owned reference, or NULL */
void domain_ref(struct domain *d);                /* the caller has one already */
void domain_put(struct domain *d);
/* Next higher id than `after` (-1: the first); owned reference. */
struct domain *domain_next(int after);

/* Pause counts of the toolstack. pause returns at once: the vCPUs stop soon (domain_paused()). */
void domain_pause(struct domain *d);
int domain_unpause(struct domain *d); /* -XEN_EINVAL below zero */

/* Latches the reason and stops every vCPU; the first reason wins. Any CPU, any lock below DOMAIN
 * may not be held. When all have stopped domain_event_hook(d) runs in a loop. */
void domain_shutdown(struct domain *d, uint32_t code);
/* A guest that broke a rule: prints the name and the reason, shutdown(crash). */
void domain_crash(struct domain *d, const char *fmt, ...) printf_like(2, 3);

/* Starts the teardown: bounded steps in the loop, as a task. At the end the domain is DEAD and
 * domain_event_hook(d) runs once more; its id and structure go with its last reference. Nothing
 * when it is dying already. */
void domain_kill(struct domain *d);

/* Parts of a domain that live on higher floors (bus, devices): made with the domain, unmade with
 * it; release: every vCPU has stopped, let go of pages and timers. Filled by floor 5. */
struct domain_hooks {
    int (*create)(struct domain *d);
    void (*release)(struct domain *d);
    void (*destroy)(struct domain *d);
};
extern const struct domain_hooks *domain_hooks;

/* Filled by floor 7 (or dom0's VIRQ): a domain is fully shut down (state SHUTDOWN) or torn down
 * (DEAD). Runs in a loop, no lock held. */
extern void (*domain_event_hook)(struct domain *d);

/* Memory of a domain: takes 2^order frames of the heap, assigns and counts them; MFN_NONE when
 * max_pages or the heap is exhausted or it is dying. Not in any p2m yet, one reference each. */
mfn_t must_check domain_alloc_pages(struct domain *d, unsigned int order, unsigned int flags);
/* A special page (shared_info, grant frame): one zeroed frame, not counted, one reference. */
mfn_t must_check domain_alloc_special(struct domain *d);

/* Gives back a page from domain_alloc_pages() that the caller has taken out of the p2m: it leaves
 * the list and the owner's reference goes. Flushed already. */
void domain_put_page(struct domain *d, struct page *pg);

/* Writes shared_info's wall clock fields. Takes the domain's lock. */
void domain_update_wallclock(struct domain *d);
/* From now on shared structures have the 64-bit layout, or the 32-bit one; the wall clock is
 * written in it. Takes the domain's lock. */
void domain_set_width(struct domain *d, bool wide);

/* -- vCPUs ------------------------------------------------------------------------------------ */

/* Sets work bits and makes the vCPU look: wakes nothing, interrupts a running one. */
void vcpu_raise(struct vcpu *v, uint32_t work);
/* Wakes a vCPU that is blocked or polling; harmless otherwise. */
void vcpu_wake(struct vcpu *v);
/* The current vCPU stops running until vcpu_wake(); check for events *after* this, then return to
 * the loop. */
void vcpu_block(struct vcpu *v);
/* up: clears DOWN. down: sets it; the last one shuts the domain down (poweroff). */
void vcpu_up(struct vcpu *v);
void vcpu_down(struct vcpu *v);
/* Is there an event that could be delivered to it now (addendum B1.5)? [loaded] */
bool vcpu_has_event(struct vcpu *v);

/* Takes and clears pause bits with the scheduler told: set/clear VPAUSE_*. */
void vcpu_pause_set(struct vcpu *v, uint32_t bits);
void vcpu_pause_clear(struct vcpu *v, uint32_t bits);

#define for_each_vcpu(d, v) \
    for (unsigned int i_ = 0; i_ < (d)->max_vcpus && ((v) = (d)->vcpu[i_], true); i_++)

#endif

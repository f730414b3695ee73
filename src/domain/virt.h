/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a virtualisation back end (SVM, VMX, EL2, the test script): about twenty
 * functions, and the neutral records that pass between it and the rest. A back end enters and
 * leaves guests and translates; it has no policy. `virt` is filled at boot, before any domain.
 *
 * Contexts: [loaded] = on the CPU where the vCPU is loaded and not running; [paused] = the vCPU is
 * not running anywhere and cannot start (not yet started, or paused and synchronised), any CPU.
 */
#ifndef KR_DOMAIN_VIRT_H
#define KR_DOMAIN_VIRT_H

#include "lib/types.h"

struct vcpu;
struct domain;

/* General registers in instruction encoding order, rip, rflags: complete and current whenever the
 * vCPU is not running; part of `struct vcpu_priv`, so in the domain part. */
enum {
    R_AX,
    R_CX,
    R_DX,
    R_BX,
    R_SP,
    R_BP,
    R_SI,
    R_DI,
    R_8,
    R_9,
    R_10,
    R_11,
    R_12,
    R_13,
    R_14,
    R_15
};
struct vcpu_regs {
    uint64_t gpr[16];
    uint64_t rip;
    uint64_t rflags;
};

enum vcpu_seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_NR };

/* attr: AMD's packed 12-bit form: type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, D/B 10, G 11. */
struct vcpu_segment {
    uint16_t sel, attr;
    uint32_t limit;
    uint64_t base;
};

struct vcpu_table {
    uint64_t base;
    uint32_t limit;
};

/* State that the rest reads or writes by group; a group is copied whole. */
struct vcpu_control { /* paging and mode */
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint8_t cpl;
};
struct vcpu_segs {
    struct vcpu_segment seg[SEG_NR];
    struct vcpu_table gdt, idt;
};
struct vcpu_sysregs { /* what VMLOAD/VMSAVE and the MSR table hold */
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t pat, tsc_aux, debugctl, xss;
    uint64_t dr[4], dr6, dr7;
};

enum vcpu_mode { MODE_REAL, MODE_VM86, MODE_PROT16, MODE_PROT32, MODE_LONG64 };

/* Event to deliver. Types have the encoding of EVENTINJ and the VMX entry field. */
enum event_type { EVENT_INTR = 0, EVENT_NMI = 2, EVENT_EXCEPTION = 3, EVENT_SOFT_INT = 4 };
struct vcpu_event {
    uint8_t vector;
    uint8_t type;
    bool valid, has_error;
    uint32_t error;
};

/* Why the guest stopped. `len` is the length of the instruction when the hardware says so, else
 * 0; `bytes` likewise. Handlers must not assume more than the union member of the reason. */
enum vmexit_reason {
    VMEXIT_NONE, /* host interrupt or nothing: settle and go on */
    VMEXIT_CPUID,
    VMEXIT_MSR,       /* msr */
    VMEXIT_IO,        /* io */
    VMEXIT_NPF,       /* npf: second-stage fault */
    VMEXIT_HYPERCALL, /* call */
    VMEXIT_HLT,
    VMEXIT_PAUSE,
    VMEXIT_RDTSC, /* only when intercepted */
    VMEXIT_RDPMC,
    VMEXIT_WBINVD, /* INVD too */
    VMEXIT_XSETBV,
    VMEXIT_CR,        /* cr */
    VMEXIT_DR,        /* dr */
    VMEXIT_EXCEPTION, /* exc: intercepted #DB, #AC, #UD, #MC ... */
    VMEXIT_INTR_WINDOW,
    VMEXIT_NMI_WINDOW, /* IRET while an NMI is blocked */
    VMEXIT_TASK_SWITCH,
    VMEXIT_SHUTDOWN,  /* triple fault */
    VMEXIT_UNDEFINED, /* an instruction that this guest does not have: #UD */
    VMEXIT_INVALID,   /* entry refused: invalid state; info = what the audit found */
    VMEXIT_OTHER,     /* raw code in info */
    VMEXIT_NR,
};

struct vmexit {
    uint8_t reason;
    uint8_t len;
    uint8_t nr_bytes;
    uint8_t bytes[15];
    uint64_t info; /* hardware's raw reason */
    union {
        struct {
            uint8_t mode; /* enum vcpu_mode */
            uint8_t cpl;
        } call;
        struct {
            bool write;
        } msr;
        struct {
            uint16_t port;
            uint8_t size; /* 1, 2, 4 */
            bool in, string, rep;
        } io;
        struct {
            gpa_t gpa;
            bool present, write, exec, table; /* table: a guest page-table page was touched */
        } npf;
        struct {
            uint8_t nr;
            bool write;
        } cr, dr;
        struct {
            uint8_t vector;
            bool has_error;
            uint32_t error;
            uint64_t address; /* #PF */
        } exc;
    };
};

struct virt_ops {
    const char *name;

    /* Machine. cpu_init runs on each CPU once, -XEN_ENODEV with a log line when it cannot. */
    int (*cpu_init)(void);
    void (*cpu_fini)(void); /* before the machine's reset: hardware virtualisation off */

    /* Life. vcpu_create fills v->virt, v->priv, v->priv_mfn; state as after power-up. [paused] */
    int (*vcpu_create)(struct vcpu *v);
    void (*vcpu_destroy)(struct vcpu *v);

    /* load: the served domain is v's; makes FPU, XCR0, MSRs, VMLOAD state v's. unload: saves them.
     * run: interrupts off on entry and return; the host's own state is whole again on return.
     * x is filled, v->priv->regs are current. [loaded] */
    void (*load)(struct vcpu *v);
    void (*unload)(struct vcpu *v);
    void (*run)(struct vcpu *v, struct vmexit *x);

    /* State by group. get: [loaded] or [paused]; set likewise; values are checked by the caller
     * (policy), the back end keeps them consistent (EFER.SVME, CR shadows, clean bits). */
    void (*get_control)(struct vcpu *v, struct vcpu_control *c);
    void (*set_control)(struct vcpu *v, const struct vcpu_control *c);
    void (*set_cr2)(struct vcpu *v, uint64_t cr2);
    enum vcpu_mode (*mode)(struct vcpu *v);
    void (*get_segs)(struct vcpu *v, struct vcpu_segs *s);
    void (*set_segs)(struct vcpu *v, const struct vcpu_segs *s);
    void (*get_sysregs)(struct vcpu *v, struct vcpu_sysregs *s);
    void (*set_sysregs)(struct vcpu *v, const struct vcpu_sysregs *s);
    void (*get_regs)(struct vcpu *v, struct vcpu_regs *r);
    void (*set_regs)(struct vcpu *v, const struct vcpu_regs *r);

    void (*reset_fpu)(struct vcpu *v); /* FPU, XCR0, TSC_AUX as after power-up; nothing pending, no
                                           NMI blocked [paused] */

    /* Events. [loaded]. event_ready: could an external interrupt be taken now (IF, no shadow,
     * nothing pending for injection)? inject needs nothing pending. window: exit with
     * VMEXIT_INTR_WINDOW as soon as an interrupt can be taken. pending: what was being delivered
     * at the exit and must be delivered again; the back end re-injects it by itself unless the
     * exit handler replaces it. tpr: the guest's CR8, both ways. */
    bool (*event_ready)(struct vcpu *v);
    bool (*nmi_ready)(struct vcpu *v);
    bool (*event_pending)(struct vcpu *v, struct vcpu_event *e); /* e may be NULL */
    void (*inject)(struct vcpu *v, const struct vcpu_event *e);  /* replaces what is pending */
    void (*window)(struct vcpu *v, bool on, uint8_t priority);   /* priority: vector >> 4, 0xff =
                                                                    whatever the TPR says */
    void (*set_tpr)(struct vcpu *v, uint8_t cr8);
    uint8_t (*get_tpr)(struct vcpu *v);

    /* Controls: tsc offset; MSRs that the guest reaches directly follow the policy; flush all
     * second-stage translations of v's domain at v's next entry. */
    void (*set_tsc_offset)(struct vcpu *v, uint64_t offset);
    void (*flush_guest)(struct vcpu *v);
    void (*debug_registers)(struct vcpu *v); /* VMEXIT_DR: give it DR0-7, then retry [loaded] */
    void (*set_xcr0)(struct vcpu *v, uint64_t xcr0); /* checked by policy [loaded] */
    void (*clear_shadow)(struct vcpu *v); /* an instruction was completed: no STI/MOV SS shadow */

    void (*dump)(struct vcpu *v); /* to the console, for debug keys and crashes [paused/loaded] */
};

extern const struct virt_ops *virt;

/* Composes an exception with what is pending, as hardware does (#DF, triple fault): [loaded]. */
void vcpu_raise_exception(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error);
void vcpu_raise_page_fault(struct vcpu *v, uint64_t address, uint32_t error);

#endif

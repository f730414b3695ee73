/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits: the loop, the settling of pending work, and the dispatch of neutral exit records to one
 * small handler each. Only the dispatcher moves rip.
 */
#ifndef KR_EXIT_EXIT_H
#define KR_EXIT_EXIT_H

#include "domain/domain.h"

enum verdict {
    VERDICT_DONE,  /* finished: skip the instruction (x->len, or its unprefixed length) */
    VERDICT_RETRY, /* run it again, or rip is where it should be */
    VERDICT_FAULT, /* an exception was raised: rip stays */
    VERDICT_CRASH, /* domain_crash() was called */
};

typedef enum verdict (*exit_handler)(struct vcpu *v, struct vmexit *x);

enum verdict ex_cpuid(struct vcpu *v, struct vmexit *x);
enum verdict ex_msr(struct vcpu *v, struct vmexit *x);
enum verdict ex_io(struct vcpu *v, struct vmexit *x);
enum verdict ex_npf(struct vcpu *v, struct vmexit *x);
enum verdict ex_call(struct vcpu *v, struct vmexit *x);
enum verdict ex_hlt(struct vcpu *v, struct vmexit *x);
enum verdict ex_pause(struct vcpu *v, struct vmexit *x);
enum verdict ex_cr(struct vcpu *v, struct vmexit *x);
enum verdict ex_dr(struct vcpu *v, struct vmexit *x);
enum verdict ex_exception(struct vcpu *v, struct vmexit *x);
enum verdict ex_xsetbv(struct vcpu *v, struct vmexit *x);
enum verdict ex_shutdown(struct vcpu *v, struct vmexit *x);
enum verdict ex_task_switch(struct vcpu *v, struct vmexit *x);
enum verdict ex_invalid(struct vcpu *v, struct vmexit *x);

/* The loop of a physical CPU, and one pass of it: settle, switch, or enter a guest once. */
void noreturn_fn exit_loop(void);
void loop_pass(void);

/* Settles v's and the CPU's pending work. True: v may be entered. Interrupts on. */
bool work_settle(struct vcpu *v);
/* The CPU's own bits alone (idle too). True: ask the scheduler. */
bool work_cpu(void);
/* WORK_CONSOLE's handler, filled from above. */
extern void (*work_console_hook)(void);

/* Counts, traces, runs the handler, moves rip. [loaded] */
void exit_dispatch(struct vcpu *v, struct vmexit *x);

/* The calling CPU starts to serve d (NULL: nobody): windows and the domain part follow. */
void loop_serve(struct domain *d);

/* Looks for something to deliver to v, injects it or asks for a window. [loaded] */
void event_settle(struct vcpu *v);

#endif

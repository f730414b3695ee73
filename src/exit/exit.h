/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits: the loop, the settling of pending work, and the dispatch of neutral exit records to one
 * small handler each. Only the dispatcher moves rip.
 */
#ifndef KR_EXIT_EXIT_H
#define KR_EXIT_EXIT_H

#include "domain/domain.h"

enum verdict {
    VERDICT_DONE,  /* finished: skip the instruction */
    VERDICT_RETRY, /* run it again, or rip is where it should be */
    VERDICT_FAULT, /* an exception was raised: rip stays */
    VERDICT_WAIT,  /* finished, and the vCPU has blocked */
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
enum verdict ex_shutdown(struct vcpu *v, struct vmexit *x);

/* The loop of a physical CPU. Never returns. */
void noreturn_fn exit_loop(void);

/* Settles v's and the CPU's pending work. True: v may be entered. Interrupts on. */
bool work_settle(struct vcpu *v);
/* The CPU's own bits alone (idle too). */
void work_cpu(void);

/* Counts, traces, runs the handler, moves rip. [loaded] */
void exit_dispatch(struct vcpu *v, struct vmexit *x);

/* Length of the instruction at rip for an exit whose kind is known: hardware's, else the
 * unprefixed length (debug builds read and compare), else by decoding. 0: a fault was raised. */
unsigned int exit_insn_len(struct vcpu *v, struct vmexit *x);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypercall interface: from (number, arguments, mode) to a result. A row of the table names
 * each call; families with sub-operations have a table of sub-op rows, from which the dispatcher
 * checks privilege, copies the argument structure in once, runs the handler on plain C, and copies
 * it out once. Handlers are pure functions of (caller, arguments): they see no registers.
 */
#ifndef KR_GUEST_HYPERCALL_H
#define KR_GUEST_HYPERCALL_H

#include "domain/domain.h"

#define CALL_ARGS 5u

struct call {
    struct vcpu *v;
    struct domain *d; /* v->domain */
    bool compat;      /* 32-bit caller: 32-bit registers and layouts */
    bool in_multicall;
    bool begun; /* call_preempt() was asked */
    uint32_t nr;
    uint64_t arg[CALL_ARGS]; /* a handler that is to go on writes its progress here */
};

/* A handler's result beside 0, positive values and negative errnos: */
#define CALL_RESTART   (-4096L) /* execute the instruction again with the arguments in c->arg */
#define CALL_BLOCKED   (-4097L) /* the vCPU blocks; result 0 when it runs again */
#define CALL_NO_RETURN (-4098L) /* registers are not touched (shutdown, loader_done) */

/* Asked before each step of a long operation: true when it should return CALL_RESTART now. Never
 * before the first step, so that each execution gets on. */
bool call_preempt(struct call *c);

/* An owned reference to the domain that `id` names for this caller, DOMID_SELF too; or NULL. */
struct domain *must_check call_domain(const struct call *c, domid_t id);

enum { SUBOP_IN = 1, SUBOP_OUT = 2, SUBOP_INOUT = 3 };

/* One sub-operation. size = bytes of the structure at guest pointer `arg` (64-bit layout);
 * compat_size = bytes in a 32-bit caller's layout with translators in both directions (NULL: the
 * layouts are the same). A size of 0: the handler gets NULL and looks at c->arg. */
struct subop {
    uint32_t nr;
    uint16_t size, compat_size;
    uint8_t dir;
    bool control_only; /* the caller must be a control domain, else -XEN_EPERM */
    const char *name;
    const char *bound; /* what bounds its time: "short", or what makes it preemptible */
    long (*fn)(struct call *c, void *arg);
    void (*from_compat)(void *arg, const void *compat);
    void (*to_compat)(void *compat, const void *arg);
};

/* Finds nr in the rows (dense or sorted), does all of the above. -XEN_ENOSYS when there is none. */
long subop_dispatch(struct call *c, const struct subop *rows, unsigned int n, uint32_t nr,
                    uint64_t arg);

struct hypercall {
    const char *name;
    long (*fn)(struct call *c);
    uint8_t nr_args;
};
extern const struct hypercall hypercall_table[];
extern const unsigned int hypercall_table_size;

/* One call, by number: privilege of the mode (CPL) has been checked. */
long hypercall_dispatch(struct call *c);

/* The exit handler's entry: gathers registers, dispatches, writes the result. True: advance rip
 * (false: restart or no return). [loaded] */
bool hypercall_execute(struct vcpu *v, enum vcpu_mode mode);

/* Fills a 4 KiB hypercall page for the back end's instruction (`vmmcall` or `vmcall`). */
void hypercall_page_fill(void *page, const uint8_t insn[3]);

long do_memory_op(struct call *c);
long do_multicall(struct call *c);
long do_set_timer_op(struct call *c);
long do_xen_version(struct call *c);
long do_console_io(struct call *c);
long do_grant_table_op(struct call *c);
long do_vm_assist(struct call *c);
long do_vcpu_op(struct call *c);
long do_sched_op(struct call *c);
long do_event_channel_op(struct call *c);
long do_hvm_op(struct call *c);
long do_loader_call(struct call *c);

#endif

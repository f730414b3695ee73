/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hypercall exits: who may call (addendum A.1: real mode, or CPL 0 outside vm86), then the table.
 */
#include "exit/exit.h"

#include "guest/hypercall/hypercall.h"

#define CR0_PE    1ULL
#define RFLAGS_VM (1ULL << 17)

enum verdict ex_call(struct vcpu *v, struct vmexit *x)
{
    struct vcpu_control c;

    (void)x;
    virt->get_control(v, &c);
    if (unlikely((c.cr0 & CR0_PE) && (c.cpl || (v->priv->regs.rflags & RFLAGS_VM)))) {
        v->priv->regs.gpr[R_AX] = (uint64_t)(int64_t)-XEN_EPERM;
        return VERDICT_DONE;
    }
    return hypercall_execute(v) ? VERDICT_DONE : VERDICT_RETRY;
}

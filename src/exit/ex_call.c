/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hypercall exits: who may call (addendum A.1: real mode, or CPL 0 outside vm86), then the table.
 */
#include "exit/exit.h"

#include "guest/hypercall/hypercall.h"

enum verdict ex_call(struct vcpu *v, struct vmexit *x)
{
    if (unlikely(x->call.mode != MODE_REAL && (x->call.cpl || x->call.mode == MODE_VM86))) {
        v->priv->regs.gpr[R_AX] = (uint64_t)(int64_t)-XEN_EPERM;
        return VERDICT_DONE;
    }
    return hypercall_execute(v, x->call.mode) ? VERDICT_DONE : VERDICT_RETRY;
}

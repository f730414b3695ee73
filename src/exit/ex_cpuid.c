/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID: what the domain's policy says (domain/policy.h). */
#include "exit/exit.h"

#include "domain/policy.h"

enum verdict ex_cpuid(struct vcpu *v, struct vmexit *x)
{
    uint64_t *gpr = v->priv->regs.gpr;
    struct cpuid_leaf l;

    (void)x;
    policy_cpuid(v, (uint32_t)gpr[R_AX], (uint32_t)gpr[R_CX], &l);
    gpr[R_AX] = l.eax;
    gpr[R_BX] = l.ebx;
    gpr[R_CX] = l.ecx;
    gpr[R_DX] = l.edx;
    return VERDICT_DONE;
}

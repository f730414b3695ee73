/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry-state audit: which consistency rule of VMRUN a VMCB breaks. AMD APM vol. 2, 15.5.1
 * "Canonicalization and Consistency Checks". Pure; debug builds ask before each entry, every build
 * asks when VMRUN was refused.
 */
#include "arch/x86/svm/svm.h"

#define CR0_PE     (1ULL << 0)
#define CR0_NW     (1ULL << 29)
#define CR0_CD     (1ULL << 30)
#define CR0_PG     (1ULL << 31)
#define CR4_PAE    (1ULL << 5)
#define EFER_LME   (1ULL << 8)
#define EFER_LMA   (1ULL << 10)
#define EFER_SVME  (1ULL << 12)
#define EFER_VALID 0x000000000000fd01ULL
#define ATTR_L     (1u << 9)
#define ATTR_D     (1u << 10)

const char *svm_audit(const struct vmcb *c, const struct svm_features *f, unsigned int phys_bits)
{
    bool long_mode = (c->efer & EFER_LME) && (c->cr0 & CR0_PG);
    uint64_t inject = c->eventinj;

    if (!(c->efer & EFER_SVME))
        return "EFER.SVME is zero";
    if ((c->cr0 & CR0_NW) && !(c->cr0 & CR0_CD))
        return "CR0.CD is zero and CR0.NW is set";
    if (c->cr0 >> 32)
        return "CR0[63:32] are not zero";
    if (phys_bits < 64 && (c->cr0 & CR0_PG) && c->cr3 >> phys_bits)
        return "CR3 has bits beyond the physical address size";
    if (c->cr4 >> 32)
        return "CR4[63:32] are not zero";
    if (c->dr6 >> 32 || c->dr7 >> 32)
        return "DR6[63:32] or DR7[63:32] are not zero";
    if (c->efer & ~EFER_VALID)
        return "a reserved EFER bit is set";
    if (long_mode && !(c->cr4 & CR4_PAE))
        return "EFER.LME and CR0.PG are set and CR4.PAE is zero";
    if (long_mode && !(c->cr0 & CR0_PE))
        return "EFER.LME and CR0.PG are set and CR0.PE is zero";
    if (long_mode && (c->cs.attr & ATTR_L) && (c->cs.attr & ATTR_D))
        return "EFER.LME, CR0.PG, CR4.PAE, CS.L and CS.D are all set";
    if (!(c->intercept[4] & ICEPT_VMRUN))
        return "VMRUN is not intercepted";
    if (!c->asid || c->asid >= f->asids)
        return "the ASID is zero or not supported";
    if ((inject & EVENT_VALID) && (((inject >> 8) & 7) == 1 || ((inject >> 8) & 7) > 4))
        return "EVENTINJ has a reserved type";
    if ((inject & EVENT_VALID) && ((inject >> 8) & 7) == EVENT_EXCEPTION &&
        ((inject & 0xff) > 31 || (inject & 0xff) == 2))
        return "EVENTINJ has an exception vector that does not exist";
    return NULL;
}

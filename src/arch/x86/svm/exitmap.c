/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hardware exit reasons to neutral ones: AMD APM vol. 2, appendix C and 15.7 ff. Pure functions of
 * a VMCB, also built for the host. No policy: what to do about an exit is exit/'s.
 */
#include "arch/x86/svm/svm.h"

#include "lib/string.h"

#define CR0_PE    1ULL
#define EFER_LMA  (1ULL << 10)
#define RFLAGS_VM (1ULL << 17)
#define ATTR_L    (1u << 9)
#define ATTR_D    (1u << 10)
#define VEC_DB    1u
#define VEC_UD    6u
#define VEC_AC    17u
#define VEC_MC    18u

/* Reasons that carry nothing further. */
static const uint8_t plain_reason[] = {
    [SVM_EXIT_INTR - SVM_EXIT_INTR] = VMEXIT_NONE,
    [SVM_EXIT_NMI - SVM_EXIT_INTR] = VMEXIT_NONE,
    [SVM_EXIT_SMI - SVM_EXIT_INTR] = VMEXIT_NONE,
    [SVM_EXIT_INIT - SVM_EXIT_INTR] = VMEXIT_NONE,
    [SVM_EXIT_VINTR - SVM_EXIT_INTR] = VMEXIT_INTR_WINDOW,
    [SVM_EXIT_RDTSC - SVM_EXIT_INTR] = VMEXIT_RDTSC,
    [SVM_EXIT_RDPMC - SVM_EXIT_INTR] = VMEXIT_RDPMC,
    [SVM_EXIT_CPUID - SVM_EXIT_INTR] = VMEXIT_CPUID,
    [SVM_EXIT_IRET - SVM_EXIT_INTR] = VMEXIT_NMI_WINDOW,
    [SVM_EXIT_INVD - SVM_EXIT_INTR] = VMEXIT_WBINVD,
    [SVM_EXIT_PAUSE - SVM_EXIT_INTR] = VMEXIT_PAUSE,
    [SVM_EXIT_HLT - SVM_EXIT_INTR] = VMEXIT_HLT,
    [SVM_EXIT_INVLPGA - SVM_EXIT_INTR] = VMEXIT_UNDEFINED,
    [SVM_EXIT_TASK - SVM_EXIT_INTR] = VMEXIT_TASK_SWITCH,
    [SVM_EXIT_FERR - SVM_EXIT_INTR] = VMEXIT_NONE,
    [SVM_EXIT_SHUTDOWN - SVM_EXIT_INTR] = VMEXIT_SHUTDOWN,
    [SVM_EXIT_VMRUN - SVM_EXIT_INTR] = VMEXIT_UNDEFINED,
    [0x82 - SVM_EXIT_INTR] = VMEXIT_UNDEFINED, /* VMLOAD, VMSAVE, STGI, CLGI, SKINIT */
    [0x83 - SVM_EXIT_INTR] = VMEXIT_UNDEFINED,
    [0x84 - SVM_EXIT_INTR] = VMEXIT_UNDEFINED,
    [0x85 - SVM_EXIT_INTR] = VMEXIT_UNDEFINED,
    [SVM_EXIT_SKINIT - SVM_EXIT_INTR] = VMEXIT_UNDEFINED,
    [SVM_EXIT_RDTSCP - SVM_EXIT_INTR] = VMEXIT_RDTSC,
    [SVM_EXIT_WBINVD - SVM_EXIT_INTR] = VMEXIT_WBINVD,
    [SVM_EXIT_MONITOR - SVM_EXIT_INTR] = VMEXIT_UNDEFINED,
    [0x8b - SVM_EXIT_INTR] = VMEXIT_UNDEFINED, /* MWAIT */
    [SVM_EXIT_MWAIT_ARMED - SVM_EXIT_INTR] = VMEXIT_UNDEFINED,
    [SVM_EXIT_XSETBV - SVM_EXIT_INTR] = VMEXIT_XSETBV,
};

enum vcpu_mode vmcb_mode(const struct vmcb *c)
{
    if (likely((c->efer & EFER_LMA) && (c->cs.attr & ATTR_L)))
        return MODE_LONG64;
    if (!(c->cr0 & CR0_PE))
        return MODE_REAL;
    if (!(c->efer & EFER_LMA) && (c->rflags & RFLAGS_VM))
        return MODE_VM86;
    return c->cs.attr & ATTR_D ? MODE_PROT32 : MODE_PROT16;
}

static void exitmap_call(const struct vmcb *c, struct vmexit *x)
{
    x->reason = VMEXIT_HYPERCALL;
    x->call.mode = (uint8_t)vmcb_mode(c);
    x->call.cpl = c->cpl;
}

static void exitmap_io(const struct vmcb *c, struct vmexit *x)
{
    uint32_t info = (uint32_t)c->exitinfo1;

    x->reason = VMEXIT_IO;
    x->io.port = (uint16_t)(info >> 16);
    x->io.in = info & 1;
    x->io.string = info & 4;
    x->io.rep = info & 8;
    x->io.size = (uint8_t)((info >> 4) & 7);
    x->len = (uint8_t)(c->exitinfo2 - c->rip);
}

static void exitmap_npf(const struct vmcb *c, struct vmexit *x)
{
    uint64_t info = c->exitinfo1;

    x->reason = VMEXIT_NPF;
    x->npf.gpa = _gpa(c->exitinfo2);
    x->npf.present = info & NPF_PRESENT;
    x->npf.write = info & NPF_WRITE;
    x->npf.exec = info & NPF_FETCH;
    x->npf.table = info & NPF_TABLE;
}

static void exitmap_exception(const struct vmcb *c, struct vmexit *x, uint8_t vector)
{
    x->reason = VMEXIT_EXCEPTION;
    x->exc.vector = vector;
    x->exc.has_error = vector == VEC_AC;
    x->exc.error = (uint32_t)c->exitinfo1;
    x->exc.address = c->exitinfo2;
}

void exitmap(const struct vmcb *c, struct vmexit *x)
{
    uint32_t code = (uint32_t)c->exitcode;

    x->reason = VMEXIT_OTHER;
    x->len = 0;
    x->nr_bytes = 0;
    x->info = c->exitcode;

    if (code == SVM_EXIT_VMMCALL)
        exitmap_call(c, x);
    else if (code == SVM_EXIT_IOIO)
        exitmap_io(c, x);
    else if (code == SVM_EXIT_MSR) {
        x->reason = VMEXIT_MSR;
        x->msr.write = c->exitinfo1 & 1;
    } else if (code >= SVM_EXIT_INTR && code - SVM_EXIT_INTR < ARRAY_SIZE(plain_reason))
        x->reason = plain_reason[code - SVM_EXIT_INTR];
    else if (code == SVM_EXIT_NPF)
        exitmap_npf(c, x);
    else if (code >= SVM_EXIT_EXCEPTION && code < SVM_EXIT_EXCEPTION + 32)
        exitmap_exception(c, x, (uint8_t)(code - SVM_EXIT_EXCEPTION));
    else if (code >= SVM_EXIT_CR_WRITE(0) && code < SVM_EXIT_CR_WRITE(16)) {
        x->reason = VMEXIT_CR;
        x->cr.write = true;
        x->cr.nr = (uint8_t)(code - SVM_EXIT_CR_WRITE(0));
    } else if (code >= SVM_EXIT_DR_READ && code < SVM_EXIT_DR_WRITE + 16) {
        x->reason = VMEXIT_DR;
        x->dr.write = code >= SVM_EXIT_DR_WRITE;
        x->dr.nr = (uint8_t)(code & 15);
    } else if (code == SVM_EXIT_INVALID)
        x->reason = VMEXIT_INVALID;

    if (svm_features.nrip && !x->len && c->nrip > c->rip && c->nrip - c->rip <= 15)
        x->len = (uint8_t)(c->nrip - c->rip);
    if (svm_features.decode_assist && x->reason == VMEXIT_NPF) {
        x->nr_bytes = (uint8_t)min((unsigned int)c->nr_bytes & 15, 15u);
        memcpy(x->bytes, c->bytes, sizeof(x->bytes));
    }
}

void exitmap_intercepts(struct vmcb *c)
{
    c->intercept[0] = ICEPT_CR_WRITE(4);
    c->intercept[1] = ICEPT_DR_ALL;
    c->intercept[2] = 1u << VEC_DB | 1u << VEC_UD | 1u << VEC_AC | 1u << VEC_MC;
    c->intercept[3] = ICEPT_INTR | ICEPT_NMI | ICEPT_SMI | ICEPT_INIT | ICEPT_RDPMC | ICEPT_CPUID |
                      ICEPT_INVD | ICEPT_HLT | ICEPT_INVLPGA | ICEPT_IOIO | ICEPT_MSR | ICEPT_TASK |
                      ICEPT_FERR | ICEPT_SHUTDOWN;
    c->intercept[4] = ICEPT_VMRUN | ICEPT_VMMCALL | ICEPT_VMLOAD | ICEPT_VMSAVE | ICEPT_STGI |
                      ICEPT_CLGI | ICEPT_SKINIT | ICEPT_WBINVD | ICEPT_MONITOR | ICEPT_MWAIT |
                      ICEPT_MWAIT_ARMED | ICEPT_XSETBV;
    c->intercept[5] = 0;
    if (svm_features.pause_filter) {
        c->intercept[3] |= ICEPT_PAUSE;
        c->pause_count = 3000;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hardware does not switch between host and guest, in one place: XCR0 and the FPU/XSAVE
 * image (eagerly, all components the CPU has), TSC_AUX, DR0-3. Done when a CPU changes vCPU, never
 * per exit: Krypton itself uses none of it. PAT is the VMCB's (G_PAT); DEBUGCTL, XSS and
 * SPEC_CTRL are not offered to guests. AMD APM vol. 2, 11.5 and 15.5.
 */
#include "arch/x86/svm/svm.h"

#include "lib/string.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/msr.h"

#define FXSAVE_SIZE 512u
#define FCW_RESET   0x40u
#define MXCSR_RESET 0x1f80u
#define MSR_TSC_AUX 0xc0000103
#define XCR0_X87    1u
#define XSTATE_BV   512u /* offset of that field */

static bool has_xsave, has_rdtscp;
static uint64_t xcr0_all;
static size_t fpu_size;

static inline void xsetbv(uint64_t v)
{
    __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static inline uint64_t xgetbv(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

int swap_init(void)
{
    has_xsave = cpu_has(CPU_XSAVE);
    has_rdtscp = cpu_has(CPU_RDTSCP);
    cr4_write(cr4_read() | CR4_OSFXSR | CR4_OSXMMEXCPT | (has_xsave ? CR4_OSXSAVE : 0));
    fpu_size = FXSAVE_SIZE;
    if (has_xsave) {
        struct cpuid_regs r = cpuid(0xd, 0);

        xcr0_all = (uint64_t)r.d << 32 | r.a;
        xsetbv(xcr0_all);
        fpu_size = cpuid(0xd, 0).b;
    }
    return 0;
}

size_t swap_fpu_size(void)
{
    return fpu_size;
}

/* Power-up contents. A component whose bit in an XSAVE image's header is clear is loaded with its
 * initial state; that of the x87 is FNINIT's, not this. Only the first page is mapped. */
void swap_reset(void *fpu, struct svm_state *s)
{
    uint16_t fcw = FCW_RESET;
    uint32_t mxcsr = MXCSR_RESET;

    memset(fpu, 0, min(fpu_size, (size_t)PAGE_SIZE));
    memcpy(fpu, &fcw, sizeof(fcw));
    memcpy((uint8_t *)fpu + 24, &mxcsr, sizeof(mxcsr));
    if (has_xsave)
        *((uint8_t *)fpu + XSTATE_BV) = XCR0_X87;
    memset(s, 0, sizeof(*s));
    s->xcr0 = XCR0_X87;
}

/* AMD CPUs keep the last FPU instruction and data pointers across a restore unless an exception is
 * pending: overwrite them, so that one guest's do not reach the next. */
static inline void fpu_forget_pointers(void)
{
    static const uint32_t zero;

    __asm__ volatile("fnclex; emms; fildl %0" ::"m"(zero));
}

void swap_load_debug(struct vcpu *v)
{
    const uint64_t *dr = svm_state(v->priv)->dr;

    __asm__ volatile("mov %0, %%dr0" ::"r"(dr[0]));
    __asm__ volatile("mov %0, %%dr1" ::"r"(dr[1]));
    __asm__ volatile("mov %0, %%dr2" ::"r"(dr[2]));
    __asm__ volatile("mov %0, %%dr3" ::"r"(dr[3]));
}

void swap_load_tsc_aux(struct vcpu *v)
{
    if (has_rdtscp)
        wrmsr(MSR_TSC_AUX, svm_state(v->priv)->tsc_aux);
}

void swap_load(struct vcpu *v)
{
    const struct svm_state *s = svm_state(v->priv);

    fpu_forget_pointers();
    if (has_xsave) {
        __asm__ volatile("xrstor64 (%0)" ::"r"(v->virt->fpu), "a"((uint32_t)xcr0_all),
                         "d"((uint32_t)(xcr0_all >> 32))
                         : "memory");
        xsetbv(s->xcr0);
    } else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(v->virt->fpu) : "memory");
    swap_load_tsc_aux(v);
    if (v->virt->dr_live)
        swap_load_debug(v);
}

void swap_set_xcr0(struct vcpu *v, uint64_t xcr0)
{
    svm_state(v->priv)->xcr0 = xcr0;
    xsetbv(xcr0);
}

void swap_unload(struct vcpu *v)
{
    struct svm_state *s = svm_state(v->priv);

    if (has_xsave) {
        s->xcr0 = xgetbv(); /* where XSETBV cannot be intercepted the guest has set it itself */
        xsetbv(xcr0_all);
        __asm__ volatile("xsave64 (%0)" ::"r"(v->virt->fpu), "a"((uint32_t)xcr0_all),
                         "d"((uint32_t)(xcr0_all >> 32))
                         : "memory");
    } else
        __asm__ volatile("fxsave64 (%0)" ::"r"(v->virt->fpu) : "memory");
    if (v->virt->dr_live) {
        __asm__ volatile("mov %%dr0, %0" : "=r"(s->dr[0]));
        __asm__ volatile("mov %%dr1, %0" : "=r"(s->dr[1]));
        __asm__ volatile("mov %%dr2, %0" : "=r"(s->dr[2]));
        __asm__ volatile("mov %%dr3, %0" : "=r"(s->dr[3]));
        if (!(v->virt->vmcb->dr7 & 0xff)) {
            v->virt->dr_live = false;
            v->virt->vmcb->intercept[1] = ICEPT_DR_ALL;
        }
    }
}

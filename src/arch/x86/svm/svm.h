/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the SVM back end: its per-CPU and per-vCPU data, and how its files reach a VMCB. Not for
 * other folders; they use domain/virt.h.
 */
#ifndef KR_ARCH_X86_SVM_SVM_H
#define KR_ARCH_X86_SVM_SVM_H

#include "domain/domain.h"
#include "arch/x86/svm/vmcb.h"

/* Pages of a vCPU in the domain part (arch/x86/vcpu/part.h). */
enum { SVM_PAGE_PRIV, SVM_PAGE_VMCB, SVM_PAGE_FPU };

/* Guest state that hardware does not switch (swap.c), behind vcpu_regs in the private page. */
struct svm_state {
    uint64_t xcr0, tsc_aux;
    uint64_t dr[4];
};
#define SVM_STATE_OFFSET 512u
BUILD_BUG_ON(sizeof(struct vcpu_priv) != SVM_STATE_OFFSET);

/* Not guest state; own CPU only, except where said. */
struct virt_vcpu {
    struct vmcb *vmcb; /* (c) in the domain part */
    void *fpu;         /* (c) in the domain part */
    mfn_t vmcb_mfn, fpu_mfn;
    hpa_t vmcb_pa;
    uint64_t asid_generation; /* of asid_cpu; 0 = needs a new ASID */
    unsigned int asid_cpu;
    struct vcpu_event pending; /* was being delivered at the last exit, or is to be injected */
    bool dr_live;              /* the CPU holds the guest's DR0-3; accesses are not intercepted */
    bool nmi_blocked;          /* NMI delivered, IRET not yet seen */
    bool iret_seen;            /* IRET intercepted at iret_rip; unblocked once rip has moved on */
    uint64_t iret_rip;
    uint64_t tsc_offset;
};

/* One per CPU, in this_cpu()->virt. */
struct virt_cpu {
    hpa_t host_vmcb; /* what VMLOAD restores after each exit */
    uint32_t next_asid, max_asid;
    uint64_t generation; /* of ASIDs; > 0 */
    bool flush_all;      /* the next VMRUN flushes every ASID */
};

struct svm_features {
    bool nrip, decode_assist, pause_filter, flush_by_asid;
    uint32_t asids;
};
extern struct svm_features svm_features;

/* The vCPU's VMCB or private page: direct when this CPU serves its domain, else by a window. */
struct vmcb *must_check vmcb_open(struct vcpu *v);
void vmcb_close(struct vcpu *v, const struct vmcb *vmcb);
struct vcpu_priv *must_check priv_open(struct vcpu *v);
void priv_close(struct vcpu *v, const struct vcpu_priv *priv);
static inline struct svm_state *svm_state(struct vcpu_priv *priv)
{
    return (struct svm_state *)(void *)((uint8_t *)priv + SVM_STATE_OFFSET);
}

/* enter.S: VMLOAD guest, VMRUN, VMSAVE guest, VMLOAD host, between CLGI and STGI. Interrupts off
 * on entry and return. */
void svm_enter(struct vcpu_regs *regs, hpa_t guest_vmcb, hpa_t host_vmcb);

/* exitmap.c: pure. Fills x from the VMCB; host_event says that an interrupt or NMI of the host
 * ended the run. */
void exitmap(const struct vmcb *c, struct vmexit *x);
enum vcpu_mode vmcb_mode(const struct vmcb *c);
/* The intercepts every guest starts with (hardware-traps.md). */
void exitmap_intercepts(struct vmcb *c);

/* audit.c: pure. The first entry rule of APM vol. 2, 15.5.1 that the VMCB breaks, or NULL. */
const char *must_check svm_audit(const struct vmcb *c, const struct svm_features *f,
                                 unsigned int phys_bits);

/* swap.c: what hardware does not switch, at load and unload. */
int must_check swap_init(void);
size_t swap_fpu_size(void);
void swap_reset(void *fpu, struct svm_state *s);
void swap_load(struct vcpu *v);
void swap_unload(struct vcpu *v);
void swap_load_tsc_aux(struct vcpu *v);
void swap_load_debug(struct vcpu *v); /* DR0-3 alone */
void swap_set_xcr0(struct vcpu *v, uint64_t xcr0);

/* event.c */
void event_take(struct vcpu *v, uint64_t info); /* EXITINTINFO, valid -> pending */
uint64_t event_encode(struct vcpu *v);          /* pending, valid -> EVENTINJ */

/* After an exit: what was being delivered is pending again. */
static inline void event_collect(struct vcpu *v)
{
    uint64_t info = v->virt->vmcb->exitintinfo;

    v->virt->pending.valid = false;
    if (unlikely(info & EVENT_VALID))
        event_take(v, info);
}
/* Before an entry. */
static inline void event_prepare(struct vcpu *v)
{
    v->virt->vmcb->eventinj = unlikely(v->virt->pending.valid) ? event_encode(v) : 0;
}
bool svm_event_ready(struct vcpu *v);
bool svm_nmi_ready(struct vcpu *v);
bool svm_event_pending(struct vcpu *v, struct vcpu_event *e);
void svm_inject(struct vcpu *v, const struct vcpu_event *e);
void svm_window(struct vcpu *v, bool on, uint8_t priority);
void event_iret(struct vcpu *v);

/* state.c: the get/set groups of virt_ops. */
void svm_vmcb_reset(struct vcpu *v, struct vmcb *c);
void svm_get_control(struct vcpu *v, struct vcpu_control *c);
void svm_set_control(struct vcpu *v, const struct vcpu_control *c);
void svm_set_cr2(struct vcpu *v, uint64_t cr2);
enum vcpu_mode svm_mode(struct vcpu *v);
void svm_get_segs(struct vcpu *v, struct vcpu_segs *s);
void svm_set_segs(struct vcpu *v, const struct vcpu_segs *s);
void svm_get_sysregs(struct vcpu *v, struct vcpu_sysregs *s);
void svm_set_sysregs(struct vcpu *v, const struct vcpu_sysregs *s);
void svm_get_regs(struct vcpu *v, struct vcpu_regs *r);
void svm_set_regs(struct vcpu *v, const struct vcpu_regs *r);
void svm_dump(struct vcpu *v);

extern const struct virt_ops svm_ops;
extern hpa_t svm_iopm, svm_msrpm;

#endif

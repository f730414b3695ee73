/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A back end of domain/virt.h without a CPU behind it: the guest is a C function of the test, which
 * is called for each entry and says how it ends. What an exit leaves undefined in its record is
 * poisoned, and entries that the contract forbids panic.
 */
#ifndef KR_HOST_SCRIPT_H
#define KR_HOST_SCRIPT_H

#include "domain/domain.h"

/* The guest, running: may change its registers (v->priv->regs), state (script_of(v)) and memory;
 * fills x. Without one the exit is VMEXIT_NONE. */
typedef void script_guest(struct vcpu *v, struct vmexit *x);

/* What SVM would have in the VMCB and in the CPU; tests read and write it freely. */
struct virt_vcpu {
    script_guest *guest;
    void *arg;
    struct vcpu_control control;
    struct vcpu_segs segs;
    struct vcpu_sysregs sysregs;
    uint64_t xcr0; /* while it is not loaded; host_xcr0() when it is */
    uint64_t tsc_offset;
    unsigned int loaded_on; /* CPU + 1; 0: not loaded */
    uint8_t tpr;
    bool shadow, nmi_blocked;
    struct vcpu_event pending; /* for the next entry */
    bool window;
    uint8_t window_priority;
    struct vcpu_event taken; /* what the last entry delivered */
    unsigned int entries, loads, fpu_resets, flushes, debug_exits;
};

extern const struct virt_ops script_ops;

static inline struct virt_vcpu *script_of(struct vcpu *v)
{
    return v->virt;
}

/* Long mode, paging off as far as the script is concerned, CPL 0, interrupts on or off. */
void script_long_mode(struct vcpu *v, bool interrupts);

#endif

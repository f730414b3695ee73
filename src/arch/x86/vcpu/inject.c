/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raising exceptions in a guest, composed with an event whose delivery was interrupted: double
 * fault and shutdown by class (AMD APM vol. 2, 8.2.9). Uses only the back end's
 * operations.
 */
#include "domain/domain.h"

#include "core/printk.h"

#define VEC_DF 8
#define VEC_PF 14

/* #DE #TS #NP #SS #GP; page faults are a class of their own; all others are benign. */
#define CONTRIBUTORY (1u << 0 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13)

static bool contributory(uint8_t vector)
{
    return vector < 32 && (CONTRIBUTORY >> vector) & 1;
}

static bool makes_double_fault(uint8_t first, uint8_t second)
{
    return (contributory(first) && contributory(second)) ||
           (first == VEC_PF && (second == VEC_PF || contributory(second)));
}

void vcpu_raise_exception(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error)
{
    struct vcpu_event e = {.vector = vector,
                           .type = EVENT_EXCEPTION,
                           .valid = true,
                           .has_error = has_error,
                           .error = error};
    struct vcpu_event first;

    if (virt->event_pending(v, &first) && first.type == EVENT_EXCEPTION) {
        if (first.vector == VEC_DF && (vector == VEC_PF || contributory(vector))) {
            uint32_t reason = (uint32_t)v->domain->param[HVM_PARAM_TRIPLE_FAULT_REASON];

            log_info("%s: vCPU %u: triple fault", v->domain->name, v->id);
            domain_shutdown(v->domain, reason);
            return;
        }
        if (makes_double_fault(first.vector, vector)) {
            e.vector = VEC_DF;
            e.has_error = true;
            e.error = 0;
        }
    }
    virt->inject(v, &e);
}

void vcpu_raise_page_fault(struct vcpu *v, uint64_t address, uint32_t error)
{
    virt->set_cr2(v, address);
    vcpu_raise_exception(v, VEC_PF, true, error);
}

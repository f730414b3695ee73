/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door before an entry: settles what is pending for the CPU and for the vCPU. Everything
 * asynchronous reaches a vCPU as a work bit and is dealt with here; the fast path does not come
 * here at all.
 */
#include "exit/exit.h"

#include "core/clock.h"
#include "core/reclaim.h"
#include "core/task.h"
#include "domain/evtchn.h"
#include "domain/sched.h"
#include "domain/shared.h"
#include "guest/areas.h"
#include "arch/x86/dev/vlapic.h"
#include "core/trace.h"

#include "port/mem.h"

void (*work_console_hook)(void);

bool work_cpu(void)
{
    struct pcpu_shared *s = &pcpu_shared[this_cpu()->id];
    uint32_t work = __atomic_exchange_n(&s->work, 0, __ATOMIC_SEQ_CST);

    if (work & WORK_TIMER)
        ktimer_run();
    if ((work & WORK_CONSOLE) && work_console_hook)
        work_console_hook();
    if (work & WORK_RECLAIM)
        reclaim_run();
    if (work & WORK_TASK)
        task_run();
    return work & WORK_RESCHED;
}

static void event_inject(struct vcpu *v, uint8_t type, uint8_t vector)
{
    trace(TRACE_INJECT, vector | (uint32_t)type << 8, 0);
    virt->inject(v, &(struct vcpu_event){.vector = vector, .type = type, .valid = true});
}

/* A type-2 callback is due as long as upcall_pending stands in its vcpu_info. */
static bool event_callback_due(struct vcpu *v)
{
    struct vcpu_info *info;
    bool due;

    if (!v->domain->callback_vector || v->upcall_vector)
        return false;
    info = vcpu_info_map(v);
    if (!info)
        return false;
    due = mem_load8(&info->evtchn_upcall_pending);
    shared_unmap(info);
    return due;
}

/* Priority on entry: NMI, type-2 callback (whatever the TPR says), local APIC. */
void event_settle(struct vcpu *v)
{
    int vector;
    uint8_t tpr = virt->get_tpr(v);

    if (v->nmi_pending && virt->nmi_ready(v)) {
        v->nmi_pending = false;
        event_inject(v, EVENT_NMI, 2);
    }
    if (event_callback_due(v)) {
        if (virt->event_ready(v))
            event_inject(v, EVENT_INTR, v->domain->callback_vector);
        virt->window(v, true, 0xff); /* again, until the guest clears the flag */
        return;
    }
    if (vlapic_get_tpr(v) != tpr)
        vlapic_set_tpr(v, tpr);
    vector = vlapic_pending(v);
    if (vector >= 0 && (vector >> 4) > tpr && virt->event_ready(v)) {
        event_inject(v, EVENT_INTR, (uint8_t)vector);
        vlapic_accept(v, (uint8_t)vector);
        vector = vlapic_pending(v);
    }
    virt->window(v, vector >= 0, (uint8_t)(vector >> 4));
}

bool work_settle(struct vcpu *v)
{
    uint32_t work = __atomic_exchange_n(&v->work, 0, __ATOMIC_SEQ_CST);

    if (READ_ONCE(v->pause)) {
        /* Not to be run: what is left is settled when it is picked again. */
        __atomic_fetch_or(&v->work, work & ~VWORK_PAUSE, __ATOMIC_SEQ_CST);
        pcpu_raise(this_cpu()->id, WORK_RESCHED);
        return false;
    }
    if ((work & VWORK_CALL) && v->resume)
        v->resume(v);
    if (work & VWORK_TIME)
        time_publish(v, true);
    if (work & VWORK_FLUSH)
        virt->flush_guest(v);
    if (work & VWORK_EVENT)
        event_settle(v);
    return true;
}

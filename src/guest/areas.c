/* SPDX-License-Identifier: Apache-2.0 */
/* Time records and runstate areas: see areas.h. */
#include "guest/areas.h"

#include "abi/compat.h"
#include "core/clock.h"
#include "domain/sched.h"
#include "domain/shared.h"
#include "guest/access.h"

#include "port/mem.h"

#define RUNSTATE_UPDATING (1ULL << 63)

/* Version odd, the fields, version even again (addendum B1.6). */
static void time_write(struct vcpu_time_info *to, const struct vcpu_time_info *t)
{
    uint32_t version = (mem_load32(&to->version) + 1) | 1;

    mem_store32(&to->version, version);
    smp_wmb();
    mem_store64(&to->tsc_timestamp, t->tsc_timestamp);
    mem_store64(&to->system_time, t->system_time);
    mem_store32(&to->tsc_to_system_mul, t->tsc_to_system_mul);
    mem_store8(&to->tsc_shift, (uint8_t)t->tsc_shift);
    mem_store8(&to->flags, t->flags);
    smp_wmb();
    mem_store32(&to->version, version + 1);
}

static void time_write_secondary(struct vcpu *v, const struct vcpu_time_info *t)
{
    struct vcpu_time_info out = *t;
    uint32_t version;

    if (!v->time_area || guest_read(v, &version, v->time_area, sizeof(version)))
        return;
    out.version = (version + 1) | 1;
    if (guest_write(v, v->time_area, &out.version, sizeof(out.version)) ||
        guest_write(v, v->time_area + sizeof(version), (uint8_t *)&out + sizeof(version),
                    sizeof(out) - sizeof(version)))
        return;
    out.version++;
    (void)!guest_write(v, v->time_area, &out.version, sizeof(out.version));
}

void time_publish(struct vcpu *v, bool force)
{
    const struct clock_stamp *s = &pcpu_shared[this_cpu()->id].clock;
    uint32_t shown = s->version ^ (this_cpu()->id << 24);
    struct vcpu_time_info t;
    struct vcpu_info *info;

    if (v->time_version == shown && !force)
        return;
    info = vcpu_info_map(v);
    if (!info)
        return;
    t = (struct vcpu_time_info){
        .tsc_timestamp = s->base_tsc + (uint64_t)v->domain->tsc_offset + (uint64_t)v->tsc_adjust,
        .system_time = (uint64_t)s->base_ns,
        .tsc_to_system_mul = s->mul,
        .tsc_shift = s->shift,
        .flags = clock_tsc_stable ? 1 : 0,
    };
    time_write((void *)((uint8_t *)info + shared_layout(v->domain)->time), &t);
    shared_unmap(info);
    v->time_version = shown;
    time_write_secondary(v, &t);
}

static void runstate_write_narrow(struct vcpu *v, const struct vcpu_runstate_info *info)
{
    struct compat_runstate_info n = {
        .state = (uint32_t)info->state,
        .state_entry_time = info->state_entry_time,
        .time = {info->time[0], info->time[1], info->time[2], info->time[3]},
    };

    (void)!guest_write(v, v->runstate_area, &n, sizeof(n));
}

/* With the assist on, bit 63 of the entry time marks the area while it changes. */
void runstate_publish(struct vcpu *v)
{
    const uint64_t at = v->runstate_area + offsetof(struct vcpu_runstate_info, state_entry_time);
    struct vcpu_runstate_info info;
    uint64_t mark = 0;

    if (!v->runstate_area)
        return;
    sched_get_runstate(v, &info);
    if (!v->domain->wide) {
        runstate_write_narrow(v, &info);
        return;
    }
    if (v->domain->runstate_flag) {
        mark = info.state_entry_time | RUNSTATE_UPDATING;
        if (guest_write(v, at, &mark, sizeof(mark)))
            return;
        smp_wmb();
        info.state_entry_time = mark;
    }
    if (guest_write(v, v->runstate_area, &info, sizeof(info)))
        return;
    smp_wmb();
    if (v->domain->runstate_flag) {
        mark &= ~RUNSTATE_UPDATING;
        (void)!guest_write(v, at, &mark, sizeof(mark));
    }
}

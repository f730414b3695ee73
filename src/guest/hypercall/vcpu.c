/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu_op and set_timer_op (public vcpu.h): vCPUs up and down, their timers, the areas they share.
 * hypercalls.md S1.2, addendum A.2, B1.6, B1.7.
 */
#include "guest/hypercall/hypercall.h"

#include "abi/compat.h"
#include "lib/nospec.h"
#include "core/clock.h"
#include "domain/evtchn_ops.h"
#include "domain/sched.h"
#include "domain/shared.h"
#include "guest/access.h"
#include "guest/areas.h"
#include "guest/hypercall/hvm_context.h"

#include "port/mem.h"

#define PERIOD_MIN MSEC(1)
#define TIMER_FAR  (1LL << 50)

static bool call_vcpu_exists(const struct call *c)
{
    return (uint32_t)c->arg[1] < c->d->max_vcpus;
}

/* The vCPU that the call names: do_vcpu_op() has seen that it is there. */
__attribute__((returns_nonnull)) static struct vcpu *call_vcpu(const struct call *c)
{
    return c->d->vcpu[index_nospec((uint32_t)c->arg[1], c->d->max_vcpus)];
}

static long op_initialise(struct call *c, void *arg)
{
    struct vcpu *v = call_vcpu(c);
    struct vcpu_hvm_context ctx;

    (void)arg;
    if (guest_read(c->v, &ctx, c->arg[2], sizeof(ctx)))
        return -XEN_EFAULT;
    return hvm_context_initialise(v, &ctx);
}

static long op_up(struct call *c, void *arg)
{
    struct vcpu *v = call_vcpu(c);

    (void)arg;
    if (!v->initialised)
        return -XEN_EINVAL;
    vcpu_up(v);
    return 0;
}

static long op_down(struct call *c, void *arg)
{
    (void)arg;
    vcpu_down(call_vcpu(c));
    return 0;
}

static long op_is_up(struct call *c, void *arg)
{
    (void)arg;
    return !(READ_ONCE(call_vcpu(c)->pause) & VPAUSE_DOWN);
}

static long op_get_runstate(struct call *c, void *arg)
{
    struct vcpu_runstate_info info;
    struct compat_runstate_info narrow;

    (void)arg;
    sched_get_runstate(call_vcpu(c), &info);
    if (!c->compat)
        return guest_write(c->v, c->arg[2], &info, sizeof(info));
    narrow.state = (uint32_t)info.state;
    narrow.state_entry_time = info.state_entry_time;
    for (unsigned int i = 0; i < ARRAY_SIZE(narrow.time); i++)
        narrow.time[i] = info.time[i];
    return guest_write(c->v, c->arg[2], &narrow, sizeof(narrow));
}

/* The address in the argument: a handle, as wide as the caller's pointers. */
static long read_area(struct call *c, uint64_t *area)
{
    *area = 0;
    return guest_read(c->v, area, c->arg[2], c->compat ? 4 : 8);
}

static long op_register_runstate(struct call *c, void *arg)
{
    struct vcpu *v = call_vcpu(c);
    uint64_t area;

    (void)arg;
    if (read_area(c, &area))
        return -XEN_EFAULT;
    WRITE_ONCE(v->runstate_area, area);
    if (v == c->v)
        runstate_publish(v);
    return 0;
}

static long op_register_time(struct call *c, void *arg)
{
    struct vcpu *v = call_vcpu(c);
    uint64_t area;

    (void)arg;
    if (read_area(c, &area))
        return -XEN_EFAULT;
    WRITE_ONCE(v->time_area, area);
    if (v == c->v)
        time_publish(v, true);
    else
        vcpu_raise(v, VWORK_TIME);
    return 0;
}

static long op_set_periodic(struct call *c, void *arg)
{
    struct vcpu *v = call_vcpu(c);
    struct vcpu_set_periodic_timer t;

    (void)arg;
    if (guest_read(c->v, &t, c->arg[2], sizeof(t)))
        return -XEN_EFAULT;
    if (t.period_ns < (uint64_t)PERIOD_MIN || t.period_ns > (uint64_t)TIMER_FAR)
        return -XEN_EINVAL;
    WRITE_ONCE(v->period, (nsec_t)t.period_ns);
    ktimer_start(&v->periodic, clock_now() + v->period, v->cpu);
    return 0;
}

static long op_stop_periodic(struct call *c, void *arg)
{
    struct vcpu *v = call_vcpu(c);

    (void)arg;
    WRITE_ONCE(v->period, 0);
    ktimer_stop(&v->periodic);
    return 0;
}

/* A deadline in the past is delivered at once: callers do not expect an error. */
static void singleshot_set(struct vcpu *v, nsec_t deadline)
{
    if (deadline <= clock_now()) {
        ktimer_stop(&v->singleshot);
        evtchn_send_vcpu_virq(v, VIRQ_TIMER);
    } else
        ktimer_start(&v->singleshot, deadline, this_cpu()->id);
}

static long op_set_singleshot(struct call *c, void *arg)
{
    struct vcpu_set_singleshot_timer t = {0};

    (void)arg;
    if (call_vcpu(c) != c->v)
        return -XEN_EINVAL;
    if (guest_read(c->v, &t, c->arg[2],
                   c->compat ? sizeof(struct compat_set_singleshot_timer) : sizeof(t)))
        return -XEN_EFAULT;
    singleshot_set(c->v, (nsec_t)min(t.timeout_abs_ns, (uint64_t)NSEC_NEVER));
    return 0;
}

static long op_stop_singleshot(struct call *c, void *arg)
{
    (void)arg;
    if (call_vcpu(c) != c->v)
        return -XEN_EINVAL;
    ktimer_stop(&c->v->singleshot);
    return 0;
}

/* The new area starts with what the old one holds; every event is looked for again. */
static void info_fill(struct vcpu *v, uint8_t *to)
{
    struct vcpu_info *old = vcpu_info_map(v);
    struct vcpu_info *info = (void *)to;
    const struct shared_layout *layout = shared_layout(v->domain);

    if (old) {
        mem_copy(to, old, sizeof(*old));
        shared_unmap(old);
    } else {
        mem_zero(to, sizeof(*info));
        mem_store8(&info->evtchn_upcall_mask, 1);
    }
    mem_store8(&info->evtchn_upcall_pending, 1);
    if (layout->word_bits == 64)
        mem_store64(to + layout->pending_sel, ~0ULL);
    else
        mem_store32(to + layout->pending_sel, ~0U);
}

static long op_register_info(struct call *c, void *arg)
{
    struct vcpu *v = call_vcpu(c);
    struct vcpu_register_vcpu_info reg;
    struct shared_page page;
    uint8_t *va;
    int err;

    (void)arg;
    if (guest_read(c->v, &reg, c->arg[2], sizeof(reg)))
        return -XEN_EFAULT;
    if (reg.offset > PAGE_SIZE - sizeof(struct vcpu_info) || reg.offset % sizeof(uint64_t))
        return -XEN_ENXIO;
    if (shared_present(&v->info) || (v != c->v && !(READ_ONCE(v->pause) & VPAUSE_DOWN)))
        return -XEN_EINVAL;
    err = shared_register(c->d, _gfn(reg.mfn), &page);
    if (err)
        return err;
    va = shared_map(&page);
    info_fill(v, va + reg.offset);
    shared_unmap(va);
    lock(&c->d->lock);
    if (shared_present(&v->info))
        err = -XEN_EINVAL;
    else {
        v->info_offset = (uint16_t)reg.offset;
        smp_wmb(); /* senders read them without the lock: vcpu_info_map() */
        WRITE_ONCE(v->info.mfn.v, page.mfn.v);
    }
    unlock(&c->d->lock);
    if (err) {
        shared_release(&page);
        return err;
    }
    if (v == c->v)
        time_publish(v, true);
    else
        vcpu_raise(v, VWORK_TIME);
    vcpu_raise(v, VWORK_EVENT);
    return 0;
}

static long op_send_nmi(struct call *c, void *arg)
{
    struct vcpu *v = call_vcpu(c);

    (void)arg;
    if (c->arg[2])
        return -XEN_EINVAL;
    WRITE_ONCE(v->nmi_pending, true);
    vcpu_raise(v, VWORK_EVENT);
    vcpu_wake(v);
    return 0;
}

static long op_get_physid(struct call *c, void *arg)
{
    (void)c;
    (void)arg;
    return -XEN_EINVAL; /* only a pinned hardware domain has one */
}

#define ROW(op, handler) \
    [VCPUOP_##op] = {.nr = VCPUOP_##op, .name = #op, .bound = "short", .fn = handler}

/* The structure, where there is one, is at the third argument: handlers read it themselves. */
static const struct subop vcpu_rows[] = {
    ROW(initialise, op_initialise),
    ROW(up, op_up),
    ROW(down, op_down),
    ROW(is_up, op_is_up),
    ROW(get_runstate_info, op_get_runstate),
    ROW(register_runstate_memory_area, op_register_runstate),
    ROW(set_periodic_timer, op_set_periodic),
    ROW(stop_periodic_timer, op_stop_periodic),
    ROW(set_singleshot_timer, op_set_singleshot),
    ROW(stop_singleshot_timer, op_stop_singleshot),
    ROW(register_vcpu_info, op_register_info),
    ROW(send_nmi, op_send_nmi),
    ROW(get_physid, op_get_physid),
    ROW(register_vcpu_time_memory_area, op_register_time),
};

long do_vcpu_op(struct call *c)
{
    if (!call_vcpu_exists(c))
        return -XEN_ENOENT;
    return subop_dispatch(c, vcpu_rows, ARRAY_SIZE(vcpu_rows), (uint32_t)c->arg[0], 0);
}

/* Zero stops the timer; what cannot be a deadline fires in 100 ms (addendum A.2). */
long do_set_timer_op(struct call *c)
{
    nsec_t deadline = (nsec_t)c->arg[0], now = clock_now();

    if (c->compat)
        deadline = (nsec_t)(c->arg[0] | c->arg[1] << 32);
    if (!deadline) {
        ktimer_stop(&c->v->singleshot);
        return 0;
    }
    if (deadline < 0 || deadline - now > TIMER_FAR)
        deadline = now + MSEC(100);
    singleshot_set(c->v, deadline);
    return 0;
}

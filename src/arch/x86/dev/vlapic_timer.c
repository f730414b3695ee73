/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vLAPIC's timer: one-shot, periodic, TSC deadline (AMD APM vol. 2, 16.4.1; Intel SDM vol. 3,
 * 11.5.4). It counts at 100 MHz, which is what Xen's guests see. The count is computed from system
 * time when asked for; a ktimer only delivers the interrupt. Its callback may run on a CPU that the
 * vCPU has left, so what it uses is under a lock.
 */
#include "arch/x86/dev/vlapic_state.h"

#include "lib/muldiv.h"
#include "core/clock.h"

#include "port/cpu.h"

#define TICK_NS 10

/* However short the period, the host does no more than this for it. */
#define MIN_PERIOD USEC(50)

/* Deadlines further away (about 36 years) never come. */
#define MAX_WAIT (1ULL << 60)

static uint32_t timer_mode(const struct vlapic *l)
{
    return READ_ONCE(l->reg[LAPIC_LVT_TIMER]) & LVT_TIMER_MODE;
}

/* Time that one whole count takes, at most 2^32 * 128 * 10 ns. */
static nsec_t timer_period(const struct vlapic *l)
{
    return ((nsec_t)READ_ONCE(l->reg[LAPIC_TIMER_ICR]) << l->timer_shift) * TICK_NS;
}

static void timer_start_locked(struct vlapic *l, nsec_t expires)
{
    l->timer_expires = expires;
    l->timer_armed = true;
    ktimer_start(&l->timer, expires, l->vcpu->cpu);
}

static void timer_stop_locked(struct vlapic *l)
{
    l->timer_armed = false;
    l->tsc_deadline = 0;
    ktimer_stop(&l->timer);
}

static uint64_t guest_tsc(const struct vlapic *l)
{
    const struct vcpu *v = l->vcpu;

    return cpu_tsc() + (uint64_t)v->domain->tsc_offset + (uint64_t)v->tsc_adjust;
}

/* Rounded up: never before the guest's TSC shows the deadline. */
static nsec_t deadline_time(const struct vlapic *l)
{
    uint64_t now = guest_tsc(l), wait = 0;

    if (l->tsc_deadline > now)
        wait = muldiv(l->tsc_deadline - now, 1000000000, clock_tsc_hz);
    return clock_now() + (nsec_t)(wait > MAX_WAIT ? MAX_WAIT : wait + 1);
}

/* True when the interrupt is due. A timer that was restarted while its callback was on the way is
 * not: it is queued once more. */
static bool timer_expired_locked(struct vlapic *l)
{
    nsec_t now = clock_now(), period;

    if (!l->timer_armed || now < l->timer_expires)
        return false;
    switch (timer_mode(l)) {
    case LVT_TIMER_PERIODIC:
        period = timer_period(l);
        if (period < MIN_PERIOD)
            period = MIN_PERIOD;
        timer_start_locked(l, now + period - (now - l->timer_expires) % period);
        return true;
    case LVT_TIMER_DEADLINE:
        if (guest_tsc(l) < l->tsc_deadline) {
            timer_start_locked(l, deadline_time(l));
            return false;
        }
        l->tsc_deadline = 0;
        break;
    default:
        break;
    }
    l->timer_armed = false;
    return true;
}

static void timer_fn(void *arg)
{
    struct vlapic *l = arg;
    bool due;

    lock(&l->timer_lock);
    due = timer_expired_locked(l);
    unlock(&l->timer_lock);
    if (due)
        vlapic_local(l, LAPIC_LVT_TIMER);
}

void vlapic_timer_init(struct vlapic *l)
{
    lock_init(&l->timer_lock, RANK_VCPU);
    ktimer_init(&l->timer, timer_fn, l);
}

void vlapic_timer_stop(struct vlapic *l)
{
    lock(&l->timer_lock);
    timer_stop_locked(l);
    unlock(&l->timer_lock);
}

uint32_t vlapic_timer_count(struct vlapic *l)
{
    uint32_t initial = l->reg[LAPIC_TIMER_ICR];
    uint64_t elapsed;

    if (!initial || timer_mode(l) == LVT_TIMER_DEADLINE)
        return 0;
    elapsed = (uint64_t)(clock_now() - l->timer_start) / TICK_NS >> l->timer_shift;
    if (timer_mode(l) == LVT_TIMER_PERIODIC)
        elapsed %= initial;
    return elapsed >= initial ? 0 : initial - (uint32_t)elapsed;
}

static void timer_restart_locked(struct vlapic *l, nsec_t start)
{
    timer_stop_locked(l);
    l->timer_start = start;
    if (l->reg[LAPIC_TIMER_ICR] && timer_mode(l) != LVT_TIMER_DEADLINE)
        timer_start_locked(l, start + timer_period(l));
}

void vlapic_timer_restart(struct vlapic *l)
{
    lock(&l->timer_lock);
    timer_restart_locked(l, clock_now());
    unlock(&l->timer_lock);
}

/* The count goes on from where it is. */
void vlapic_timer_set_divider(struct vlapic *l, uint32_t dcr)
{
    uint32_t code = (dcr & 3) | (dcr >> 1 & 4), count = vlapic_timer_count(l);

    lock(&l->timer_lock);
    l->reg[LAPIC_TIMER_DCR] = dcr;
    l->timer_shift = (uint8_t)((code + 1) & 7);
    if (count) {
        nsec_t done = (nsec_t)(l->reg[LAPIC_TIMER_ICR] - count) << l->timer_shift;

        timer_restart_locked(l, clock_now() - done * TICK_NS);
    }
    unlock(&l->timer_lock);
}

/* Between one-shot and periodic the count goes on; to or from TSC deadline the timer stops. */
void vlapic_timer_set_mode(struct vlapic *l, uint32_t lvt)
{
    uint32_t old = l->reg[LAPIC_LVT_TIMER], change = (old ^ lvt) & LVT_TIMER_MODE;
    uint32_t count = change ? vlapic_timer_count(l) : 0;

    lock(&l->timer_lock);
    WRITE_ONCE(l->reg[LAPIC_LVT_TIMER], lvt);
    if (change & LVT_TIMER_DEADLINE) {
        timer_stop_locked(l);
        l->reg[LAPIC_TIMER_ICR] = 0;
    } else if (count) {
        nsec_t done = (nsec_t)(l->reg[LAPIC_TIMER_ICR] - count) << l->timer_shift;

        timer_restart_locked(l, clock_now() - done * TICK_NS);
    }
    unlock(&l->timer_lock);
}

uint64_t vlapic_timer_deadline(struct vlapic *l)
{
    return timer_mode(l) == LVT_TIMER_DEADLINE ? READ_ONCE(l->tsc_deadline) : 0;
}

void vlapic_timer_set_deadline(struct vlapic *l, uint64_t tsc)
{
    if (timer_mode(l) != LVT_TIMER_DEADLINE)
        return;
    lock(&l->timer_lock);
    timer_stop_locked(l);
    l->tsc_deadline = tsc;
    if (tsc)
        timer_start_locked(l, deadline_time(l));
    unlock(&l->timer_lock);
}

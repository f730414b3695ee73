/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/hypercall/sched.c: sched_op by 64- and 32-bit callers. Sleeping and waking runs through the
 * real loop: a guest program makes its calls there and sees what it gets and when (addendum A.2,
 * B1.5, B1.8).
 */
#include "unit/hcall.h"

static struct domain *d;

static void setup(void)
{
    lab_start(1);
    d = hcall_domain(1);
    hcall_caller(d->vcpu[0], false);
}

static void expire(nsec_t ns)
{
    sim_advance(ns);
    ktimer_run();
}

static void simple_ones(void **state)
{
    setup();
    for (EACH_MODE) {
        assert_int_equal(hcall(29, SCHEDOP_yield, 0), 0);
        assert_int_equal(hcall(29, SCHEDOP_yield, HOLE), 0); /* it has no argument */
        hcall_bad_pointers(29, SCHEDOP_shutdown);
        hcall_bad_pointers(29, SCHEDOP_poll);
        hcall_bad_pointers(29, SCHEDOP_watchdog);
        hcall_bad_pointers(29, SCHEDOP_shutdown_code);
        assert_false(d->shutting_down);
    }
    /* A code that is told before is what the shutdown reports. */
    struct sched_shutdown s = {.reason = SHUTDOWN_reboot};
    assert_int_equal(hcall_struct(29, SCHEDOP_shutdown_code, &s, sizeof(s)), 0);
    assert_false(d->shutting_down);
    s.reason = SHUTDOWN_poweroff;
    hcall_struct(29, SCHEDOP_shutdown, &s, sizeof(s));
    assert_true(d->shutting_down);
    assert_int_equal(d->shutdown_code, SHUTDOWN_reboot);
    hcall_end();
}

static long watchdog(uint32_t id, uint32_t seconds)
{
    struct sched_watchdog w = {.id = id, .timeout = seconds};

    return hcall_struct(29, SCHEDOP_watchdog, &w, sizeof(w));
}

static void watchdogs(void **state)
{
    setup();
    for (EACH_MODE) {
        assert_int_equal(watchdog(1, 5), -XEN_EINVAL);
        assert_int_equal(watchdog(0, 0), -XEN_EINVAL);
        assert_int_equal(watchdog(0, 10), 1);
        assert_int_equal(watchdog(0, 20), 2);
        assert_int_equal(watchdog(0, 20), -XEN_ENOSPC);
        assert_int_equal(watchdog(3, 20), -XEN_EINVAL);
        assert_int_equal(watchdog(UINT32_MAX, 20), -XEN_EINVAL);
        expire(SEC(9));
        assert_int_equal(watchdog(1, 10), 0);
        expire(SEC(9));
        assert_false(d->shutting_down);
        assert_int_equal(watchdog(2, 0), 0);
        assert_int_equal(watchdog(2, 0), -XEN_EINVAL);
        assert_int_equal(watchdog(1, UINT32_MAX), 0);
        expire(SEC(100));
        assert_false(d->shutting_down);
        assert_int_equal(watchdog(1, 0), 0);
    }
    assert_int_equal(watchdog(0, 3), 1);
    expire(SEC(3));
    assert_true(d->shutting_down);
    assert_int_equal(d->shutdown_code, SHUTDOWN_watchdog);
    hcall_end();
}

/* -- sleep ------------------------------------------------------------------------------------ */

/* One call of a guest program in the loop. */
static struct {
    long result;
    nsec_t done_at; /* 0: not yet */
} got;

/* Once the instruction is behind it the guest computes. */
static void calling_guest(struct vcpu *v, struct vmexit *x)
{
    struct vcpu_regs *r = &v->priv->regs;

    sim_advance(USEC(1));
    if (r->rip == 0x1000) {
        x->reason = VMEXIT_HYPERCALL;
        x->len = 3;
        x->call.mode = virt->mode(v);
        x->call.cpl = 0;
    } else if (!got.done_at) {
        got.done_at = sim_now();
        got.result = compat ? (long)(int32_t)r->gpr[R_AX] : (long)r->gpr[R_AX];
    }
}

static void guest_begins(uint32_t nr, uint32_t op, uint64_t arg, bool interrupts)
{
    struct vcpu_regs *r = &caller->priv->regs;

    memset(&got, 0, sizeof(got));
    r->rflags = interrupts ? 0x202 : 2;
    r->rip = 0x1000;
    r->gpr[R_AX] = nr;
    r->gpr[compat ? R_BX : R_DI] = op;
    r->gpr[compat ? R_CX : R_SI] = arg;
    script_of(caller)->guest = calling_guest;
}

static void guest_calls(uint32_t nr, uint32_t op, uint64_t arg, bool interrupts)
{
    guest_begins(nr, op, arg, interrupts);
    lab_run(10);
}

/* In the loop, on two CPUs; events reach it by a callback vector. */
static void loop_setup(bool narrow)
{
    lab_start(2);
    d = hcall_domain(1);
    d->callback_vector = 0xf3;
    caller = d->vcpu[0];
    compat = narrow;
    hcall_mode(caller, narrow);
    assert_int_equal(domain_unpause(d), 0);
    lab_run(3);
}

static struct shared_info *info(void)
{
    return sim_phys(d->shared_info.mfn);
}

static uint32_t new_port(void)
{
    uint32_t port;

    assert_int_equal(evtchn_bind_ipi(d, 0, &port), 0);
    return port;
}

static void acknowledge(void)
{
    info()->vcpu_info[0].evtchn_upcall_pending = 0;
    info()->vcpu_info[0].evtchn_pending_sel = 0;
    memset(info()->evtchn_pending, 0, sizeof(info()->evtchn_pending));
}

static void loop_end(void)
{
    lab_check();
    lab_end();
}

static void block(void **state)
{
    for (int narrow = 0; narrow < 2; narrow++) {
        loop_setup(narrow);
        uint32_t port = new_port();
        info()->vcpu_info[0].evtchn_upcall_mask = 1;
        guest_calls(29, SCHEDOP_block, 0, true);
        assert_int_equal(got.done_at, 0);
        assert_true(vcpu_stopped(caller));
        assert_int_equal(info()->vcpu_info[0].evtchn_upcall_mask, 0);
        lab_run(20);
        assert_int_equal(got.done_at, 0);
        assert_int_equal(evtchn_send(d, port), 0);
        lab_run(5);
        assert_true(got.done_at > 0);
        assert_int_equal(got.result, 0);
        /* Pending already: it does not sleep. */
        guest_calls(29, SCHEDOP_block, 0, true);
        assert_true(got.done_at > 0);
        acknowledge();
        /* With interrupts off a pending NMI, but no event, keeps it awake. */
        caller->nmi_pending = true;
        guest_calls(29, SCHEDOP_block, 0, false);
        assert_true(got.done_at > 0);
        assert_int_equal(script_of(caller)->taken.valid, false);
        loop_end();
    }
}

static void put_poll(const uint32_t *ports, uint32_t n, uint64_t timeout)
{
    struct sched_poll p = {.nr_ports = n, .timeout = timeout};
    struct compat_sched_poll narrow = {.ports = ARG + 0x100, .nr_ports = n, .timeout = timeout};

    p.ports.p = (void *)(uintptr_t)(ARG + 0x100);
    hcall_put(ARG, compat ? (void *)&narrow : &p, compat ? sizeof(narrow) : sizeof(p));
    hcall_put(ARG + 0x100, ports, n * 4);
}

static void poll(const uint32_t *ports, uint32_t n, uint64_t timeout)
{
    put_poll(ports, n, timeout);
    guest_calls(29, SCHEDOP_poll, ARG, false);
}

static void polls(void **state)
{
    static const uint32_t many[129] = {1};

    for (int narrow = 0; narrow < 2; narrow++) {
        loop_setup(narrow);
        const uint32_t a = new_port(), b = new_port(), both[] = {a, b}, bad[] = {a, 900}, none = 0;

        poll(many, 129, 0);
        assert_int_equal(got.result, -XEN_EINVAL);
        poll(&none, 1, 0);
        assert_int_equal(got.result, -XEN_EINVAL);
        poll(bad, 2, 0);
        assert_int_equal(got.result, -XEN_EINVAL);
        assert_true(got.done_at > 0);
        struct sched_poll p = {.nr_ports = 2};
        struct compat_sched_poll n = {.ports = HOLE - 4, .nr_ports = 2};
        p.ports.p = (void *)(uintptr_t)(HOLE - 4);
        hcall_put(ARG, narrow ? (void *)&n : &p, narrow ? sizeof(n) : sizeof(p));
        hcall_put(HOLE - 4, &a, 4);
        guest_calls(29, SCHEDOP_poll, ARG, false);
        assert_int_equal(got.result, -XEN_EFAULT);

        /* One port: only that one wakes, masked and with interrupts off as it may be. */
        info()->evtchn_mask[0] = ~0ULL;
        poll(&a, 1, 0);
        assert_true(vcpu_stopped(caller));
        assert_int_equal(evtchn_send(d, b), 0);
        lab_run(10);
        assert_int_equal(got.done_at, 0);
        assert_int_equal(evtchn_send(d, a), 0);
        lab_run(5);
        assert_true(got.done_at > 0);
        assert_int_equal(got.result, 0);
        poll(&a, 1, 0); /* pending */
        assert_true(got.done_at > 0);
        acknowledge();
        /* Several: any. */
        const uint32_t c = new_port();
        poll(both, 2, 0);
        assert_true(vcpu_stopped(caller));
        assert_int_equal(evtchn_send(d, c), 0);
        lab_run(5);
        assert_true(got.done_at > 0);
        acknowledge();

        /* The time is absolute; it has passed: soon. */
        nsec_t until = sim_now() + MSEC(5);
        poll(&a, 1, (uint64_t)until);
        lab_run(10);
        assert_in_range(got.done_at, until, until + USEC(100));
        assert_int_equal(got.result, 0);
        poll(&a, 1, 1);
        lab_run(10);
        assert_true(got.done_at > 0);
        poll(&none, 0, (uint64_t)sim_now() + MSEC(1));
        lab_run(10);
        assert_true(got.done_at > 0);

        /* A time that was not needed does not end the next sleep. */
        until = sim_now() + MSEC(50);
        put_poll(&a, 1, (uint64_t)until);
        guest_begins(29, SCHEDOP_poll, ARG, false);
        while (!vcpu_stopped(caller)) /* no further: idle CPUs let the time pass */
            lab_pass(caller->cpu);
        assert_int_equal(evtchn_send(d, a), 0);
        lab_run(3);
        assert_true(got.done_at > 0 && got.done_at < until);
        acknowledge();
        guest_calls(29, SCHEDOP_block, 0, true);
        while (sim_now() < until + MSEC(1)) {
            sim_advance(MSEC(1));
            lab_run(2);
        }
        assert_int_equal(got.done_at, 0);
        vcpu_wake(caller);
        lab_run(3);
        assert_true(got.done_at > 0);
        loop_end();
    }
}

static void shuts_down(void **state)
{
    for (uint32_t reason = 0; reason < 4; reason++) {
        loop_setup(reason % 2);
        struct sched_shutdown s = {.reason = reason};
        hcall_put(ARG, &s, sizeof(s));
        guest_calls(29, SCHEDOP_shutdown, ARG, true);
        lab_run(5);
        assert_int_equal(got.done_at, 0);
        assert_int_equal(d->state, DOMAIN_SHUTDOWN);
        assert_int_equal(d->shutdown_code, reason);
        loop_end();
    }
}

/* Yielding while others wait lets them go first; the result is the same. */
static void yields(void **state)
{
    loop_setup(false);
    vcpu_up(d->vcpu[1]);
    const cpumask_t one = {1};
    assert_int_equal(sched_set_affinity(caller, &one, NULL), 0);
    assert_int_equal(sched_set_affinity(d->vcpu[1], &one, NULL), 0);
    script_of(d->vcpu[1])->guest = lab_spin;
    lab_run(200);
    for (int i = 0; i < 5; i++) {
        unsigned int before = script_of(d->vcpu[1])->entries;
        guest_calls(29, SCHEDOP_yield, 0, true);
        for (int k = 0; k < 2000 && !got.done_at; k++)
            lab_run(1);
        assert_true(got.done_at > 0);
        assert_int_equal(got.result, 0);
        assert_true(script_of(d->vcpu[1])->entries > before);
    }
    loop_end();
}

UNIT_MAIN(cmocka_unit_test(simple_ones), cmocka_unit_test(watchdogs), cmocka_unit_test(block),
          cmocka_unit_test(polls), cmocka_unit_test(shuts_down), cmocka_unit_test(yields))

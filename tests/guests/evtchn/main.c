/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: an event reaches the vCPU it is bound to, once, in both channel layouts (2-level, then
 * FIFO with priorities), by both kinds of upcall (callback vector of type 2, vector of the local
 * APIC), masked or not, polled or slept for; and ports go through their states as documented.
 * Public header: xen/event_channel.h.
 *
 * RUN: memory=32M vcpus=2
 */
#include "apic.h"
#include "checks.h"

#define CALLBACK 0x40
#define UPCALL   0x50
#define TICK     0x60

static unsigned int lazy; /* upcalls that the handler leaves pending */
static struct vcpu_info *info0;

static void on_callback(struct regs *r)
{
    (void)r;
    if (lazy) {
        lazy--;
        return; /* comes again */
    }
    __atomic_store_n(&vcpu_info_of(this_cpu()->id)->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
}

static void on_upcall(struct regs *r)
{
    (void)r;
    CHECK(apic_bit(APIC_ISR, UPCALL), "upcall vector not in service");
    apic_eoi();
    __atomic_store_n(&vcpu_info_of(this_cpu()->id)->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
}

static void on_tick(struct regs *r)
{
    (void)r;
    apic_eoi();
}

void interrupts_window(void)
{
    __asm__ volatile("sti\n nop\n nop\n nop\n cli" ::: "memory");
}

unsigned int callbacks(void)
{
    return (unsigned int)this_cpu()->count[CALLBACK];
}

unsigned int upcalls(unsigned int vcpu)
{
    return (unsigned int)__atomic_load_n(&cpu_get(vcpu)->count[UPCALL], __ATOMIC_RELAXED);
}

/* Interrupts of the other vCPU take a while on a busy host. */
unsigned int upcalls_soon(unsigned int vcpu, unsigned int want)
{
    uint64_t end = now_ns() + 2000000000;
    while (upcalls(vcpu) < want && now_ns() < end)
        cpu_relax();
    return upcalls(vcpu);
}

static void check_callback(void)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);
    EXPECT(port_send(port), 0);
    EXPECT(two_pending(port), 1);
    EXPECT(info0->evtchn_upcall_pending, 1);
    EXPECT(info0->evtchn_pending_sel >> (port / (sizeof(xen_ulong_t) * 8)) & 1, 1);

    interrupts_window(); /* no callback vector yet: nothing comes */
    EXPECT(callbacks(), 0);
    EXPECT(callback_vector_set(CALLBACK), 0);
    lazy = 1;
    interrupts_window();
    EXPECT(callbacks(), 2); /* level: it came until upcall_pending was cleared */
    EXPECT(two_take(0), port);
    EXPECT(two_take(0), 0);

    apic_write(APIC_TPR, 0xf0); /* the callback does not look at priorities */
    EXPECT(port_send(port), 0);
    EXPECT(port_send(port), 0); /* pending already */
    interrupts_window();
    EXPECT(callbacks(), 3);
    apic_write(APIC_TPR, 0);
    EXPECT(two_take(0), port);
    EXPECT(two_take(0), 0);
    EXPECT(port_close(port), 0);
    EXPECT(two_pending(port), 0);
}

static void check_mask(void)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);
    unsigned int before = callbacks();
    two_mask(port, true);
    EXPECT(port_send(port), 0);
    EXPECT(two_pending(port), 1);
    EXPECT(info0->evtchn_upcall_pending, 0);
    interrupts_window();
    EXPECT(callbacks(), before);
    EXPECT(port_poll(port, now_ns() + 1000000000), 0); /* masked, but poll sees it */
    EXPECT(port_unmask_call(port), 0);
    EXPECT(two_masked(port), 0);
    interrupts_window();
    EXPECT(callbacks(), before + 1);
    EXPECT(two_take(0), port);
    EXPECT(port_unmask_call(port), 0); /* not masked: nothing happens */
    interrupts_window();
    EXPECT(callbacks(), before + 1);
    two_mask(port, true); /* unmasked without its being pending: nothing happens */
    EXPECT(port_unmask_call(port), 0);
    interrupts_window();
    EXPECT(callbacks(), before + 1);
    EXPECT(port_close(port), 0);
}

static void check_local_pair(void)
{
    unsigned int vcpu;
    evtchn_port_t a = (evtchn_port_t)port_unbound(DOMID_SELF);
    EXPECT(port_status(a, &vcpu), EVTCHNSTAT_unbound);
    evtchn_port_t b = (evtchn_port_t)port_interdomain(DOMID_SELF, a);
    EXPECT(port_status(a, &vcpu), EVTCHNSTAT_interdomain);
    EXPECT(port_status(b, &vcpu), EVTCHNSTAT_interdomain);
    EXPECT(two_pending(b), 1); /* the binder is told at once */
    EXPECT(two_pending(a), 0);
    two_clear(b);
    EXPECT(port_send(b), 0);
    EXPECT(two_pending(a), 1);
    EXPECT(two_pending(b), 0);
    two_clear(a);
    EXPECT(port_close(b), 0);
    EXPECT(port_status(a, &vcpu), EVTCHNSTAT_unbound);
    EXPECT(two_pending(a), 0); /* no event for the end of the peer */
    EXPECT(port_send(a), 0);
    EXPECT(port_close(a), 0);
    EXPECT(port_send(a), -XEN_EINVAL);
    while (two_take(0))
        ;
}

static void check_limit(void)
{
    long first = port_unbound(DOMID_SELF), port = first, last = first;
    while (port > 0 && port < 5000) {
        last = port;
        port = port_unbound(DOMID_SELF);
    }
    print("ports up to %ld", last);
    EXPECT(port, -XEN_ENOSPC);
    CHECK(last == 1023 || last == 4095, "the last port is %ld", last);
    EXPECT(port_send((evtchn_port_t)last), 0);
    for (port = first; port <= last; port++)
        if (port_close((evtchn_port_t)port))
            fail("close of port %ld", port);
    EXPECT(port_unbound(DOMID_SELF), first); /* the lowest free one */
    EXPECT(port_close((evtchn_port_t)first), 0);
}

static void check_upcall_vector(void)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);
    /* The callback vector stays: Xen lets a PVH guest change it but not take it back. */
    EXPECT(upcall_vector_set(0, UPCALL), 0); /* causes one upcall for nothing */
    interrupts_window();
    EXPECT(upcalls(0), 1);
    EXPECT(port_send(port), 0);
    EXPECT(apic_bit(APIC_IRR, UPCALL), 1);
    if (!on_xen) {                    /* Xen 4.17 hangs on QEMU's SVM in this state */
        apic_write(APIC_TPR, UPCALL); /* an APIC interrupt is held back */
        interrupts_window();
        EXPECT(upcalls(0), 1);
        apic_write(APIC_TPR, 0);
    }
    interrupts_window();
    EXPECT(upcalls(0), 2);
    EXPECT(two_take(0), port);
    interrupts_window();
    EXPECT(upcalls(0), 2);
    EXPECT(port_close(port), 0);
}

/* Woken from sleep by the timer's VIRQ. */
static void check_sleep(void)
{
    evtchn_port_t port = (evtchn_port_t)port_virq(VIRQ_TIMER, 0);
    struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = now_ns() + 2000000};
    unsigned int before = upcalls(0);
    EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
    while (upcalls(0) == before)
        sti_hlt_cli();
    EXPECT(two_take(0), port);
    CHECK(now_ns() >= t.timeout_abs_ns, "the timer came early");

    /* By SCHEDOP_block, which any interrupt ends: a second timer sees to it that there is one. */
    t.timeout_abs_ns = now_ns() + 2000000;
    apic_write(APIC_TIMER_DIVIDE, 0xb);
    apic_write(APIC_LVT_TIMER, TICK | APIC_TIMER_PERIODIC);
    apic_write(APIC_TIMER_INITIAL, 1000000);
    EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
    sti();
    while (!two_pending(port))
        EXPECT(sched_op(SCHEDOP_block, 0), 0);
    cli();
    CHECK(now_ns() >= t.timeout_abs_ns, "the timer came early");
    apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
    EXPECT(two_take(0), port);
    EXPECT(port_close(port), 0);
    interrupts_window();
}

static volatile unsigned int other_stop;
static void other_vcpu(void *arg)
{
    (void)arg;
    while (!other_stop)
        sti_hlt_cli();
}

/* vCPU 1 is given its vector while its APIC is still off, and an event. */
static void check_other_vcpu(void)
{
    unsigned int vcpu;
    evtchn_port_t port = (evtchn_port_t)port_ipi(1);
    EXPECT(upcall_vector_set(1, UPCALL), 0);
    EXPECT(port_send(port), 0);
    if (!cpu_start(1, other_vcpu, NULL)) {
        fail("vCPU 1 does not start");
        return;
    }
    EXPECT(upcalls_soon(1, 1), 1);
    EXPECT(two_take(1), port);
    EXPECT(port_send(port), 0);
    EXPECT(upcalls_soon(1, 2), 2);
    EXPECT(two_take(1), port);

    evtchn_port_t a = (evtchn_port_t)port_unbound(DOMID_SELF);
    evtchn_port_t b = (evtchn_port_t)port_interdomain(DOMID_SELF, a);
    two_clear(b);
    EXPECT(port_bind_vcpu(a, 1), 0);
    EXPECT(port_status(a, &vcpu), EVTCHNSTAT_interdomain);
    EXPECT(vcpu, 1);
    EXPECT(port_send(b), 0);
    EXPECT(upcalls_soon(1, 3), 3);
    EXPECT(two_take(1), a);
    EXPECT(port_bind_vcpu(port, 0), -XEN_EINVAL); /* an IPI port stays */
    EXPECT(port_close(a), 0);
    EXPECT(port_close(b), 0);
    EXPECT(port_close(port), 0);
}

GUEST_MAIN
{
    apic_enable();
    info0 = vcpu_info_of(0);
    trap_handler(CALLBACK, on_callback);
    trap_handler(UPCALL, on_upcall);
    trap_handler(TICK, on_tick);
    /* The console ring's events are of no interest here, and would come at any time. */
    uint64_t console_port = 0;
    if (!hvm_param_get(HVM_PARAM_CONSOLE_EVTCHN, &console_port) && console_port)
        two_mask((evtchn_port_t)console_port, true);
    while (two_take(0))
        ;
    check_callback();
    check_mask();
    check_local_pair();
    check_limit();
    check_upcall_vector();
    check_sleep();
    check_other_vcpu();
    check_fifo();
    check_reset();
    other_stop = 1;
}

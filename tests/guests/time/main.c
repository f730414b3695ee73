/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: time never goes back, on no vCPU and not between them; timers fire at their time, not
 * before; sleep costs no CPU; the runstate area, the wall clock and the copies of the time record
 * say the same as the hypercalls. Public headers: xen.h (vcpu_time_info), xen/vcpu.h.
 *
 * RUN: memory=32M vcpus=2
 */
#include "apic.h"
#include "events.h"

#define UPCALL 0x50

static struct vcpu_runstate_info runstate;
static struct vcpu_time_info copy;
static uint64_t last_seen; /* the latest time that any vCPU has read */
static unsigned int backwards, rounds[MAX_CPUS];
static uint64_t worst;
static volatile unsigned int stop;

static void on_upcall(struct regs *r)
{
    (void)r;
    apic_eoi();
    vcpu_info_of(this_cpu()->id)->evtchn_upcall_pending = 0;
}

static void on_callback(struct regs *r)
{
    (void)r;
    vcpu_info_of(this_cpu()->id)->evtchn_upcall_pending = 0;
}

/* Every vCPU reads its clock and compares it with the latest reading of all. */
static void race(void *arg)
{
    unsigned int id = this_cpu()->id;
    (void)arg;
    while (!stop) {
        uint64_t before = __atomic_load_n(&last_seen, __ATOMIC_SEQ_CST);
        uint64_t t = now_ns();
        if (t < before) {
            __atomic_fetch_add(&backwards, 1, __ATOMIC_SEQ_CST);
            if (before - t > worst)
                worst = before - t;
        }
        while (t > before && !__atomic_compare_exchange_n(&last_seen, &before, t, false,
                                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            ;
        rounds[id]++;
    }
}

static void check_monotonic(unsigned int cpus)
{
    bool stable = vcpu_info_of(0)->time.flags & XEN_PVCLOCK_TSC_STABLE_BIT;
    for (unsigned int i = 1; i < cpus; i++)
        if (!cpu_start(i, race, NULL))
            test_error("vCPU %u does not start", i);
    uint64_t end = now_ns() + 500000000, t, last = 0;
    while ((t = now_ns()) < end) {
        if (t < last)
            fail("time went back by %llu ns on vCPU 0", (unsigned long long)(last - t));
        last = t;
        uint64_t before = __atomic_load_n(&last_seen, __ATOMIC_SEQ_CST);
        while (t > before && !__atomic_compare_exchange_n(&last_seen, &before, t, false,
                                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            ;
    }
    stop = 1;
    print("%u vCPUs, TSC %s, %u rounds on vCPU 1, %u readings behind another vCPU's, worst %llu ns",
          cpus, stable ? "stable" : "not stable", rounds[1], backwards, (unsigned long long)worst);
    CHECK(cpus < 2 || rounds[1], "vCPU 1 read no clock");
    if (stable)
        EXPECT(backwards, 0);
    else /* then a guest has to see to it itself; but not by much */
        CHECK(worst < 1000000, "clocks of two vCPUs differ by %llu ns", (unsigned long long)worst);
}

static void check_record(void)
{
    const volatile struct vcpu_time_info *t = &vcpu_info_of(0)->time;
    struct vcpu_register_time_memory_area area;
    uint64_t mul = t->tsc_to_system_mul;
    CHECK(!(t->version & 1), "version odd at rest");
    /* The rate that CPUID names is the one of the record: kHz = 10^6 << 32 >> shift / mul. */
    uint64_t khz = 1000000ull << 32;
    khz = t->tsc_shift < 0 ? (khz << -t->tsc_shift) / mul : (khz / mul) >> t->tsc_shift;
    print("rate %llu kHz, CPUID %u kHz", (unsigned long long)khz, tsc_khz());
    /* One that is measured again and again may wander on a busy emulator. */
    uint64_t slack = khz / (t->flags & XEN_PVCLOCK_TSC_STABLE_BIT ? 1000 : 10);
    CHECK(khz + slack >= tsc_khz() && khz - slack <= tsc_khz(), "the two rates differ");
    area.addr.h.p = &copy;
    EXPECT(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area), 0);
    uint64_t a = now_ns(), b = pvclock_read(&copy), c = now_ns();
    CHECK(a <= b + 1000 && b <= c + 1000, "the copy's time is off: %llu %llu %llu",
          (unsigned long long)a, (unsigned long long)b, (unsigned long long)c);
    EXPECT(copy.tsc_to_system_mul, mul);
    area.addr.h.p = NULL;
    EXPECT(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area), 0);

    const volatile struct shared_info *s = shared_info_map();
    if (on_xen) /* Xen fills it in at the first of these calls only */
        EXPECT(callback_vector_set(UPCALL + 1), 0);
    uint64_t wall = s->wc_sec + ((uint64_t)s->wc_sec_hi << 32) + now_ns() / 1000000000;
    CHECK(!(s->wc_version & 1) && s->wc_nsec < 1000000000, "wall clock record");
    CHECK(wall > 1600000000 && wall < 4000000000, "wall clock says %llu s",
          (unsigned long long)wall);
}

/* A rate check against another clock than the TSC: 20 ms of APIC timer at 100 MHz. */
static void check_rate(void)
{
    apic_write(APIC_TIMER_DIVIDE, 0xb);
    apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | 0x60);
    uint64_t start = now_ns();
    apic_write(APIC_TIMER_INITIAL, 100000000);
    delay_us(20000);
    uint32_t count = 100000000 - apic_read(APIC_TIMER_CURRENT);
    uint64_t took = now_ns() - start;
    CHECK(count >= 1900000, "20 ms of pvclock are %u0 ns of APIC timer", count);
    CHECK(count * 10ull <= took + 1000000, "%llu ns of pvclock are %u0 ns of APIC timer",
          (unsigned long long)took, count);
    apic_write(APIC_TIMER_INITIAL, 0);
}

static uint64_t running_ns(void)
{
    struct vcpu_runstate_info r;
    vcpu_op(VCPUOP_get_runstate_info, 0, &r);
    return r.time[RUNSTATE_running];
}

static void check_sleep(evtchn_port_t port)
{
    uint64_t ran = running_ns(), start = now_ns(), worst_late = 0;
    for (unsigned int i = 0; i < 10; i++) {
        struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = now_ns() + 20000000};
        EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
        while (!two_pending(port))
            sti_hlt_cli();
        uint64_t late = now_ns() - t.timeout_abs_ns;
        CHECK((int64_t)late >= 0, "timer %lld ns early", -(long long)late);
        worst_late = late > worst_late ? late : worst_late;
        EXPECT(two_take(0), port);
    }
    ran = running_ns() - ran;
    uint64_t took = now_ns() - start;
    print("10 sleeps of 20 ms: %llu us, running %llu us, worst %llu us late",
          (unsigned long long)took / 1000, (unsigned long long)ran / 1000,
          (unsigned long long)worst_late / 1000);
    CHECK(ran < took / 2, "sleep is charged as running: %llu of %llu ns", (unsigned long long)ran,
          (unsigned long long)took);
}

static void check_timers(evtchn_port_t port)
{
    struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = now_ns()};
    struct vcpu_set_periodic_timer p = {.period_ns = 10000000};
    EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0); /* past: at once */
    EXPECT(two_take(0), port);
    t.timeout_abs_ns = now_ns() + 200000000; /* far enough for a host that stops us here */
    EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
    EXPECT(vcpu_op(VCPUOP_stop_singleshot_timer, 0, 0), 0);
    delay_us(210000);
    EXPECT(two_pending(port), 0);
    EXPECT(set_timer_op(now_ns() + 5000000), 0); /* the same timer */
    EXPECT(port_poll(port, now_ns() + 1000000000), 0);
    EXPECT(two_take(0), port);

    EXPECT(vcpu_op(VCPUOP_set_periodic_timer, 0, &p), 0);
    uint64_t start = now_ns();
    for (unsigned int i = 0; i < 5; i++) {
        while (!two_pending(port) && now_ns() < start + 2000000000)
            cpu_relax(); /* awake: Xen stops the periodic timer of a sleeping vCPU */
        EXPECT(two_take(0), port);
    }
    uint64_t took = now_ns() - start;
    CHECK(took >= 38000000, "5 periods of 10 ms in %llu ns", (unsigned long long)took);
    EXPECT(vcpu_op(VCPUOP_stop_periodic_timer, 0, 0), 0);
    while (two_take(0))
        ;
    delay_us(25000);
    EXPECT(two_pending(port), 0);
}

/* The area in memory and the hypercall agree; the times add up to the age of the vCPU. */
static void check_runstate(void)
{
    struct vcpu_register_runstate_memory_area area;
    struct vcpu_runstate_info r;
    area.addr.h.p = &runstate;
    EXPECT(vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
    EXPECT(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
    EXPECT(runstate.state, RUNSTATE_running);
    uint64_t blocked = runstate.time[RUNSTATE_blocked], sum = 0;
    port_poll(0, 0); /* refused */
    struct sched_poll p = {.nr_ports = 0, .timeout = now_ns() + 30000000};
    uint64_t end = p.timeout;
    while (now_ns() < end)
        sched_op(SCHEDOP_poll, &p);
    EXPECT(READ_ONCE(runstate.state), RUNSTATE_running);
    CHECK(READ_ONCE(runstate.time[RUNSTATE_blocked]) >= blocked + 20000000,
          "30 ms asleep are %llu ns blocked",
          (unsigned long long)(runstate.time[RUNSTATE_blocked] - blocked));
    CHECK(!(READ_ONCE(runstate.state_entry_time) >> 63), "update flag left set");
    EXPECT(vcpu_op(VCPUOP_get_runstate_info, 0, &r), 0);
    EXPECT(r.time[RUNSTATE_blocked], READ_ONCE(runstate.time[RUNSTATE_blocked]));
    EXPECT(r.time[RUNSTATE_offline], READ_ONCE(runstate.time[RUNSTATE_offline]));
    uint64_t now = now_ns();
    for (unsigned int i = 0; i < 4; i++)
        sum += r.time[i];
    CHECK(sum <= now && r.state_entry_time <= now, "runstate times %llu exceed the clock %llu",
          (unsigned long long)sum, (unsigned long long)now);
}

GUEST_MAIN
{
    uint64_t console_port = 0;
    apic_enable();
    trap_handler(UPCALL, on_upcall);
    trap_handler(UPCALL + 1, on_callback);
    if (!hvm_param_get(HVM_PARAM_CONSOLE_EVTCHN, &console_port) && console_port)
        two_mask((evtchn_port_t)console_port, true);
    while (two_take(0))
        ;
    EXPECT(upcall_vector_set(0, UPCALL), 0);
    evtchn_port_t port = (evtchn_port_t)port_virq(VIRQ_TIMER, 0);
    check_record();
    check_rate();
    check_timers(port);
    check_sleep(port);
    check_runstate();
    check_monotonic(cpu_count());
}

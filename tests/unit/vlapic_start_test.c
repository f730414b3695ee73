/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INIT and start-up IPIs (addendum B1.7): a vCPU starts in real mode where the IPI says, whatever
 * it was doing and wherever it still was; the second start-up IPI is harmless, INIT alone stops.
 */
#include "unit/vm.h"

#define INIT         0x4500u
#define INIT_RELEASE 0x8500u
#define STARTUP      0x4600u

static struct domain *d;
static struct vcpu *v, *ap;

static void start(unsigned int cpus)
{
    static domid_t id;

    vm_machine(cpus);
    d = vm_create(++id, 2);
    v = d->vcpu[0];
    ap = d->vcpu[1];
    assert_int_equal(domain_unpause(d), 0);
    vcpu_up(v);
}

static void ipi(struct vcpu *from, uint32_t dest, uint32_t command)
{
    bus_write(from, BUS_MMIO, VLAPIC_BASE + 0x310, 4, dest << 24);
    bus_write(from, BUS_MMIO, VLAPIC_BASE + 0x300, 4, command);
}

/* The loop's way to an entry of w on the stepped CPU. */
static bool enter(struct vcpu *w)
{
    if (this_cpu()->loaded != w)
        vm_load(w);
    return !READ_ONCE(w->work) || work_settle(w);
}

static void assert_started(struct vcpu *w, uint8_t vector)
{
    const struct virt_vcpu *s = script_of(w);

    assert_int_equal(w->priv->regs.rip, 0);
    assert_int_equal(w->priv->regs.rflags, 2);
    assert_int_equal(s->segs.seg[SEG_CS].base, (unsigned int)vector << 12);
    assert_int_equal(s->segs.seg[SEG_CS].sel, (unsigned int)vector << 8);
    assert_int_equal(s->control.cr0, 0x10);
    assert_int_equal(s->control.efer, 0);
    assert_int_equal(virt->mode(w), MODE_REAL);
    assert_int_equal(s->tsc_offset, (uint64_t)(d->tsc_offset + w->tsc_adjust));
    assert_false(s->pending.valid);
    assert_int_equal(s->loaded_on, this_cpu()->id + 1);
}

static void first_start(void **state)
{
    start(1);
    v->tsc_adjust = 77;
    ipi(v, 2, INIT); /* not initialised: nothing */
    ipi(v, 2, INIT_RELEASE);
    assert_int_equal(ap->pause & VPAUSE_DOWN, VPAUSE_DOWN);
    ipi(v, 2, STARTUP | 0x9a);
    assert_true(ap->initialised);
    assert_int_equal(ap->pause, 0);
    ipi(v, 2, STARTUP | 0x55); /* the second one */
    assert_true(enter(ap));
    assert_started(ap, 0x9a);
    assert_int_equal(ap->tsc_adjust, 77);
    ap->priv->regs.rip = 0x1234;
    ipi(v, 2, STARTUP | 0x55);
    assert_true(enter(ap));
    assert_int_equal(ap->priv->regs.rip, 0x1234);
}

/* It runs on another CPU; INIT and the start-up IPI come before it has noticed anything. */
static void restart_of_running(void **state)
{
    start(2);
    ipi(v, 2, STARTUP | 0x9a);
    sim_cpu_set(1);
    assert_true(enter(ap));
    script_long_mode(ap, true);
    ap->priv->regs.rip = 0x1234;
    bus_write(ap, BUS_MMIO, VLAPIC_BASE + 0xf0, 4, 0x1ff);
    bus_write(ap, BUS_MMIO, VLAPIC_BASE + 0xd0, 4, 0x04000000);
    intc->request(ap, 0x80);
    virt->inject(ap, &(struct vcpu_event){.vector = 14, .type = EVENT_EXCEPTION, .valid = true});
    sim_cpu_set(0);
    ipi(v, 2, INIT);
    assert_false(ap->initialised);
    assert_int_equal(ap->pause & VPAUSE_DOWN, VPAUSE_DOWN);
    ipi(v, 2, STARTUP | 0x11);
    assert_int_equal(ap->pause, 0);
    assert_int_equal(ap->priv->regs.rip, 0x1234); /* its own CPU does the rest */
    sim_cpu_set(1);
    assert_true(enter(ap));
    assert_started(ap, 0x11);
    assert_false(intc->enabled(ap));
    assert_int_equal(vlapic_pending(ap), -1);
    assert_int_equal(script_of(ap)->fpu_resets, 2);
    sim_cpu_set(0);
}

/* INIT alone: down, and it does not run again until it is started. */
static void init_stops(void **state)
{
    start(1);
    ipi(v, 2, STARTUP | 0x9a);
    assert_true(enter(ap));
    ipi(v, 2, INIT);
    assert_int_equal(ap->pause & VPAUSE_DOWN, VPAUSE_DOWN);
    assert_false(enter(ap));
    ipi(v, 2, STARTUP | 0x20);
    assert_true(enter(ap));
    assert_started(ap, 0x20);
    assert_int_equal(d->online_vcpus, 2);
}

/* The start stays due while the domain is paused. */
static void start_while_paused(void **state)
{
    start(1);
    domain_pause(d);
    ipi(v, 2, STARTUP | 0x9a);
    assert_false(enter(ap));
    assert_int_equal(domain_unpause(d), 0);
    assert_true(enter(ap));
    assert_started(ap, 0x9a);
}

/* All vCPUs down: the domain is shut down. */
static void init_of_last(void **state)
{
    start(1);
    ipi(v, 0, INIT);
    assert_int_equal(v->pause & VPAUSE_DOWN, VPAUSE_DOWN);
    assert_int_equal(d->shutdown_code, SHUTDOWN_poweroff);
}

/* In the loader only loader calls answer, and no other vCPU is there to make others. */
static void loader_starts_nobody(void **state)
{
    uint64_t icr = (uint64_t)2 << 32 | STARTUP | 0x9a;

    start(1);
    v->loading = true;
    ipi(v, 2, INIT);
    ipi(v, 2, STARTUP | 0x9a);
    assert_true(vlapic_write_msr(v, 0x1b, vlapic_base_msr(v) | 0x400));
    assert_true(vlapic_write_msr(v, 0x830, icr));
    assert_false(ap->initialised);
    assert_int_equal(ap->pause & VPAUSE_DOWN, VPAUSE_DOWN);
    v->loading = false;
    assert_true(vlapic_write_msr(v, 0x830, icr));
    assert_true(ap->initialised);
    assert_int_equal(ap->pause, 0);
}

UNIT_MAIN(cmocka_unit_test(first_start), cmocka_unit_test(restart_of_running),
          cmocka_unit_test(init_stops), cmocka_unit_test(start_while_paused),
          cmocka_unit_test(init_of_last), cmocka_unit_test(loader_starts_nobody))

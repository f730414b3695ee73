/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/hypercall/{vcpu,hvm_context}.c and the areas of guest/areas.c as their calls register them:
 * vCPUs made, up and down, timers, records, by 64- and 32-bit callers (hypercalls.md S1.2, addendum
 * A.2, B1.6, B1.7).
 */
#include "unit/hcall.h"

static struct domain *d;

static void setup(unsigned int vcpus)
{
    struct domain_config c = lab_config;

    lab_start(1);
    c.id = 1;
    c.max_vcpus = vcpus;
    d = hcall_domain_with(c);
    hcall_caller(d->vcpu[0], false);
}

static long op(uint32_t nr, uint32_t vcpu)
{
    return hcall3(24, nr, vcpu, 0);
}

static long op_struct(uint32_t nr, uint32_t vcpu, const void *p, size_t n)
{
    hcall_put(ARG, p, n);
    return hcall3(24, nr, vcpu, ARG);
}

static struct shared_info *info(void)
{
    return sim_phys(d->shared_info.mfn);
}

static void expire(nsec_t ns)
{
    sim_advance(ns);
    ktimer_run();
}

static void errors(void **state)
{
    static const uint8_t with_struct[] = {VCPUOP_initialise,
                                          VCPUOP_get_runstate_info,
                                          VCPUOP_register_runstate_memory_area,
                                          VCPUOP_set_periodic_timer,
                                          VCPUOP_set_singleshot_timer,
                                          VCPUOP_register_vcpu_info,
                                          VCPUOP_register_vcpu_time_memory_area};

    setup(2);
    for (EACH_MODE) {
        for (uint32_t nr = 0; nr < 14; nr++) {
            assert_int_equal(op(nr, 2), -XEN_ENOENT);
            assert_int_equal(op(nr, UINT32_MAX), -XEN_ENOENT);
        }
        assert_int_equal(op(14, 0), -XEN_ENOSYS);
        assert_int_equal(op(20, 0), -XEN_ENOSYS);
        for (unsigned int i = 0; i < sizeof(with_struct); i++) {
            assert_int_equal(hcall3(24, with_struct[i], 0, HOLE), -XEN_EFAULT);
            assert_int_equal(hcall3(24, with_struct[i], 0, HOLE - 1), -XEN_EFAULT);
            assert_int_equal(hcall3(24, with_struct[i], 0, compat ? 0xfffff000 : UNMAPPED),
                             -XEN_EFAULT);
        }
        assert_int_equal(op(VCPUOP_get_physid, 0), -XEN_EINVAL);
        assert_int_equal(hcall3(24, VCPUOP_send_nmi, 1, ARG), -XEN_EINVAL);
        assert_false(d->vcpu[1]->nmi_pending);
        assert_int_equal(op(VCPUOP_send_nmi, 1), 0);
        assert_true(d->vcpu[1]->nmi_pending);
        d->vcpu[1]->nmi_pending = false;
    }
    hcall_end();
}

/* -- bring-up --------------------------------------------------------------------------------- */

static struct vcpu_hvm_context context(bool wide)
{
    struct vcpu_hvm_context c = {.mode = wide ? VCPU_HVM_MODE_64B : VCPU_HVM_MODE_32B};

    if (wide) {
        c.cpu_regs.x86_64.rip = 0xffffffff81000000;
        c.cpu_regs.x86_64.rax = 7;
        c.cpu_regs.x86_64.cr0 = 0x80000001;
        c.cpu_regs.x86_64.cr3 = 0x1c000;
        c.cpu_regs.x86_64.cr4 = 0x20;
        c.cpu_regs.x86_64.efer = 0x500;
    } else {
        c.cpu_regs.x86_32.eip = 0x1234;
        c.cpu_regs.x86_32.ebx = 9;
        c.cpu_regs.x86_32.cr0 = 1;
        c.cpu_regs.x86_32.cs_limit = 0xfffff;
        c.cpu_regs.x86_32.ds_limit = c.cpu_regs.x86_32.ss_limit = c.cpu_regs.x86_32.es_limit =
            0xfffff;
        c.cpu_regs.x86_32.cs_ar = 0xc9a; /* not accessed yet */
        c.cpu_regs.x86_32.ds_ar = c.cpu_regs.x86_32.ss_ar = c.cpu_regs.x86_32.es_ar = 0xc92;
        c.cpu_regs.x86_32.tr_limit = 0x67;
        c.cpu_regs.x86_32.tr_ar = 0x89;
    }
    return c;
}

static long initialise(const struct vcpu_hvm_context *c)
{
    return op_struct(VCPUOP_initialise, 1, c, sizeof(*c));
}

#define REFUSED(wide, change)                              \
    do {                                                   \
        struct vcpu_hvm_context bad_ = context(wide);      \
        struct vcpu_hvm_x86_32 *n = &bad_.cpu_regs.x86_32; \
        struct vcpu_hvm_x86_64 *w = &bad_.cpu_regs.x86_64; \
        (void)n, (void)w;                                  \
        change;                                            \
        assert_int_equal(initialise(&bad_), -XEN_EINVAL);  \
        assert_false(d->vcpu[1]->initialised);             \
    } while (0)

static void refuses_states(void)
{
    REFUSED(true, bad_.mode = 2);
    REFUSED(true, bad_.pad = 1);
    REFUSED(false, bad_.pad = 1);
    REFUSED(true, w->cr0 = 1);          /* no paging */
    REFUSED(true, w->cr0 = 0x80000000); /* paging without protection */
    REFUSED(true, w->cr0 |= 1ULL << 32);
    REFUSED(true, w->cr4 = 0);
    REFUSED(true, w->cr4 |= 1ULL << 63);
    REFUSED(true, w->efer = 0);
    REFUSED(true, w->efer |= 1 << 12); /* SVME */
    REFUSED(true, w->cr3 = 1ULL << 52);
    REFUSED(true, w->rip = 1ULL << 47);
    REFUSED(true, w->rip = 0xffff000000000000);
    REFUSED(false, n->eip = 0xffffffff; n->cs_ar &= 0x7ff); /* beyond a limit in bytes */
    REFUSED(false, n->cs_ar = 0xc92);                       /* data */
    REFUSED(false, n->cs_ar &= 0xf7f);                      /* absent */
    REFUSED(false, n->cs_ar |= 0x1000);
    REFUSED(false, n->tr_ar |= 0x8000);
    REFUSED(false, n->tr_ar = 0);
    REFUSED(false, n->ss_ar |= 0x60); /* DPL 3 */
    REFUSED(false, n->ds_ar |= 0x20);
    REFUSED(false, n->es_ar |= 0x60);
    REFUSED(false, n->ds_ar &= ~0x10u); /* a system segment */
    REFUSED(false, n->cr0 = 0x80000000);
    REFUSED(false, n->efer = 0x400); /* LMA without LME */
    REFUSED(false, n->pad1 = 1);
    /* What the CPU would not enter. */
    REFUSED(true, w->cr0 |= 1 << 29); /* NW without CD */
    REFUSED(false, n->cr0 |= 1 << 29);
    REFUSED(false, n->cr0 = 0x80000001; n->efer = 0x100); /* long mode without PAE */
    REFUSED(false, n->cr0 = 0x80000001; n->cr4 = 0x20; n->efer = 0x100;
            n->cs_ar |= 0x600); /* 64-bit code that is 32-bit code */
    REFUSED(false, n->pad2[1] = 1);
}

static void bring_up(void **state)
{
    setup(2);
    for (EACH_MODE)
        for (int wide = 0; wide < 2; wide++) {
            struct vcpu *v = d->vcpu[1];
            struct vcpu_hvm_context c = context(wide);

            v->initialised = false;
            refuses_states();
            assert_int_equal(op(VCPUOP_up, 1), -XEN_EINVAL);
            assert_int_equal(op(VCPUOP_is_up, 1), 0);
            assert_int_equal(op(VCPUOP_is_up, 0), 1);
            assert_int_equal(initialise(&c), 0);
            assert_int_equal(op(VCPUOP_is_up, 1), 0);
            assert_int_equal(initialise(&c), -XEN_EEXIST);

            struct vcpu_control control;
            struct vcpu_segs segs;
            virt->get_control(v, &control);
            virt->get_segs(v, &segs);
            assert_int_equal(virt->mode(v), wide ? MODE_LONG64 : MODE_PROT32);
            assert_int_equal(v->priv->regs.rip, wide ? 0xffffffff81000000 : 0x1234);
            assert_int_equal(v->priv->regs.gpr[wide ? R_AX : R_BX], wide ? 7 : 9);
            assert_int_equal(v->priv->regs.rflags, 2);
            assert_int_equal(control.cr3, wide ? 0x1c000 : 0);
            assert_int_equal(control.efer, wide ? 0x500 : 0);
            assert_int_equal(segs.seg[SEG_CS].limit, 0xffffffff);
            assert_int_equal(segs.seg[SEG_CS].attr & 0x9f, 0x9b); /* accessed */
            assert_int_equal(segs.seg[SEG_TR].attr, 0x8b);        /* busy */

            assert_int_equal(op(VCPUOP_up, 1), 0);
            assert_int_equal(op(VCPUOP_up, 1), 0);
            assert_int_equal(d->online_vcpus, 2);
            assert_int_equal(op(VCPUOP_is_up, 1), 1);
            assert_int_equal(op(VCPUOP_down, 1), 0);
            assert_int_equal(op(VCPUOP_is_up, 1), 0);
            assert_false(d->shutting_down);
        }
    assert_int_equal(op(VCPUOP_down, 0), 0);
    assert_int_equal(d->shutdown_code, SHUTDOWN_poweroff);
    hcall_end();
}

/* -- timers ----------------------------------------------------------------------------------- */

static uint32_t timer_port;

static bool ticked(void)
{
    bool pending = info()->evtchn_pending[0] >> timer_port & 1;

    info()->evtchn_pending[0] = 0;
    return pending;
}

static long singleshot(uint32_t vcpu, uint64_t at)
{
    const struct vcpu_set_singleshot_timer wide = {.timeout_abs_ns = at};
    const struct compat_set_singleshot_timer narrow = {.timeout_abs_ns = at};

    return op_struct(VCPUOP_set_singleshot_timer, vcpu, compat ? (const void *)&narrow : &wide,
                     compat ? sizeof(narrow) : sizeof(wide));
}

static long set_timer(int64_t at)
{
    return compat ? hcall(15, (uint32_t)at, (uint64_t)at >> 32) : hcall(15, (uint64_t)at, 0);
}

static void timers(void **state)
{
    setup(2);
    assert_int_equal(evtchn_bind_virq(d, VIRQ_TIMER, 0, &timer_port), 0);
    for (EACH_MODE) {
        assert_int_equal(singleshot(0, (uint64_t)sim_now() + MSEC(3)), 0);
        expire(MSEC(2));
        assert_false(ticked());
        expire(MSEC(1));
        assert_true(ticked());
        expire(MSEC(10));
        assert_false(ticked());
        /* The past is now, also what was past before anything began. */
        assert_int_equal(singleshot(0, (uint64_t)sim_now()), 0);
        assert_true(ticked());
        assert_int_equal(singleshot(0, 1), 0);
        assert_true(ticked());
        assert_int_equal(singleshot(0, UINT64_MAX), 0);
        expire(SEC(1000));
        assert_false(ticked());
        assert_int_equal(singleshot(0, (uint64_t)sim_now() + MSEC(3)), 0);
        assert_int_equal(op(VCPUOP_stop_singleshot_timer, 0), 0);
        expire(MSEC(5));
        assert_false(ticked());
        assert_int_equal(singleshot(1, 0), -XEN_EINVAL);
        assert_int_equal(op(VCPUOP_stop_singleshot_timer, 1), -XEN_EINVAL);
        /* Without the last bytes of a structure that a 32-bit caller does not have. */
        if (compat) {
            struct compat_set_singleshot_timer n = {.timeout_abs_ns = (uint64_t)sim_now() + 1};
            hcall_put(HOLE - sizeof(n), &n, sizeof(n));
            assert_int_equal(hcall3(24, VCPUOP_set_singleshot_timer, 0, HOLE - sizeof(n)), 0);
            expire(5);
            assert_true(ticked());
        }

        struct vcpu_set_periodic_timer t = {.period_ns = (uint64_t)MSEC(1) - 1};
        assert_int_equal(op_struct(VCPUOP_set_periodic_timer, 0, &t, sizeof(t)), -XEN_EINVAL);
        t.period_ns = UINT64_MAX;
        assert_int_equal(op_struct(VCPUOP_set_periodic_timer, 0, &t, sizeof(t)), -XEN_EINVAL);
        t.period_ns = (uint64_t)MSEC(2);
        assert_int_equal(op_struct(VCPUOP_set_periodic_timer, 0, &t, sizeof(t)), 0);
        for (int i = 0; i < 20; i++) {
            expire(MSEC(1));
            assert_int_equal(ticked(), i % 2);
        }
        assert_int_equal(op(VCPUOP_stop_periodic_timer, 0), 0);
        expire(MSEC(10));
        assert_false(ticked());

        assert_int_equal(set_timer(sim_now() + SEC(5)), 0);
        expire(SEC(5) - 1);
        assert_false(ticked());
        expire(1);
        assert_true(ticked());
        assert_int_equal(set_timer(sim_now() + MSEC(1)), 0);
        assert_int_equal(set_timer(0), 0);
        expire(MSEC(2));
        assert_false(ticked());
        /* What cannot be a time is 100 ms. */
        const int64_t odd[] = {-1, INT64_MIN, sim_now() + (1LL << 51), INT64_MAX};
        for (unsigned int i = 0; i < ARRAY_SIZE(odd); i++) {
            assert_int_equal(set_timer(odd[i]), 0);
            expire(MSEC(99));
            assert_false(ticked());
            expire(MSEC(1));
            assert_true(ticked());
        }
    }
    hcall_end();
}

/* -- areas ------------------------------------------------------------------------------------ */

static long register_area(uint32_t nr, uint32_t vcpu, uint64_t area)
{
    return op_struct(nr, vcpu, &area, compat ? 4 : 8);
}

static void runstate_areas(void **state)
{
    const uint64_t at = ARG + 0x200;

    setup(2);
    for (EACH_MODE) {
        struct vcpu_runstate_info wide;
        struct compat_runstate_info narrow;
        uint64_t sum = 0;

        hcall_load(caller);
        expire(MSEC(7));
        memset(hcall_mem(at), 'x', 64);
        assert_int_equal(hcall3(24, VCPUOP_get_runstate_info, 0, at), 0);
        assert_int_equal(*hcall_mem(at + (compat ? 44 : 48)), 'x');
        hcall_get(at, &wide, sizeof(wide));
        hcall_get(at, &narrow, sizeof(narrow));
        for (int i = 0; i < 4; i++)
            sum += compat ? narrow.time[i] : wide.time[i];
        assert_true(sum >= (uint64_t)MSEC(7) && sum <= (uint64_t)sim_now());
        assert_int_equal(compat ? narrow.state : (uint32_t)wide.state, d->vcpu[0]->runstate.state);

        /* Registration writes it; its layout follows the domain's width, not the caller's. */
        for (int layout = 0; layout < 2; layout++) {
            d->wide = layout;
            memset(hcall_mem(at), 'x', 64);
            assert_int_equal(register_area(VCPUOP_register_runstate_memory_area, 0, at), 0);
            assert_int_equal(*hcall_mem(at + (layout ? 48 : 44)), 'x');
            assert_int_not_equal(*hcall_mem(at + (layout ? 47 : 43)), 'x');
        }
        /* The mark of an area that changes is gone when it has. */
        d->runstate_flag = true;
        assert_int_equal(register_area(VCPUOP_register_runstate_memory_area, 0, at), 0);
        hcall_get(at, &wide, sizeof(wide));
        assert_int_equal(wide.state_entry_time >> 63, 0);
        /* Nowhere, or where nothing is: silently not. */
        assert_int_equal(register_area(VCPUOP_register_runstate_memory_area, 0, HOLE), 0);
        assert_int_equal(register_area(VCPUOP_register_runstate_memory_area, 0, 0), 0);
        assert_int_equal(d->vcpu[0]->runstate_area, 0);
        assert_int_equal(register_area(VCPUOP_register_runstate_memory_area, 1, at), 0);
        assert_int_equal(d->vcpu[1]->runstate_area, at);
    }
    hcall_end();
}

static void time_areas(void **state)
{
    const uint64_t at = ARG + 0x200;
    struct vcpu_time_info *primary, t;

    setup(2);
    primary = &info()->vcpu_info[0].time;
    for (EACH_MODE) {
        memset(hcall_mem(at), 0, sizeof(t));
        assert_int_equal(register_area(VCPUOP_register_vcpu_time_memory_area, 0, at), 0);
        hcall_get(at, &t, sizeof(t));
        assert_int_equal(t.version % 2, 0);
        assert_int_not_equal(t.version, 0);
        assert_int_equal(t.tsc_to_system_mul, primary->tsc_to_system_mul);
        assert_int_equal(t.system_time, primary->system_time);
        /* The guest's own computation gives Krypton's time. */
        uint64_t tsc = cpu_tsc() + (uint64_t)d->tsc_offset, delta = tsc - t.tsc_timestamp;
        delta = t.tsc_shift < 0 ? delta >> -t.tsc_shift : delta << t.tsc_shift;
        uint64_t now =
            t.system_time + (uint64_t)((unsigned __int128)delta * t.tsc_to_system_mul >> 32);
        assert_in_range(now, sim_now() - 2, sim_now() + 2);

        d->vcpu[1]->work = 0;
        assert_int_equal(register_area(VCPUOP_register_vcpu_time_memory_area, 1, at), 0);
        assert_true(d->vcpu[1]->work & VWORK_TIME);
        assert_int_equal(register_area(VCPUOP_register_vcpu_time_memory_area, 0, 0), 0);
        assert_int_equal(d->vcpu[0]->time_area, 0);
    }
    hcall_end();
}

static long register_info(uint32_t vcpu, uint64_t gfn, uint32_t offset)
{
    const struct vcpu_register_vcpu_info reg = {.mfn = gfn, .offset = offset};

    return op_struct(VCPUOP_register_vcpu_info, vcpu, &reg, sizeof(reg));
}

static void vcpu_infos(void **state)
{
    setup(40);
    for (EACH_MODE) {
        struct vcpu *v = d->vcpu[compat], *far = d->vcpu[35 + compat];
        struct vcpu_info *old = &info()->vcpu_info[v->id], *new = (void *)hcall_mem(0x9000 + 64);

        assert_int_equal(register_info(v->id, 9, PAGE_SIZE - 63), -XEN_ENXIO);
        assert_int_equal(register_info(v->id, 9, UINT32_MAX), -XEN_ENXIO);
        assert_int_equal(register_info(v->id, 9, 4), -XEN_ENXIO);
        assert_int_equal(register_info(v->id, HOLE >> 12, 0), -XEN_EINVAL);
        assert_int_equal(register_info(v->id, 1ULL << 50, 0), -XEN_EINVAL);
        old->evtchn_upcall_mask = 1;
        old->arch.cr2 = 0x77;
        v->work = 0;
        assert_int_equal(register_info(v->id, 9, 64), 0);
        assert_int_equal(new->evtchn_upcall_mask, 1);
        assert_int_equal(new->arch.cr2, 0x77);
        assert_int_equal(new->evtchn_upcall_pending, 1);
        assert_int_equal(new->evtchn_pending_sel, ~0ULL);
        assert_true(v->work & VWORK_EVENT);
        assert_int_equal(register_info(v->id, 10, 64), -XEN_EINVAL);
        /* What happens from now on is seen there. */
        uint32_t port;
        new->evtchn_upcall_pending = 0;
        new->evtchn_pending_sel = 0;
        old->evtchn_upcall_pending = 0;
        assert_int_equal(evtchn_bind_ipi(d, v->id, &port), 0);
        assert_int_equal(evtchn_send(d, port), 0);
        assert_int_equal(new->evtchn_upcall_pending, 1);
        assert_int_equal(old->evtchn_upcall_pending, 0);
        assert_int_equal(evtchn_close(d, port), 0);

        /* A vCPU without a slot needs one to be made, and starts it masked. */
        struct vcpu_hvm_context c = context(true);
        assert_int_equal(op_struct(VCPUOP_initialise, far->id, &c, sizeof(c)), -XEN_EINVAL);
        memset(hcall_mem(0xa000), 'x', PAGE_SIZE);
        assert_int_equal(register_info(far->id, 10, PAGE_SIZE - 64), 0);
        new = (void *)hcall_mem(0xb000 - 64);
        assert_int_equal(new->evtchn_upcall_mask, 1);
        assert_int_equal(new->arch.cr2, 0);
        assert_int_equal(op_struct(VCPUOP_initialise, far->id, &c, sizeof(c)), 0);
        /* Not that of a vCPU that runs. */
        vcpu_up(d->vcpu[3]);
        assert_int_equal(register_info(3, 9, 128), -XEN_EINVAL);
        vcpu_down(d->vcpu[3]);
    }
    /* The frame cannot go away under it. */
    struct p2m_entry e = p2m_lookup(d, _gfn(9));
    assert_true(page_refs(page_of(e.mfn)) > 1);
    hcall_end();
}

UNIT_MAIN(cmocka_unit_test(errors), cmocka_unit_test(bring_up), cmocka_unit_test(timers),
          cmocka_unit_test(runstate_areas), cmocka_unit_test(time_areas),
          cmocka_unit_test(vcpu_infos))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain/{domain,vcpu,pages,teardown,privilege}.c with the real loop: creation that fails at every
 * allocation, names and references, pausing, shutdown and crash, and teardown with vCPUs running,
 * pages in others' hands and peers that die in either order. Every frame comes back each time.
 */
#include "unit/lab.h"

#include "domain/privilege.h"

static void nothing_leaks(void **state)
{
    unsigned int n = 1;
    struct domain *d;
    int err;

    lab_start(2);
    do {
        struct domain_config c = lab_config;
        c.id = 2;
        c.max_vcpus = 3;
        sim_alloc_fail = n++;
        err = 0;
        d = domain_create(&c, &err);
        sim_alloc_fail = 0;
        assert_true(d ? !err : err == -XEN_ENOMEM);
        if (!d)
            assert_null(domain_get(2)); /* it is nobody's while it goes */
        lab_end();
    } while (!d);
    assert_true(n > 30);
    assert_int_equal(lab_events[2], 1); /* DEAD, of the one that was made */
}

/* The same for pages: the limit and the count are as before. */
static void memory(void **state)
{
    lab_start(1);
    struct domain *d = lab_domain(1, 1, 10);
    uint64_t free = heap_free_pages();

    assert_int_equal(d->tot_pages, 10);
    d->max_pages = 20;
    assert_int_equal(domain_alloc_pages(d, 4, 0).v, FRAME_NONE);
    assert_int_equal(domain_alloc_pages(d, 18, 0).v, FRAME_NONE);
    sim_alloc_fail = 1;
    assert_int_equal(domain_alloc_pages(d, 1, 0).v, FRAME_NONE);
    assert_int_equal(domain_alloc_special(d).v, FRAME_NONE);
    sim_alloc_fail = 0;
    assert_int_equal(d->tot_pages, 10);
    assert_int_equal(heap_free_pages(), free);
    lab_check();

    mfn_t mfn = domain_alloc_pages(d, 3, 0);
    assert_int_equal(d->tot_pages, 18);
    lab_check();
    for (int i = 0; i < 8; i++)
        domain_put_page(d, page_of(mfn_add(mfn, 3 * i % 8)));
    assert_int_equal(d->tot_pages, 10);
    assert_int_equal(heap_free_pages(), free);
    d->max_pages = 5; /* may be below */
    assert_int_equal(domain_alloc_pages(d, 0, 0).v, FRAME_NONE);
    lab_end();
}

static struct domain *victim;

/* On the other CPU, while an allocation is under way. */
static void kill_now(void)
{
    unsigned int self = this_cpu()->id;

    sim_cpu_set(1);
    domain_kill(victim);
    for (int i = 0; i < 50; i++)
        lab_pass(1);
    sim_cpu_set(self);
}

/* A page that comes too late for the teardown is not lost. */
static void memory_for_the_dying(void **state)
{
    for (int special = 0; special < 2; special++) {
        lab_start(2);
        victim = lab_domain(1, 1, 3);
        domain_ref(victim);
        sim_alloc_hook = kill_now;
        mfn_t mfn = special ? domain_alloc_special(victim) : domain_alloc_pages(victim, 2, 0);
        sim_alloc_hook = NULL;
        assert_int_equal(mfn.v, FRAME_NONE);
        assert_int_equal(victim->state, DOMAIN_DEAD);
        domain_put(victim);
        lab_end();
    }
}

static void names(void **state)
{
    struct domain_config c = lab_config;
    int err = 0;

    lab_start(1);
    c.id = 65;
    struct domain *b = domain_create(&c, &err);
    c.id = 1; /* the same chain */
    c.name = "a name that is far too long for the place that there is";
    struct domain *a = domain_create(&c, &err);
    assert_string_equal(b->name, "d65");
    assert_int_equal(strlen(a->name), DOMAIN_NAME_MAX - 1);
    assert_null(domain_create(&c, &err));
    assert_int_equal(err, -XEN_EEXIST);
    c.id = DOMID_SELF;
    assert_null(domain_create(&c, &err));
    assert_int_equal(err, -XEN_EINVAL);
    c.id = 2;
    c.max_vcpus = 0;
    assert_null(domain_create(&c, &err));
    c.max_vcpus = DOMAIN_MAX_VCPUS + 1;
    assert_null(domain_create(&c, &err));
    assert_int_equal(err, -XEN_EINVAL);

    assert_ptr_equal(domain_get(1), a);
    assert_ptr_equal(domain_get(65), b);
    assert_null(domain_get(2));
    assert_ptr_equal(domain_next(-1), a);
    assert_ptr_equal(domain_next(1), b);
    assert_null(domain_next(65));

    /* References keep the id and the structure, not the life. */
    domain_kill(a);
    domain_kill(a);
    lab_run(100);
    assert_int_equal(a->state, DOMAIN_DEAD);
    assert_ptr_equal(domain_find(1), a);
    domain_put(a);
    domain_put(a);
    assert_null(domain_find(1));
    c.id = 1;
    c.max_vcpus = 1;
    a = domain_create(&c, &err); /* the id is free at once */
    assert_non_null(a);
    domain_put(b);
    domain_put(b);
    domain_kill(b);
    lab_run(100);
    assert_null(domain_find(65));
    lab_end();
}

static bool stopped(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v)
        if (!vcpu_stopped(v))
            return false;
    return true;
}

static unsigned int entries(struct domain *d)
{
    unsigned int n = 0;
    struct vcpu *v;

    for_each_vcpu (d, v)
        n += script_of(v)->entries;
    return n;
}

static void pausing(void **state)
{
    lab_start(2);
    struct domain *d = lab_domain(1, 2, 4);

    d->vcpu[1]->initialised = true;
    vcpu_up(d->vcpu[1]);
    lab_run(10);
    assert_int_equal(entries(d), 0);
    assert_int_equal(d->state, DOMAIN_BUILDING);
    domain_pause(d);
    assert_int_equal(domain_unpause(d), 0);
    lab_run(10);
    assert_int_equal(entries(d), 0);
    assert_int_equal(domain_unpause(d), 0);
    assert_int_equal(domain_unpause(d), -XEN_EINVAL);
    lab_run(10);
    assert_int_equal(d->state, DOMAIN_RUNNING);
    assert_int_not_equal(script_of(d->vcpu[0])->entries, 0);
    assert_int_not_equal(script_of(d->vcpu[1])->entries, 0);

    domain_pause(d);
    lab_run(2);
    assert_true(stopped(d));
    unsigned int before = entries(d);
    lab_run(10);
    assert_int_equal(entries(d), before);
    assert_int_equal(domain_unpause(d), 0);
    lab_run(10);
    assert_true(entries(d) > before + 4);
    lab_check();
    lab_end();
}

/* Down is not up again by a wake-up; the last one down is power-off. */
static void up_and_down(void **state)
{
    lab_start(2);
    struct domain *d = lab_domain(1, 2, 4);

    assert_int_equal(d->online_vcpus, 1);
    vcpu_up(d->vcpu[1]);
    vcpu_up(d->vcpu[1]);
    assert_int_equal(d->online_vcpus, 2);
    assert_int_equal(domain_unpause(d), 0);
    lab_run(5);
    vcpu_down(d->vcpu[0]);
    vcpu_down(d->vcpu[0]);
    lab_run(5);
    assert_true(vcpu_stopped(d->vcpu[0]) && !d->shutting_down);
    vcpu_wake(d->vcpu[0]);
    lab_run(5);
    assert_true(vcpu_stopped(d->vcpu[0]));
    vcpu_block(d->vcpu[1]);
    lab_run(5);
    assert_true(vcpu_stopped(d->vcpu[1]));
    vcpu_wake(d->vcpu[1]);
    lab_run(5);
    assert_false(vcpu_stopped(d->vcpu[1]));
    script_of(d->vcpu[1])->guest = lab_hlt;
    d->vcpu[1]->priv->regs.rflags = 2; /* interrupts off */
    lab_run(5);
    assert_int_equal(d->shutdown_code, SHUTDOWN_poweroff);
    assert_int_equal(d->state, DOMAIN_SHUTDOWN);
    lab_end();
}

static void shutdown_once(void **state)
{
    lab_start(2);
    struct domain *d = lab_domain(1, 2, 4);

    vcpu_up(d->vcpu[1]);
    assert_int_equal(domain_unpause(d), 0);
    lab_run(5);
    assert_int_equal(d->shutdown_code, ~0u);
    domain_shutdown(d, SHUTDOWN_reboot);
    domain_shutdown(d, SHUTDOWN_poweroff);
    domain_crash(d, "it is %s", "broken");
    assert_true(d->crashed);
    lab_run(5);
    assert_true(stopped(d));
    assert_int_equal(d->shutdown_code, SHUTDOWN_reboot);
    assert_int_equal(d->state, DOMAIN_SHUTDOWN);
    assert_int_equal(lab_events[1], 1);
    lab_run(20);
    assert_int_equal(lab_events[1], 1);
    domain_kill(d);
    lab_run(100);
    assert_int_equal(lab_events[1], 2);
    lab_end();
}

static void crash_guest(struct vcpu *v, struct vmexit *x)
{
    x->reason = VMEXIT_SHUTDOWN;
}

/* A crash or a kill in the middle of things; kill and shutdown on two CPUs at once. */
static void sudden_ends(void **state)
{
    lab_start(2);
    for (unsigned int i = 0; i < 12; i++) {
        struct domain *d = lab_domain(1, 2, 4);
        vcpu_up(d->vcpu[1]);
        assert_int_equal(domain_unpause(d), 0);
        lab_run(i);
        if (i % 3 == 0)
            script_of(d->vcpu[1])->guest = crash_guest;
        if (i % 3 == 1)
            domain_shutdown(d, SHUTDOWN_crash);
        lab_pass(i % 2);
        if (i % 2)
            domain_kill(d);
        lab_run(3);
        if (!(i % 2))
            domain_kill(d);
        for (unsigned int k = 0; k < 5; k++) {
            lab_run(1);
            lab_check();
        }
        lab_end();
    }
}

/* -- domains that use each other -------------------------------------------------------------- */

static struct grant_entry_v1 *grant_entry(struct domain *d, unsigned int ref)
{
    mfn_t mfn;

    assert_int_equal(grant_frame(d, 0, &mfn), 0);
    page_put(page_of(mfn));
    return (struct grant_entry_v1 *)sim_phys(mfn) + ref;
}

static void grant_to(struct domain *from, struct domain *to, unsigned int ref, uint64_t gfn)
{
    *grant_entry(from, ref) = (struct grant_entry_v1){
        .flags = GTF_permit_access, .domid = to->id, .frame = (uint32_t)gfn};
}

static void map_grant(struct domain *d, struct domain *from, unsigned int ref, uint64_t gfn)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = gfn << 12, .flags = GNTMAP_host_map, .ref = ref, .dom = from->id};

    grant_map(d, &op);
    assert_int_equal(op.status, GNTST_okay);
}

static void connect(struct domain *a, struct domain *b)
{
    uint32_t theirs, ours;

    assert_int_equal(evtchn_alloc_unbound(a, b->id, &theirs), 0);
    assert_int_equal(evtchn_bind_interdomain(b, a, theirs, &ours), 0);
    grant_to(a, b, 9, 3);
    map_grant(b, a, 9, 100);
    grant_to(b, a, 9, 5);
    map_grant(a, b, 9, 100);
}

static void peers_die(void **state)
{
    for (int order = 0; order < 3; order++) {
        lab_start(2);
        struct domain *a = lab_domain(1, 1, 8), *b = lab_domain(2, 1, 8);
        assert_int_equal(domain_unpause(a), 0);
        assert_int_equal(domain_unpause(b), 0);
        connect(a, b);
        lab_run(5);
        lab_check();
        if (order != 1)
            domain_kill(a);
        if (order != 0)
            domain_kill(b);
        for (int i = 0; i < 40; i++) {
            lab_run(1);
            lab_check();
        }
        if (order == 0) {
            /* a is dead, and still there: b has its page. */
            assert_int_equal(lab_last_state[1], DOMAIN_DEAD);
            assert_ptr_equal(domain_find(1), a);
            assert_int_equal(a->tot_pages, 1);
            struct gnttab_map_grant_ref op = {
                .host_addr = 99 << 12, .flags = GNTMAP_host_map, .ref = 9, .dom = 1};
            grant_map(b, &op);
            assert_int_not_equal(op.status, GNTST_okay);
        }
        lab_end();
    }
}

/* Pages in foreign hands keep the domain's id, nothing else; it goes when the last is let go. */
static void foreign_references(void **state)
{
    struct domain_config c = lab_config;
    int err = 0;

    lab_start(1);
    struct domain *d = lab_domain(1, 1, 300);
    struct page *pg = p2m_get_page(d, _gfn(7), true), *pg2 = p2m_get_page(d, _gfn(299), true);
    domain_kill(d);
    lab_run(300);
    assert_int_equal(d->state, DOMAIN_DEAD);
    assert_int_equal(d->tot_pages, 2);
    assert_null(p2m_get_page(d, _gfn(7), true));
    assert_int_equal(domain_alloc_pages(d, 0, 0).v, FRAME_NONE);
    c.id = 1;
    assert_null(domain_create(&c, &err));
    assert_int_equal(err, -XEN_EEXIST);
    page_put(pg);
    assert_ptr_equal(domain_find(1), d);
    page_put(pg2);
    assert_null(domain_find(1));
    lab_end();
}

/* The builder fails: nothing of the domain is placed yet, or it was never unpaused. */
static void killed_while_building(void **state)
{
    lab_start(2);
    struct domain *d = lab_domain(1, 2, 600);
    vcpu_up(d->vcpu[1]);
    assert_int_not_equal(domain_alloc_pages(d, 4, 0).v, FRAME_NONE); /* at no gfn */
    domain_kill(d);
    lab_end();
    assert_int_equal(lab_events[1], 1);
}

/* -- privileges ------------------------------------------------------------------------------- */

static void privileges(void **state)
{
    struct domain_config c = lab_config;

    lab_start(1);
    c.id = 1;
    c.is_control = true;
    c.is_console = false;
    struct domain *control = lab_domain_with(c, 0);
    c.id = 2;
    c.is_control = false;
    struct domain *d = lab_domain_with(c, 0), *e = lab_domain(3, 1, 0);

    assert_int_equal(privilege_control(control), 0);
    assert_int_equal(privilege_control(d), -XEN_EPERM);
    assert_int_equal(privilege_target(d, d), 0);
    assert_int_equal(privilege_target(d, e), -XEN_EPERM);
    assert_int_equal(privilege_target(control, e), 0);
    assert_int_equal(privilege_console_write(control), 0);
    assert_int_equal(privilege_console_write(d), -XEN_EPERM);
    assert_int_equal(privilege_console_write(e), 0);
    for (unsigned int cmd = 0; cmd < 11; cmd++) {
        bool open = cmd != XENVER_commandline && cmd != XENVER_build_id;
        assert_int_equal(privilege_version(d, cmd), open ? 0 : -XEN_EPERM);
        assert_int_equal(privilege_version(control, cmd), 0);
    }
    static const uint8_t may_set[] = {0, 2, 15, 18, 19, 34, 36, 37};
    static const uint8_t may_get[] = {0, 1, 2, 15, 17, 18, 19, 34, 35, 36, 37};
    for (unsigned int i = 0; i < HVM_NR_PARAMS; i++) {
        int set = -XEN_EPERM, get = -XEN_EPERM;
        for (unsigned int k = 0; k < sizeof(may_set); k++)
            set = may_set[k] == i ? 0 : set;
        for (unsigned int k = 0; k < sizeof(may_get); k++)
            get = may_get[k] == i ? 0 : get;
        assert_int_equal(privilege_hvm_param(d, d, i, true), set);
        assert_int_equal(privilege_hvm_param(d, d, i, false), get);
        assert_int_equal(privilege_hvm_param(d, e, i, false), -XEN_EPERM);
        assert_int_equal(privilege_hvm_param(control, e, i, true), 0);
        assert_int_equal(privilege_hvm_param(control, control, i, true), 0);
    }
    lab_end();
}

UNIT_MAIN(cmocka_unit_test(nothing_leaks), cmocka_unit_test(memory),
          cmocka_unit_test(memory_for_the_dying), cmocka_unit_test(names),
          cmocka_unit_test(pausing), cmocka_unit_test(up_and_down), cmocka_unit_test(shutdown_once),
          cmocka_unit_test(sudden_ends), cmocka_unit_test(peers_die),
          cmocka_unit_test(foreign_references), cmocka_unit_test(killed_while_building),
          cmocka_unit_test(privileges))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/hypercall/{dispatch,subop,multicall,version,page}.c: which numbers exist, registers and
 * widths, who may call what, multicall with its restarts, and what xen_version says. Each operation
 * of the other families has its own test file.
 */
#include "unit/hcall.h"

#include "core/version.h"

static struct domain *d, *other;

static void setup(void)
{
    struct domain_config c = lab_config;

    lab_start(1);
    c.id = 1;
    c.is_console = false;
    d = hcall_domain_with(c);
    other = hcall_domain(2);
    hcall_caller(d->vcpu[0], false);
}

static void numbers(void **state)
{
    static const uint8_t known[] = {12, 13, 15, 17, 18, 20, 21, 24, 29, 32, 34};

    setup();
    for (EACH_MODE) {
        for (uint32_t nr = 0; nr < 300; nr++) {
            bool exists = false;
            for (unsigned int i = 0; i < sizeof(known); i++)
                exists |= known[i] == nr;
            /* Operation 63 is none of any family's. */
            long result = hcall5(nr, 63, 0, 0, 0, 0);
            if (!exists)
                assert_int_equal(result, -XEN_ENOSYS);
        }
        assert_int_equal(hcall(UINT32_MAX, 0, 0), -XEN_ENOSYS);
        assert_int_equal(hcall(0x4b520001, 0, 0),
                         -XEN_ENOSYS); /* the loader's are not for guests */
        static const uint8_t families[] = {12, 17, 20, 24, 29, 32, 34};
        for (unsigned int i = 0; i < sizeof(families); i++)
            assert_int_equal(hcall3(families[i], 63, 0, 1), -XEN_ENOSYS);
        assert_int_equal(hcall(12, 1u << 31 | 9, ARG), -XEN_ENOSYS);
    }
    hcall_caller(caller, false);
    /* Only eax counts, and nothing but the result is written. */
    caller->priv->regs.gpr[R_15] = 0x1122334455667788;
    assert_int_equal(hcall(17, 0xffffffff00000000, 0xabcdef0123456789), 0x40011);
    assert_int_equal(caller->priv->regs.gpr[R_SI], 0xabcdef0123456789);
    caller->priv->regs.gpr[R_AX] = 0xffffffff00000011;
    caller->priv->regs.gpr[R_DI] = 0;
    assert_true(hypercall_execute(caller, virt->mode(caller)));
    assert_int_equal(caller->priv->regs.gpr[R_AX], 0x40011);
    assert_int_equal(caller->priv->regs.gpr[R_15], 0x1122334455667788);
    hcall_caller(caller, true);
    caller->priv->regs.gpr[R_BX] = 0xffffffff00000001; /* the upper halves do not exist */
    caller->priv->regs.gpr[R_CX] = 0xffffffff00000000 | ARG;
    caller->priv->regs.gpr[R_AX] = 0xffffffff00000011;
    assert_true(hypercall_execute(caller, virt->mode(caller)));
    assert_int_equal(caller->priv->regs.gpr[R_AX], 0);
    hcall_end();
}

static long by_exit(enum vcpu_mode mode, unsigned int cpl)
{
    struct vmexit x = {
        .reason = VMEXIT_HYPERCALL, .len = 3, .call = {.mode = mode, .cpl = (uint8_t)cpl}};
    struct vcpu_regs *r = &caller->priv->regs;

    r->gpr[R_AX] = 17;
    r->gpr[R_BX] = r->gpr[R_DI] = 0;
    r->rip = 0x1000;
    exit_dispatch(caller, &x);
    assert_int_equal(r->rip, 0x1003);
    return (int)r->gpr[R_AX];
}

static void who_may_call(void **state)
{
    setup();
    for (EACH_MODE) {
        assert_int_equal(by_exit(virt->mode(caller), 0), 0x40011);
        for (unsigned int cpl = 1; cpl < 4; cpl++)
            assert_int_equal(by_exit(virt->mode(caller), cpl), -XEN_EPERM);
    }
    assert_int_equal(by_exit(MODE_REAL, 0), 0x40011);
    assert_int_equal(by_exit(MODE_PROT16, 0), 0x40011);
    assert_int_equal(by_exit(MODE_VM86, 3), -XEN_EPERM);
    assert_int_equal(by_exit(MODE_VM86, 0), -XEN_EPERM);
    hcall_end();
}

static void version(void **state)
{
    setup();
    for (EACH_MODE) {
        char text[1024];
        assert_int_equal(hcall(17, XENVER_version, 0), 0x40011);
        assert_int_equal(hcall(17, XENVER_version, HOLE), 0x40011);

        memset(hcall_mem(ARG), 'x', PAGE_SIZE);
        assert_int_equal(hcall(17, XENVER_capabilities, ARG), 0);
        hcall_get(ARG, text, sizeof(text));
        assert_non_null(strstr(text, "hvm-3.0-x86_32 "));
        assert_non_null(strstr(text, "hvm-3.0-x86_64"));
        for (size_t i = strlen(text); i < sizeof(text); i++)
            assert_int_equal(text[i], 0);
        assert_int_equal(*hcall_mem(ARG + 1024), 'x');

        static const struct {
            uint8_t cmd;
            uint16_t size;
        } texts[] = {{XENVER_extraversion, 16},
                     {XENVER_changeset, 64},
                     {XENVER_commandline, 1024},
                     {XENVER_compile_info, 64 + 16 + 32 + 32}};
        for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
            memset(hcall_mem(ARG), 'x', PAGE_SIZE);
            assert_int_equal(hcall(17, texts[i].cmd, ARG), 0);
            assert_int_equal(*hcall_mem(ARG + texts[i].size - 1), 0);
            assert_int_equal(*hcall_mem(ARG + texts[i].size), 'x');
            hcall_bad_pointers(17, texts[i].cmd);
            /* At the end of memory that is there. */
            assert_int_equal(hcall(17, texts[i].cmd, HOLE - texts[i].size), 0);
        }
        assert_int_equal(hcall(17, XENVER_commandline, ARG), 0);
        assert_string_equal((char *)hcall_mem(ARG), "<denied>");

        struct xen_feature_info f = {.submap_idx = 0};
        assert_int_equal(hcall_struct(17, XENVER_get_features, &f, sizeof(f)), 0);
        assert_int_equal(f.submap, 1 | 1 << 2 | 1 << 8 | 1 << 9 | 1 << 13 | 1 << 16);
        f.submap_idx = 1;
        assert_int_equal(hcall_struct(17, XENVER_get_features, &f, sizeof(f)), -XEN_EINVAL);
        hcall_bad_pointers(17, XENVER_get_features);

        memset(hcall_mem(ARG), 'x', 32);
        assert_int_equal(hcall(17, XENVER_platform_parameters, ARG), 0);
        assert_int_equal(*hcall_mem(ARG + (compat ? 4 : 8)), 'x');
        if (!compat)
            assert_int_equal(*(uint64_t *)(void *)hcall_mem(ARG), 0xffff800000000000);
        hcall_bad_pointers(17, XENVER_platform_parameters);

        assert_int_equal(hcall(17, XENVER_pagesize, 0), 4096);
        assert_int_equal(hcall(17, XENVER_pagesize, ARG), -XEN_EINVAL);
        memcpy(d->handle, "0123456789abcdef", 16);
        assert_int_equal(hcall(17, XENVER_guest_handle, ARG), 0);
        assert_memory_equal(hcall_mem(ARG), "0123456789abcdef", 16);
        hcall_bad_pointers(17, XENVER_guest_handle);
        assert_int_equal(hcall(17, XENVER_build_id, 0), -XEN_EPERM);
        assert_int_equal(hcall(17, 11, 0), -XEN_ENOSYS);
    }
    d->is_control = true;
    long size = hcall(17, XENVER_build_id, 0);
    if (version_build_id_size) {
        assert_int_equal(size, version_build_id_size);
        struct xen_build_id id = {.len = 0};
        assert_int_equal(hcall_struct(17, XENVER_build_id, &id, sizeof(id)), -XEN_EINVAL);
        id.len = (uint32_t)size - 1;
        assert_int_equal(hcall_struct(17, XENVER_build_id, &id, sizeof(id)), -XEN_ENOBUFS);
        id.len = (uint32_t)size;
        assert_int_equal(hcall_struct(17, XENVER_build_id, &id, sizeof(id)), size);
    } else
        assert_int_equal(size, -XEN_ENODATA);
    assert_int_equal(hcall(17, XENVER_commandline, ARG), 0);
    assert_string_not_equal((char *)hcall_mem(ARG), "<denied>");
    hcall_end();
}

static void vm_assist(void **state)
{
    setup();
    for (EACH_MODE) {
        assert_int_equal(hcall(21, VMASST_CMD_enable, 5), 0);
        assert_true(d->runstate_flag);
        assert_int_equal(hcall(21, VMASST_CMD_disable, 5), 0);
        assert_false(d->runstate_flag);
        assert_int_equal(hcall(21, VMASST_CMD_enable, 4), -XEN_EINVAL);
        assert_int_equal(hcall(21, VMASST_CMD_enable, 64), -XEN_EINVAL);
        assert_int_equal(hcall(21, 2, 5), -XEN_ENOSYS);
    }
    hcall_end();
}

/* What is for a control domain, or for oneself: whatever the arguments, -EPERM and nothing done. */
static void privileges(void **state)
{
    setup();
    for (EACH_MODE) {
        struct sched_remote_shutdown rs = {.domain_id = 2, .reason = SHUTDOWN_crash};
        assert_int_equal(hcall_struct(29, SCHEDOP_remote_shutdown, &rs, sizeof(rs)), -XEN_EPERM);
        assert_false(other->shutting_down);
        assert_int_equal(hcall(29, SCHEDOP_pin_override, ARG), -XEN_EPERM);

        struct evtchn_alloc_unbound au = {.dom = 2, .remote_dom = 1};
        assert_int_equal(hcall_struct(32, EVTCHNOP_alloc_unbound, &au, sizeof(au)), -XEN_EPERM);
        struct evtchn_status st = {.dom = 2, .port = 1};
        assert_int_equal(hcall_struct(32, EVTCHNOP_status, &st, sizeof(st)), -XEN_EPERM);
        struct evtchn_reset er = {.dom = 2};
        assert_int_equal(hcall_struct(32, EVTCHNOP_reset, &er, sizeof(er)), -XEN_EPERM);

        struct xen_hvm_param p = {.domid = 2, .index = HVM_PARAM_CALLBACK_IRQ, .value = 1};
        assert_int_equal(hcall_struct(34, HVMOP_set_param, &p, sizeof(p)), -XEN_EPERM);
        assert_int_equal(hcall_struct(34, HVMOP_get_param, &p, sizeof(p)), -XEN_EPERM);
        assert_int_equal(other->param[0], 0);
        struct xen_hvm_get_mem_type mt = {.domid = 2};
        assert_int_equal(hcall_struct(34, HVMOP_get_mem_type, &mt, sizeof(mt)), -XEN_EPERM);

        domid_t id = 2;
        assert_int_equal(hcall_struct(12, XENMEM_current_reservation, &id, 2), -XEN_EPERM);
        assert_int_equal(hcall_struct(12, XENMEM_maximum_reservation, &id, 2), -XEN_EPERM);
        assert_int_equal(hcall_struct(12, XENMEM_maximum_gpfn, &id, 2), -XEN_EPERM);
        uint64_t pages = other->tot_pages;
        struct xen_memory_reservation r = {.nr_extents = 1, .domid = 2};
        struct compat_memory_reservation cr = {.nr_extents = 1, .domid = 2};
        struct xen_add_to_physmap a = {.domid = 2, .space = 2, .idx = 1, .gpfn = 2};
        struct compat_add_to_physmap ca = {.domid = 2, .space = 2, .idx = 1, .gpfn = 2};
        struct xen_remove_from_physmap m = {.domid = 2, .gpfn = 1};
        struct compat_remove_from_physmap cm = {.domid = 2, .gpfn = 1};
        for (uint32_t op = 0; op < 7; op++)
            if (op == 0 || op == 1 || op == 6)
                assert_int_equal(hcall_struct(12, op, compat ? (void *)&cr : &r,
                                              compat ? sizeof(cr) : sizeof(r)),
                                 -XEN_EPERM);
        assert_int_equal(
            hcall_struct(12, 7, compat ? (void *)&ca : &a, compat ? sizeof(ca) : sizeof(a)),
            -XEN_EPERM);
        assert_int_equal(
            hcall_struct(12, 15, compat ? (void *)&cm : &m, compat ? sizeof(cm) : sizeof(m)),
            -XEN_EPERM);
        assert_int_equal(other->tot_pages, pages);
        assert_int_equal(p2m_lookup(other, _gfn(1)).type, P2M_RAM);

        struct gnttab_query_size q = {.dom = 2};
        hcall_put(ARG, &q, sizeof(q));
        assert_int_equal(hcall3(20, GNTTABOP_query_size, ARG, 1), 0);
        hcall_get(ARG, &q, sizeof(q));
        assert_int_equal(q.status, GNTST_permission_denied);
        struct gnttab_get_version gv = {.dom = 2};
        hcall_put(ARG, &gv, sizeof(gv));
        assert_int_equal(hcall3(20, GNTTABOP_get_version, ARG, 1), -XEN_EPERM);

        assert_int_equal(hcall3(18, 0, 4, ARG), -XEN_EPERM);
    }
    /* The same by the control domain. */
    d->is_control = true;
    hcall_caller(d->vcpu[0], false);
    domid_t id = 2;
    assert_int_equal(hcall_struct(12, XENMEM_current_reservation, &id, 2), (long)other->tot_pages);
    struct xen_hvm_param p = {.domid = 2, .index = HVM_PARAM_IDENT_PT, .value = 77};
    assert_int_equal(hcall_struct(34, HVMOP_set_param, &p, sizeof(p)), 0);
    assert_int_equal(other->param[HVM_PARAM_IDENT_PT], 77);
    struct sched_remote_shutdown rs = {.domain_id = 9};
    assert_int_equal(hcall_struct(29, SCHEDOP_remote_shutdown, &rs, sizeof(rs)), -XEN_ESRCH);
    rs.domain_id = 2;
    rs.reason = SHUTDOWN_reboot;
    assert_int_equal(hcall_struct(29, SCHEDOP_remote_shutdown, &rs, sizeof(rs)), 0);
    assert_int_equal(other->shutdown_code, SHUTDOWN_reboot);
    hcall_end();
}

/* -- multicall -------------------------------------------------------------------------------- */

static void put_entry(unsigned int i, uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
    struct multicall_entry wide = {.op = op, .result = 0x55, .args = {a, b, c}};
    struct compat_multicall_entry narrow = {
        .op = (uint32_t)op, .result = 0x55, .args = {(uint32_t)a, (uint32_t)b, (uint32_t)c}};

    if (compat)
        hcall_put(ARG + i * sizeof(narrow), &narrow, sizeof(narrow));
    else
        hcall_put(ARG + i * sizeof(wide), &wide, sizeof(wide));
}

static long entry_result(unsigned int i)
{
    struct multicall_entry wide;
    struct compat_multicall_entry narrow;

    if (compat) {
        hcall_get(ARG + i * sizeof(narrow), &narrow, sizeof(narrow));
        return (int32_t)narrow.result;
    }
    hcall_get(ARG + i * sizeof(wide), &wide, sizeof(wide));
    return (long)wide.result;
}

static void multicall(void **state)
{
    const uint64_t frames = ARG + 0x1800, results = ARG + 0x1900;

    setup();
    for (EACH_MODE) {
        for (int pressed = 0; pressed < 2; pressed++) {
            hcall_press(pressed);
            put_entry(0, 17, XENVER_version, 0, 0);
            put_entry(1, 13, ARG, 1, 0); /* not inside itself */
            put_entry(2, 99, 0, 0, 0);
            put_entry(3, 17, XENVER_pagesize, 0, 0);
            put_entry(4, 17, XENVER_guest_handle, HOLE, 0);
            put_entry(5, 17, XENVER_pagesize, 0, 0);
            assert_int_equal(hcall(13, ARG, 5), 0);
            assert_int_equal(restarts, pressed ? 4 : 0);
            assert_int_equal(entry_result(0), 0x40011);
            assert_int_equal(entry_result(1), -XEN_EINVAL);
            assert_int_equal(entry_result(2), -XEN_ENOSYS);
            assert_int_equal(entry_result(3), 4096);
            assert_int_equal(entry_result(4), -XEN_EFAULT);
            assert_int_equal(entry_result(5), 0x55);
        }
        /* One that is long itself: what it counts is complete, whoever interrupted whom. */
        for (int pressed = 0; pressed < 2; pressed++) {
            uint64_t list[6] = {0};
            uint32_t list32[6] = {0};
            struct xen_memory_reservation r = {.nr_extents = 6};
            struct compat_memory_reservation cr = {
                .extent_start = (uint32_t)frames, .nr_extents = 6, .domid = DOMID_SELF};
            for (uint32_t i = 0; i < 6; i++)
                list[i] = list32[i] = 0x100 + i;
            r.domid = DOMID_SELF;
            r.extent_start.p = (void *)(uintptr_t)frames;
            hcall_put(frames, compat ? (void *)list32 : list, compat ? 24 : 48);
            hcall_put(results, compat ? (void *)&cr : &r, compat ? sizeof(cr) : sizeof(r));
            put_entry(0, 12, XENMEM_populate_physmap, results, 0);
            put_entry(1, 12, XENMEM_decrease_reservation, results, 0);
            uint64_t before = d->tot_pages;
            hcall_press(pressed);
            assert_int_equal(hcall(13, ARG, 2), 0);
            assert_int_equal(restarts, pressed ? 5 + 1 + 5 : 0);
            assert_int_equal(entry_result(0), 6);
            assert_int_equal(entry_result(1), 6);
            assert_int_equal(d->tot_pages, before);
        }
        hcall_press(false);
        assert_int_equal(hcall(13, ARG, 0), 0);
        assert_int_equal(hcall(13, HOLE, 0), 0);
        assert_int_equal(hcall(13, HOLE, 1), -XEN_EFAULT);
        put_entry(0, 17, XENVER_version, 0, 0);
        assert_int_equal(hcall(13, HOLE - (compat ? 16 : 32), 2), -XEN_EFAULT);
    }
    hcall_end();
}

static void hypercall_page(void **state)
{
    static const uint8_t vmmcall[3] = {0x0f, 0x01, 0xd9};
    uint8_t page[PAGE_SIZE];

    hypercall_page_fill(page, vmmcall);
    for (uint32_t n = 0; n < 128; n++) {
        const uint8_t stub[] = {0xb8, (uint8_t)n, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3};
        if (n == 23)
            assert_memory_equal(page + 32 * n, "\x0f\x0b", 2);
        else
            assert_memory_equal(page + 32 * n, stub, sizeof(stub));
    }
}

UNIT_MAIN(cmocka_unit_test(numbers), cmocka_unit_test(who_may_call), cmocka_unit_test(version),
          cmocka_unit_test(vm_assist), cmocka_unit_test(privileges), cmocka_unit_test(multicall),
          cmocka_unit_test(hypercall_page))

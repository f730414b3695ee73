/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/hypercall/{evtchn,grant,hvm}.c: event_channel_op, grant_table_op and hvm_op by 64- and
 * 32-bit callers: layouts in and out, errors, long lists. The rules behind them are tested on floor
 * 4 (evtchn_test.c, grant_test.c).
 */
#include "unit/hcall.h"

static struct domain *d, *peer;

enum { LIST = ARG + 0x400 };

static void setup(void)
{
    lab_start(1);
    d = hcall_domain(1);
    peer = hcall_domain(2);
    hcall_caller(d->vcpu[0], false);
}

#define EVTCHN(op, p) hcall_struct(32, op, p, sizeof(*(p)))

static void event_channels(void **state)
{
    setup();
    for (EACH_MODE) {
        for (uint32_t op = 0; op < 14; op++)
            hcall_bad_pointers(32, op);
        assert_int_equal(hcall(32, EVTCHNOP_bind_pirq, ARG), -XEN_EINVAL); /* there are none */
        assert_int_equal(hcall(32, 14, ARG), -XEN_ENOSYS);

        struct evtchn_alloc_unbound au = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
        assert_int_equal(EVTCHN(EVTCHNOP_alloc_unbound, &au), 0);
        uint32_t port = au.port;
        struct evtchn_bind_interdomain bi = {.remote_dom = DOMID_SELF, .remote_port = port};
        assert_int_equal(EVTCHN(EVTCHNOP_bind_interdomain, &bi), 0);
        struct evtchn_status st = {.dom = DOMID_SELF, .port = port};
        assert_int_equal(EVTCHN(EVTCHNOP_status, &st), 0);
        assert_int_equal(st.status, EVTCHNSTAT_interdomain);
        assert_int_equal(st.u.interdomain.port, bi.local_port);
        assert_int_equal(st.u.interdomain.dom, 1);
        st.dom = 1;
        st.port = UINT32_MAX;
        assert_int_equal(EVTCHN(EVTCHNOP_status, &st), -XEN_EINVAL);
        st.dom = 9;
        assert_int_equal(EVTCHN(EVTCHNOP_status, &st), -XEN_ESRCH);
        struct evtchn_bind_vcpu bv = {.port = port, .vcpu = 1};
        assert_int_equal(EVTCHN(EVTCHNOP_bind_vcpu, &bv), 0);
        bv.vcpu = 2;
        assert_true(EVTCHN(EVTCHNOP_bind_vcpu, &bv) < 0);
        struct evtchn_send snd = {.port = port};
        assert_int_equal(EVTCHN(EVTCHNOP_send, &snd), 0);
        struct evtchn_unmask um = {.port = port};
        assert_int_equal(EVTCHN(EVTCHNOP_unmask, &um), 0);
        struct evtchn_set_priority sp = {.port = port, .priority = 3};
        assert_int_equal(EVTCHN(EVTCHNOP_set_priority, &sp), -XEN_ENOSYS); /* 2-level */
        struct evtchn_close cl = {.port = port};
        assert_int_equal(EVTCHN(EVTCHNOP_close, &cl), 0);
        assert_int_equal(EVTCHN(EVTCHNOP_close, &cl), -XEN_EINVAL);
        cl.port = bi.local_port;
        assert_int_equal(EVTCHN(EVTCHNOP_close, &cl), 0);
        cl.port = 0;
        assert_int_equal(EVTCHN(EVTCHNOP_close, &cl), -XEN_EINVAL);

        struct evtchn_bind_virq vq = {.virq = VIRQ_TIMER, .vcpu = 1};
        assert_int_equal(EVTCHN(EVTCHNOP_bind_virq, &vq), 0);
        uint32_t first = vq.port;
        vq.port = 0x77;
        assert_int_equal(EVTCHN(EVTCHNOP_bind_virq, &vq), -XEN_EEXIST);
        assert_int_equal(vq.port, 0x77); /* nothing is written on failure */
        struct evtchn_bind_ipi ipi = {.vcpu = 1};
        assert_int_equal(EVTCHN(EVTCHNOP_bind_ipi, &ipi), 0);
        assert_int_not_equal(ipi.port, first);
        ipi.vcpu = 2;
        assert_int_equal(EVTCHN(EVTCHNOP_bind_ipi, &ipi), -XEN_ENOENT);

        /* With the peer, which has to have named us. */
        uint32_t theirs;
        assert_int_equal(evtchn_alloc_unbound(peer, 1, &theirs), 0);
        bi = (struct evtchn_bind_interdomain){.remote_dom = 2, .remote_port = theirs};
        assert_int_equal(EVTCHN(EVTCHNOP_bind_interdomain, &bi), 0);
        assert_int_equal(evtchn_alloc_unbound(peer, 7, &theirs), 0);
        bi.remote_port = theirs;
        assert_int_equal(EVTCHN(EVTCHNOP_bind_interdomain, &bi), -XEN_EINVAL);
        bi.remote_dom = 9;
        assert_int_equal(EVTCHN(EVTCHNOP_bind_interdomain, &bi), -XEN_ESRCH);
        lab_check();

        /* FIFO, and back by reset, in steps. */
        struct evtchn_init_control ic = {.control_gfn = 9, .offset = 0, .vcpu = 0};
        assert_int_equal(EVTCHN(EVTCHNOP_init_control, &ic), 0);
        assert_int_equal(ic.link_bits, 17);
        ic.vcpu = 2;
        assert_int_equal(EVTCHN(EVTCHNOP_init_control, &ic), -XEN_ENOENT);
        ic = (struct evtchn_init_control){.control_gfn = 10, .offset = 4, .vcpu = 1};
        assert_int_equal(EVTCHN(EVTCHNOP_init_control, &ic), -XEN_EINVAL);
        struct evtchn_expand_array ea = {.array_gfn = 11};
        assert_int_equal(EVTCHN(EVTCHNOP_expand_array, &ea), 0);
        sp.port = first;
        assert_int_equal(EVTCHN(EVTCHNOP_set_priority, &sp), 0);
        for (int i = 0; i < 500; i++)
            (void)!evtchn_alloc_unbound(d, 2, &theirs);
        hcall_press(true);
        struct evtchn_reset er = {.dom = DOMID_SELF};
        assert_int_equal(EVTCHN(EVTCHNOP_reset, &er), 0);
        hcall_press(false);
        assert_int_equal(d->evtchn ? 0 : 1, 0);
        st = (struct evtchn_status){.dom = DOMID_SELF, .port = first};
        assert_int_equal(EVTCHN(EVTCHNOP_status, &st), 0);
        assert_int_equal(st.status, EVTCHNSTAT_closed);
        assert_int_equal(EVTCHN(EVTCHNOP_expand_array, &ea), -XEN_EOPNOTSUPP);
        lab_check();
    }
    hcall_end();
}

/* -- grants ----------------------------------------------------------------------------------- */

static struct grant_entry_v1 *entry(struct domain *of, unsigned int ref)
{
    mfn_t mfn;

    assert_int_equal(grant_frame(of, 0, &mfn), 0);
    page_put(page_of(mfn));
    return (struct grant_entry_v1 *)sim_phys(mfn) + ref;
}

static void grant(unsigned int ref, uint64_t gfn)
{
    *entry(peer, ref) =
        (struct grant_entry_v1){.flags = GTF_permit_access, .domid = 1, .frame = (uint32_t)gfn};
}

static void put_unmap(unsigned int i, const struct gnttab_unmap_grant_ref *u)
{
    struct compat_gnttab_unmap_grant_ref n = {
        .host_addr = u->host_addr, .handle = u->handle, .status = 0x55};

    if (compat)
        hcall_put(LIST + i * sizeof(n), &n, sizeof(n));
    else
        hcall_put(LIST + i * sizeof(*u), u, sizeof(*u));
}

static int16_t unmap_status(unsigned int i)
{
    struct compat_gnttab_unmap_grant_ref n;
    struct gnttab_unmap_grant_ref u;

    if (compat) {
        hcall_get(LIST + i * sizeof(n), &n, sizeof(n));
        return n.status;
    }
    hcall_get(LIST + i * sizeof(u), &u, sizeof(u));
    return u.status;
}

static void map_and_unmap(void **state)
{
    enum { N = 20 };

    setup();
    for (EACH_MODE)
        for (int pressed = 0; pressed < 2; pressed++) {
            struct gnttab_map_grant_ref m[N] = {0};
            hcall_press(pressed);
            for (unsigned int i = 0; i < N; i++) {
                grant(8 + i, i);
                m[i] = (struct gnttab_map_grant_ref){.host_addr = (uint64_t)(0x400 + i) << 12,
                                                     .flags = GNTMAP_host_map,
                                                     .ref = 8 + i,
                                                     .dom = 2};
            }
            m[3].dom = 9;
            m[7].host_addr = 0; /* RAM there: replaced, which the ABI allows and nobody does */
            m[7].ref = 100000;
            hcall_put(LIST, m, sizeof(m));
            assert_int_equal(hcall3(20, GNTTABOP_map_grant_ref, LIST, N), 0);
            assert_int_equal(restarts, pressed ? N - 1 : 0);
            hcall_get(LIST, m, sizeof(m));
            for (unsigned int i = 0; i < N; i++) {
                assert_int_equal(m[i].status, i == 3   ? GNTST_bad_domain
                                              : i == 7 ? GNTST_bad_gntref
                                                       : GNTST_okay);
                if (i == 0)
                    *hcall_mem(0x400000) = 'g';
            }
            assert_int_equal(*(char *)sim_phys(p2m_lookup(peer, _gfn(0)).mfn), 'g');
            lab_check();

            for (unsigned int i = 0; i < N; i++)
                put_unmap(i, &(struct gnttab_unmap_grant_ref){
                                 .host_addr = (uint64_t)(0x400 + i) << 12,
                                 .handle = i == 3 || i == 7 ? 0xffff : m[i].handle,
                                 .status = 0x55});
            assert_int_equal(hcall3(20, GNTTABOP_unmap_grant_ref, LIST, N), 0);
            for (unsigned int i = 0; i < N; i++)
                assert_int_equal(unmap_status(i), i == 3 || i == 7 ? GNTST_bad_handle : GNTST_okay);
            lab_check();
            hcall_press(false);
        }
    /* A list that ends in nothing: what was before is done, and told. */
    for (EACH_MODE) {
        struct gnttab_map_grant_ref m = {
            .host_addr = 0x400000, .flags = GNTMAP_host_map, .ref = 8, .dom = 2, .status = 0x55};
        hcall_put(HOLE - sizeof(m), &m, sizeof(m));
        assert_int_equal(hcall3(20, GNTTABOP_map_grant_ref, HOLE - sizeof(m), 2), -XEN_EFAULT);
        hcall_get(HOLE - sizeof(m), &m, sizeof(m));
        assert_int_equal(m.status, GNTST_okay);
        size_t size = compat ? sizeof(struct compat_gnttab_unmap_grant_ref)
                             : sizeof(struct gnttab_unmap_grant_ref);
        put_unmap(0, &(struct gnttab_unmap_grant_ref){.host_addr = 0x400000, .handle = m.handle});
        memcpy(hcall_mem(HOLE - size), hcall_mem(LIST), size);
        assert_int_equal(hcall3(20, GNTTABOP_unmap_grant_ref, HOLE - size, 3), -XEN_EFAULT);
        assert_int_equal(p2m_lookup(d, _gfn(0x400)).type, P2M_HOLE);
        lab_check();
    }
    hcall_end();
}

static void put_copy(unsigned int i, const struct gnttab_copy *op)
{
    struct compat_gnttab_copy n = {
        .source = {(uint32_t)op->source.u.gmfn, op->source.domid, op->source.offset},
        .dest = {(uint32_t)op->dest.u.gmfn, op->dest.domid, op->dest.offset},
        .len = op->len,
        .flags = op->flags,
        .status = 0x55};

    if (compat)
        hcall_put(LIST + i * sizeof(n), &n, sizeof(n));
    else
        hcall_put(LIST + i * sizeof(*op), op, sizeof(*op));
}

static int16_t copy_status(unsigned int i)
{
    struct compat_gnttab_copy n;
    struct gnttab_copy op;

    if (compat) {
        hcall_get(LIST + i * sizeof(n), &n, sizeof(n));
        return n.status;
    }
    hcall_get(LIST + i * sizeof(op), &op, sizeof(op));
    return op.status;
}

static void copies(void **state)
{
    enum { N = 20 };

    setup();
    grant(9, 12);
    for (EACH_MODE)
        for (int pressed = 0; pressed < 2; pressed++) {
            uint8_t *theirs = sim_phys(p2m_lookup(peer, _gfn(12)).mfn);
            hcall_press(pressed);
            memset(theirs, 0, PAGE_SIZE);
            for (unsigned int i = 0; i < N; i++) {
                *hcall_mem(0xc000 + i) = (uint8_t)('a' + i);
                struct gnttab_copy op = {
                    .source = {.u.gmfn = 12, DOMID_SELF, (uint16_t)i},
                    .dest = {.u.ref = 9, 2, (uint16_t)(100 + 2 * i)},
                    .len = 1,
                    .flags = GNTCOPY_dest_gref,
                };
                if (i == 4)
                    op.len = 4096;
                if (i == 5)
                    op.source.domid = 2; /* not by number */
                put_copy(i, &op);
            }
            assert_int_equal(hcall3(20, GNTTABOP_copy, LIST, N), 0);
            assert_int_equal(restarts, pressed ? N - 1 : 0);
            for (unsigned int i = 0; i < N; i++) {
                bool ok = i != 4 && i != 5;
                assert_int_equal(copy_status(i), ok       ? GNTST_okay
                                                 : i == 4 ? GNTST_bad_copy_arg
                                                          : GNTST_permission_denied);
                assert_int_equal(theirs[100 + 2 * i], ok ? 'a' + i : 0);
            }
            assert_int_equal(entry(peer, 9)->flags, GTF_permit_access); /* nothing is held */
            hcall_press(false);
            assert_int_equal(hcall3(20, GNTTABOP_copy, HOLE - 8, 1), -XEN_EFAULT);
        }
    hcall_end();
}

static void grant_errors(void **state)
{
    static const uint8_t arrays[] = {GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref,
                                     GNTTABOP_copy};
    static const uint8_t singles[] = {GNTTABOP_setup_table, GNTTABOP_query_size,
                                      GNTTABOP_set_version, GNTTABOP_get_version};

    setup();
    for (EACH_MODE) {
        for (unsigned int i = 0; i < sizeof(arrays); i++) {
            assert_int_equal(hcall3(20, arrays[i], HOLE, 0), 0);
            assert_int_equal(hcall3(20, arrays[i], HOLE, 1), -XEN_EFAULT);
            assert_int_equal(hcall3(20, arrays[i], HOLE - 1, 1), -XEN_EFAULT);
            assert_int_equal(hcall3(20, arrays[i], LIST, 0x80000000), -XEN_EINVAL);
            assert_int_equal(hcall3(20, arrays[i] | 1u << 12, LIST, 1), -XEN_EINVAL);
        }
        for (unsigned int i = 0; i < sizeof(singles); i++) {
            assert_int_equal(hcall3(20, singles[i], LIST, 0), -XEN_EINVAL);
            assert_int_equal(hcall3(20, singles[i], LIST, 2), -XEN_EINVAL);
            assert_int_equal(hcall3(20, singles[i], HOLE, 1), -XEN_EFAULT);
        }
        for (uint32_t op = 3; op < 5; op++)
            assert_int_equal(hcall3(20, op, LIST, 1), -XEN_ENOSYS);
        assert_int_equal(hcall3(20, 9, LIST, 1), -XEN_ENOSYS);
        assert_int_equal(hcall3(20, 12, LIST, 1), -XEN_ENOSYS);
    }
    hcall_end();
}

static void grant_tables(void **state)
{
    setup();
    for (EACH_MODE) {
        struct gnttab_query_size q = {.dom = DOMID_SELF, .status = 0x55};
        hcall_put(LIST, &q, sizeof(q));
        assert_int_equal(hcall3(20, GNTTABOP_query_size, LIST, 1), 0);
        hcall_get(LIST, &q, sizeof(q));
        assert_int_equal(q.status, GNTST_okay);
        assert_int_equal(q.max_nr_frames, 4);
        struct gnttab_set_version sv = {.version = 1};
        hcall_put(LIST, &sv, sizeof(sv));
        assert_int_equal(hcall3(20, GNTTABOP_set_version, LIST, 1), 0);
        sv.version = 2;
        hcall_put(LIST, &sv, sizeof(sv));
        assert_int_equal(hcall3(20, GNTTABOP_set_version, LIST, 1), -XEN_ENOSYS);
        sv.version = 3;
        hcall_put(LIST, &sv, sizeof(sv));
        assert_int_equal(hcall3(20, GNTTABOP_set_version, LIST, 1), -XEN_EINVAL);
        struct gnttab_get_version gv = {.dom = DOMID_SELF};
        hcall_put(LIST, &gv, sizeof(gv));
        assert_int_equal(hcall3(20, GNTTABOP_get_version, LIST, 1), 0);
        hcall_get(LIST, &gv, sizeof(gv));
        assert_int_equal(gv.version, 1);

        /* Frames as gfns: where add_to_physmap has put them. */
        struct xen_add_to_physmap a = {.domid = DOMID_SELF, .space = 1, .idx = 1, .gpfn = 0x501};
        struct compat_add_to_physmap n = {.domid = DOMID_SELF, .space = 1, .idx = 1, .gpfn = 0x501};
        assert_int_equal(
            hcall_struct(12, 7, compat ? (void *)&n : &a, compat ? sizeof(n) : sizeof(a)), 0);
        struct gnttab_setup_table st = {.dom = DOMID_SELF, .nr_frames = 2};
        struct compat_gnttab_setup_table cst = {
            .dom = DOMID_SELF, .nr_frames = 2, .frame_list = LIST + 0x100};
        st.frame_list.p = (void *)(uintptr_t)(LIST + 0x100);
        memset(hcall_mem(LIST), 'x', 0x200);
        hcall_put(LIST, compat ? (void *)&cst : &st, compat ? sizeof(cst) : sizeof(st));
        assert_int_equal(hcall3(20, GNTTABOP_setup_table, LIST, 1), 0);
        hcall_get(LIST, compat ? (void *)&cst : &st, compat ? sizeof(cst) : sizeof(st));
        assert_int_equal(compat ? cst.status : st.status, GNTST_okay);
        uint32_t frame;
        hcall_get(LIST + 0x100 + (compat ? 4 : 8), &frame, 4);
        assert_int_equal(frame, 0x501);
        assert_int_equal(*hcall_mem(LIST + 0x100 + (compat ? 8 : 16)), 'x');
        for (uint32_t nr = 5; nr; nr *= 16) {
            st.nr_frames = cst.nr_frames = nr;
            hcall_put(LIST, compat ? (void *)&cst : &st, compat ? sizeof(cst) : sizeof(st));
            assert_int_equal(hcall3(20, GNTTABOP_setup_table, LIST, 1), 0);
            hcall_get(LIST, compat ? (void *)&cst : &st, compat ? sizeof(cst) : sizeof(st));
            assert_int_equal(compat ? cst.status : st.status, GNTST_general_error);
        }
        st.dom = cst.dom = 9;
        st.nr_frames = cst.nr_frames = 1;
        hcall_put(LIST, compat ? (void *)&cst : &st, compat ? sizeof(cst) : sizeof(st));
        assert_int_equal(hcall3(20, GNTTABOP_setup_table, LIST, 1), 0);
        hcall_get(LIST, compat ? (void *)&cst : &st, compat ? sizeof(cst) : sizeof(st));
        assert_int_equal(compat ? cst.status : st.status, GNTST_bad_domain);
    }
    hcall_end();
}

/* -- hvm_op ----------------------------------------------------------------------------------- */

static long param(uint32_t op, domid_t id, uint32_t index, uint64_t *value)
{
    struct xen_hvm_param p = {.domid = id, .index = index, .value = *value};
    long result = hcall_struct(34, op, &p, sizeof(p));

    *value = p.value;
    return result;
}

static void params_of_domains(void **state)
{
    static const uint8_t deprecated[] = {4, 13, 20, 21, 22, 23, 24, 25, 26, 30};

    setup();
    for (EACH_MODE) {
        uint64_t value = 0x12345678;
        assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_STORE_EVTCHN, &value), 0);
        value = 0;
        assert_int_equal(param(HVMOP_get_param, 1, HVM_PARAM_STORE_EVTCHN, &value), 0);
        assert_int_equal(value, 0x12345678);
        assert_int_equal(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_STORE_PFN, &value), 0);
        assert_int_equal(value, 0);
        for (unsigned int i = 0; i < sizeof(deprecated); i++) {
            assert_int_equal(param(HVMOP_get_param, DOMID_SELF, deprecated[i], &value),
                             -XEN_EINVAL);
            assert_int_equal(param(HVMOP_set_param, DOMID_SELF, deprecated[i], &value),
                             -XEN_EINVAL);
        }
        assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CONSOLE_PFN, &value),
                         -XEN_EPERM);
        assert_int_equal(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_IDENT_PT, &value),
                         -XEN_EPERM);
        assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_NR_PARAMS, &value), -XEN_EINVAL);
        assert_int_equal(param(HVMOP_get_param, DOMID_SELF, UINT32_MAX, &value), -XEN_EINVAL);
        assert_int_equal(param(HVMOP_get_param, 9, HVM_PARAM_STORE_PFN, &value), -XEN_ESRCH);
        hcall_bad_pointers(34, HVMOP_set_param);
        hcall_bad_pointers(34, HVMOP_get_param);
        hcall_bad_pointers(34, HVMOP_get_mem_type);
        hcall_bad_pointers(34, HVMOP_set_evtchn_upcall_vector);

        /* Width is sampled on a set of the callback by the domain itself. */
        value = 2ULL << 56 | 0xf3;
        assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &value), 0);
        assert_int_equal(d->callback_vector, 0xf3);
        assert_int_equal(d->wide, !compat);
        value = 1;
        assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &value), 0);
        assert_int_equal(d->callback_vector, 0);
        value = 0;
        assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &value), 0);
    }
    /* The control domain sets what is set once, of the peer, whose width stays. */
    d->is_control = true;
    uint64_t value = 5, other = 6;
    bool wide = peer->wide;
    assert_int_equal(param(HVMOP_set_param, 2, HVM_PARAM_IOREQ_PFN, &value), 0);
    assert_int_equal(param(HVMOP_set_param, 2, HVM_PARAM_IOREQ_PFN, &value), 0);
    assert_int_equal(param(HVMOP_set_param, 2, HVM_PARAM_IOREQ_PFN, &other), -XEN_EEXIST);
    value = 4;
    assert_int_equal(param(HVMOP_set_param, 2, HVM_PARAM_TIMER_MODE, &value), -XEN_EINVAL);
    assert_int_equal(param(HVMOP_set_param, 2, HVM_PARAM_ALTP2M, &value), -XEN_EINVAL);
    value = 2ULL << 56 | 0x33;
    assert_int_equal(param(HVMOP_set_param, 2, HVM_PARAM_CALLBACK_IRQ, &value), 0);
    assert_int_equal(peer->callback_vector, 0x33);
    assert_int_equal(peer->wide, wide);
    hcall_end();
}

static void mem_types(void **state)
{
    setup();
    for (EACH_MODE) {
        struct xen_hvm_get_mem_type m = {.domid = DOMID_SELF, .pfn = 3};
        assert_int_equal(hcall_struct(34, HVMOP_get_mem_type, &m, sizeof(m)), 0);
        assert_int_equal(m.mem_type, HVMMEM_ram_rw);
        m.pfn = HOLE >> 12;
        assert_int_equal(hcall_struct(34, HVMOP_get_mem_type, &m, sizeof(m)), 0);
        assert_int_equal(m.mem_type, HVMMEM_mmio_dm);
        m.pfn = ~0ULL;
        assert_int_equal(hcall_struct(34, HVMOP_get_mem_type, &m, sizeof(m)), 0);
        assert_int_equal(m.mem_type, HVMMEM_mmio_dm);
        m.domid = 9;
        assert_int_equal(hcall_struct(34, HVMOP_get_mem_type, &m, sizeof(m)), -XEN_ESRCH);
        assert_int_equal(hcall(34, HVMOP_pagetable_dying, ARG), -XEN_EINVAL);
    }
    hcall_end();
}

static void upcall_vectors(void **state)
{
    setup();
    for (EACH_MODE) {
        struct xen_hvm_evtchn_upcall_vector u = {.vcpu = 1, .vector = 0xf3};
        assert_int_equal(hcall_struct(34, HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)), 0);
        assert_int_equal(d->vcpu[1]->upcall_vector, 0xf3);
        u.vector = 0xf;
        assert_int_equal(hcall_struct(34, HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)),
                         -XEN_EINVAL);
        u.vector = 0x10;
        u.vcpu = 2;
        assert_int_equal(hcall_struct(34, HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)),
                         -XEN_ENOENT);
        assert_int_equal(d->vcpu[1]->upcall_vector, 0xf3);
    }
    hcall_end();
}

UNIT_MAIN(cmocka_unit_test(event_channels), cmocka_unit_test(map_and_unmap),
          cmocka_unit_test(copies), cmocka_unit_test(grant_errors), cmocka_unit_test(grant_tables),
          cmocka_unit_test(params_of_domains), cmocka_unit_test(mem_types),
          cmocka_unit_test(upcall_vectors))

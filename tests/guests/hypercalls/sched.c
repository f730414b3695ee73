/* SPDX-License-Identifier: Apache-2.0 */
/* event_channel_op's errors and sched_op. Public headers: xen/event_channel.h, xen/sched.h. */
#include "checks.h"

static long port_op(unsigned int cmd, evtchn_port_t port)
{
    struct evtchn_close arg = {.port = port}; /* close, send, unmask have one layout */
    return evtchn_op(cmd, &arg);
}

static long bind_virq(uint32_t virq, uint32_t vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_virq v = {.virq = virq, .vcpu = vcpu};
    long rc = evtchn_op(EVTCHNOP_bind_virq, &v);
    *port = v.port;
    return rc;
}

static void check_ports(void)
{
    static const evtchn_port_t wrong[] = {0, 2000, 1u << 17, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct evtchn_status st = {.dom = DOMID_SELF, .port = wrong[i]};
        struct evtchn_bind_vcpu bv = {.port = wrong[i]};
        EXPECT(port_op(EVTCHNOP_close, wrong[i]), -XEN_EINVAL);
        EXPECT(port_op(EVTCHNOP_send, wrong[i]), -XEN_EINVAL);
        EXPECT(evtchn_op(EVTCHNOP_bind_vcpu, &bv), -XEN_EINVAL);
        if (wrong[i] > 2000) {
            EXPECT(port_op(EVTCHNOP_unmask, wrong[i]), -XEN_EINVAL);
            EXPECT(evtchn_op(EVTCHNOP_status, &st), -XEN_EINVAL);
        }
    }
    for (unsigned int op = 0; op <= EVTCHNOP_set_priority; op++)
        EXPECT_EFAULT(evtchn_op(op, bad));
    EXPECT(evtchn_op(15, 0), -XEN_ENOSYS);
    EXPECT(evtchn_op(0x7fffffff, 0), -XEN_ENOSYS);
    struct evtchn_expand_array grow = {.array_gfn = 1};
    EXPECT(evtchn_op(EVTCHNOP_expand_array, &grow), -XEN_EOPNOTSUPP);
}

void check_evtchn(void)
{
    evtchn_port_t port, second;
    struct evtchn_status st = {.dom = DOMID_SELF};
    check_ports();

    EXPECT(bind_virq(VIRQ_TIMER, 0, &port), 0);
    EXPECT(bind_virq(VIRQ_TIMER, 0, &second), -XEN_EEXIST);
    EXPECT(bind_virq(VIRQ_TIMER, 77, &second), -XEN_ENOENT);
    EXPECT(bind_virq(24, 0, &second), -XEN_EINVAL);
    EXPECT(bind_virq(0x80000000, 0, &second), -XEN_EINVAL);
    EXPECT(bind_virq(VIRQ_DOM_EXC, 1, &second), -XEN_EINVAL);
    st.port = port;
    EXPECT(evtchn_op(EVTCHNOP_status, &st), 0);
    EXPECT(st.status, EVTCHNSTAT_virq);
    EXPECT(st.u.virq, VIRQ_TIMER);
    struct evtchn_bind_vcpu bv = {.port = port, .vcpu = 1};
    EXPECT(evtchn_op(EVTCHNOP_bind_vcpu, &bv), -XEN_EINVAL); /* a per-vCPU VIRQ stays */
    EXPECT(port_op(EVTCHNOP_send, port), -XEN_EINVAL);
    struct evtchn_set_priority prio = {.port = port, .priority = 0};
    EXPECT(evtchn_op(EVTCHNOP_set_priority, &prio), -XEN_ENOSYS); /* 2-level */
    EXPECT(port_op(EVTCHNOP_close, port), 0);
    EXPECT(port_op(EVTCHNOP_close, port), -XEN_EINVAL);

    struct evtchn_alloc_unbound un = {.dom = DOMID_SELF, .remote_dom = 0x123};
    EXPECT(evtchn_op(EVTCHNOP_alloc_unbound, &un), 0); /* the other need not exist */
    EXPECT(port_op(EVTCHNOP_send, un.port), 0);
    st.port = un.port;
    EXPECT(evtchn_op(EVTCHNOP_status, &st), 0);
    EXPECT(st.status, EVTCHNSTAT_unbound);
    EXPECT(st.u.unbound.dom, 0x123);
    bv.port = un.port;
    EXPECT(evtchn_op(EVTCHNOP_bind_vcpu, &bv), 0);
    bv.vcpu = 77;
    EXPECT(evtchn_op(EVTCHNOP_bind_vcpu, &bv), -XEN_ENOENT);
    struct evtchn_bind_interdomain in = {.remote_dom = DOMID_SELF, .remote_port = un.port};
    EXPECT(evtchn_op(EVTCHNOP_bind_interdomain, &in), -XEN_EINVAL); /* meant for another domain */
    EXPECT(port_op(EVTCHNOP_close, un.port), 0);
    st.port = un.port;
    EXPECT(evtchn_op(EVTCHNOP_status, &st), 0);
    EXPECT(st.status, EVTCHNSTAT_closed);
    un.dom = 0x123;
    EXPECT(evtchn_op(EVTCHNOP_alloc_unbound, &un), -XEN_ESRCH);
    in.remote_dom = 0x123;
    EXPECT(evtchn_op(EVTCHNOP_bind_interdomain, &in), -XEN_ESRCH);
    st.dom = 0x123;
    EXPECT(evtchn_op(EVTCHNOP_status, &st), -XEN_ESRCH);
    struct evtchn_reset reset = {.dom = 0x123};
    EXPECT(evtchn_op(EVTCHNOP_reset, &reset), -XEN_ESRCH);
    struct evtchn_bind_ipi ipi = {.vcpu = 77};
    EXPECT(evtchn_op(EVTCHNOP_bind_ipi, &ipi), -XEN_ENOENT);
}

static long poll(evtchn_port_t *ports, unsigned int n, uint64_t timeout)
{
    struct sched_poll p = {.nr_ports = n, .timeout = timeout};
    set_xen_guest_handle(p.ports, ports);
    return sched_op(SCHEDOP_poll, &p);
}

void check_sched(void)
{
    evtchn_port_t ports[129] = {0};
    uint64_t before = now_ns();
    EXPECT(sched_op(SCHEDOP_yield, 0), 0);
    EXPECT(sched_op(8, 0), -XEN_ENOSYS);
    EXPECT(sched_op(0x7fffffff, 0), -XEN_ENOSYS);
    EXPECT_EFAULT(sched_op(SCHEDOP_poll, bad));
    EXPECT_EFAULT(sched_op(SCHEDOP_shutdown, bad));
    EXPECT_EFAULT(sched_op(SCHEDOP_remote_shutdown, bad));
    EXPECT_EFAULT(sched_op(SCHEDOP_watchdog, bad));
    EXPECT(poll(ports, 129, 0), -XEN_EINVAL);
    EXPECT(poll(ports, 1, before + 1000000), -XEN_EINVAL); /* port 0 */
    EXPECT(poll((evtchn_port_t *)bad_pointers[0], 1, before + 1000000), -XEN_EFAULT);
    EXPECT(poll(ports, 0, before), 0); /* past */
    /* One port: no other event of the domain ends it. */
    struct evtchn_alloc_unbound quiet = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    EXPECT(evtchn_op(EVTCHNOP_alloc_unbound, &quiet), 0);
    ports[0] = quiet.port;
    before = now_ns();
    EXPECT(poll(ports, 1, before + 3000000), 0);
    CHECK(now_ns() >= before + 3000000, "poll ended %lld ns before its timeout",
          (long long)(before + 3000000 - now_ns()));

    struct sched_remote_shutdown remote = {.domain_id = 0x123};
    EXPECT(sched_op(SCHEDOP_remote_shutdown, &remote), -XEN_ESRCH);
    struct sched_pin_override pin = {.pcpu = 0};
    EXPECT(sched_op(SCHEDOP_pin_override, &pin), -XEN_EPERM);

    struct sched_watchdog dog = {.id = 1, .timeout = 5};
    EXPECT(sched_op(SCHEDOP_watchdog, &dog), -XEN_EINVAL); /* not in use */
    dog.id = 3;
    EXPECT(sched_op(SCHEDOP_watchdog, &dog), -XEN_EINVAL);
    dog.id = 0;
    EXPECT(sched_op(SCHEDOP_watchdog, &dog), 1);
    EXPECT(sched_op(SCHEDOP_watchdog, &dog), 2);
    EXPECT((int)sched_op(SCHEDOP_watchdog, &dog), -XEN_ENOSPC); /* 4.17 gives 32 bits */
    dog.timeout = 0;
    dog.id = 1;
    EXPECT(sched_op(SCHEDOP_watchdog, &dog), 0);
    dog.id = 2;
    EXPECT(sched_op(SCHEDOP_watchdog, &dog), 0);
    EXPECT(sched_op(SCHEDOP_watchdog, &dog), -XEN_EINVAL);
}

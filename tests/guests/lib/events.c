/* SPDX-License-Identifier: Apache-2.0 */
/* Ports, 2-level delivery and upcalls, the guest's side; see events.h. */
#include "events.h"

long port_unbound(domid_t remote)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = remote};
    long rc = evtchn_op(EVTCHNOP_alloc_unbound, &a);
    return rc ? rc : (long)a.port;
}

long port_interdomain(domid_t remote, evtchn_port_t remote_port)
{
    struct evtchn_bind_interdomain b = {.remote_dom = remote, .remote_port = remote_port};
    long rc = evtchn_op(EVTCHNOP_bind_interdomain, &b);
    return rc ? rc : (long)b.local_port;
}

long port_ipi(unsigned int vcpu)
{
    struct evtchn_bind_ipi b = {.vcpu = vcpu};
    long rc = evtchn_op(EVTCHNOP_bind_ipi, &b);
    return rc ? rc : (long)b.port;
}

long port_virq(unsigned int virq, unsigned int vcpu)
{
    struct evtchn_bind_virq b = {.virq = virq, .vcpu = vcpu};
    long rc = evtchn_op(EVTCHNOP_bind_virq, &b);
    return rc ? rc : (long)b.port;
}

long port_send(evtchn_port_t port)
{
    struct evtchn_send s = {.port = port};
    return evtchn_op(EVTCHNOP_send, &s);
}

long port_close(evtchn_port_t port)
{
    struct evtchn_close c = {.port = port};
    return evtchn_op(EVTCHNOP_close, &c);
}

long port_unmask_call(evtchn_port_t port)
{
    struct evtchn_unmask u = {.port = port};
    return evtchn_op(EVTCHNOP_unmask, &u);
}

long port_bind_vcpu(evtchn_port_t port, unsigned int vcpu)
{
    struct evtchn_bind_vcpu b = {.port = port, .vcpu = vcpu};
    return evtchn_op(EVTCHNOP_bind_vcpu, &b);
}

long port_priority(evtchn_port_t port, unsigned int priority)
{
    struct evtchn_set_priority p = {.port = port, .priority = priority};
    return evtchn_op(EVTCHNOP_set_priority, &p);
}

long port_status(evtchn_port_t port, unsigned int *vcpu)
{
    struct evtchn_status s = {.dom = DOMID_SELF, .port = port};
    if (evtchn_op(EVTCHNOP_status, &s))
        return -1;
    *vcpu = s.vcpu;
    return (long)s.status;
}

long port_poll(evtchn_port_t port, uint64_t timeout_ns)
{
    struct sched_poll p = {.nr_ports = 1, .timeout = timeout_ns};
    set_xen_guest_handle(p.ports, &port);
    return sched_op(SCHEDOP_poll, &p);
}

long upcall_vector_set(unsigned int vcpu, uint8_t vector)
{
    struct xen_hvm_evtchn_upcall_vector v = {.vcpu = vcpu, .vector = vector};
    return hvm_op(HVMOP_set_evtchn_upcall_vector, &v);
}

long callback_vector_set(uint8_t vector)
{
    uint64_t value = vector ? (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | vector : 0;
    return hvm_param_set(HVM_PARAM_CALLBACK_IRQ, value);
}

struct vcpu_info *vcpu_info_of(unsigned int vcpu)
{
    return &shared_info_map()->vcpu_info[vcpu];
}

bool two_pending(evtchn_port_t port)
{
    return bit_test(port, shared_info_map()->evtchn_pending);
}

bool two_masked(evtchn_port_t port)
{
    return bit_test(port, shared_info_map()->evtchn_mask);
}

void two_mask(evtchn_port_t port, bool masked)
{
    if (masked)
        bit_test_set(port, shared_info_map()->evtchn_mask);
    else
        bit_test_clear(port, shared_info_map()->evtchn_mask);
}

void two_clear(evtchn_port_t port)
{
    bit_test_clear(port, shared_info_map()->evtchn_pending);
}

evtchn_port_t two_take(unsigned int vcpu)
{
    static xen_ulong_t selected[MAX_CPUS]; /* words that are still to be looked at */
    struct shared_info *s = shared_info_map();
    struct vcpu_info *v = vcpu_info_of(vcpu);
    const unsigned int bits = sizeof(xen_ulong_t) * 8;
    __atomic_store_n(&v->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
    selected[vcpu] |= __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (unsigned int word = 0; word < bits; word++) {
        if (!(selected[vcpu] >> word & 1))
            continue;
        xen_ulong_t ready = READ_ONCE(s->evtchn_pending[word]) & ~READ_ONCE(s->evtchn_mask[word]);
        for (unsigned int bit = 0; bit < bits; bit++) {
            if (!(ready >> bit & 1))
                continue;
            two_clear(word * bits + bit);
            return word * bits + bit;
        }
        selected[vcpu] &= ~((xen_ulong_t)1 << word);
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From registers to a call and back, and the table of hypercalls: hypercalls.md S0.1, S0.2,
 * addendum B0.2. Numbers without a row are -XEN_ENOSYS; nothing here raises a fault.
 */
#include "guest/hypercall/hypercall.h"

#include "lib/nospec.h"
#include "core/trace.h"

/* Registers of the arguments, by caller width. */
static const uint8_t regs_64[CALL_ARGS] = {R_DI, R_SI, R_DX, R_10, R_8};
static const uint8_t regs_32[CALL_ARGS] = {R_BX, R_CX, R_DX, R_SI, R_DI};

const struct hypercall hypercall_table[] = {
    [__HYPERVISOR_memory_op] = {"memory_op", do_memory_op, 2},
    [__HYPERVISOR_multicall] = {"multicall", do_multicall, 2},
    [__HYPERVISOR_set_timer_op] = {"set_timer_op", do_set_timer_op, 1},
    [__HYPERVISOR_xen_version] = {"xen_version", do_xen_version, 2},
    [__HYPERVISOR_console_io] = {"console_io", do_console_io, 3},
    [__HYPERVISOR_grant_table_op] = {"grant_table_op", do_grant_table_op, 3},
    [__HYPERVISOR_vm_assist] = {"vm_assist", do_vm_assist, 2},
    [__HYPERVISOR_vcpu_op] = {"vcpu_op", do_vcpu_op, 3},
    [__HYPERVISOR_sched_op] = {"sched_op", do_sched_op, 2},
    [__HYPERVISOR_event_channel_op] = {"event_channel_op", do_event_channel_op, 2},
    [__HYPERVISOR_hvm_op] = {"hvm_op", do_hvm_op, 2},
};
const unsigned int hypercall_table_size = ARRAY_SIZE(hypercall_table);

bool call_preempt(struct call *c)
{
    bool first = !c->begun;

    c->begun = true;
    return !first && (READ_ONCE(c->v->work) | READ_ONCE(pcpu_shared[this_cpu()->id].work));
}

struct domain *call_domain(const struct call *c, domid_t id)
{
    if (id != DOMID_SELF)
        return domain_get(id);
    domain_ref(c->d);
    return c->d;
}

long hypercall_dispatch(struct call *c)
{
    unsigned int nr;

    if (unlikely(c->nr >= hypercall_table_size))
        return -XEN_ENOSYS;
    nr = (unsigned int)index_nospec(c->nr, hypercall_table_size);
    return hypercall_table[nr].fn ? hypercall_table[nr].fn(c) : -XEN_ENOSYS;
}

/* A restarted call finds its progress in its own argument registers. */
static void call_write_args(const struct call *c, struct vcpu_regs *r)
{
    const uint8_t *map = c->compat ? regs_32 : regs_64;

    for (unsigned int i = 0; i < CALL_ARGS; i++)
        r->gpr[map[i]] = c->compat ? (uint32_t)c->arg[i] : c->arg[i];
}

static void call_read_args(struct call *c, const struct vcpu_regs *r)
{
    if (unlikely(c->compat)) {
        for (unsigned int i = 0; i < CALL_ARGS; i++)
            c->arg[i] = (uint32_t)r->gpr[regs_32[i]];
        return;
    }
    c->arg[0] = r->gpr[R_DI];
    c->arg[1] = r->gpr[R_SI];
    c->arg[2] = r->gpr[R_DX];
    c->arg[3] = r->gpr[R_10];
    c->arg[4] = r->gpr[R_8];
}

bool hypercall_execute(struct vcpu *v, enum vcpu_mode mode)
{
    struct vcpu_regs *r = &v->priv->regs;
    struct call c;
    long result;

    c.v = v;
    c.d = v->domain;
    c.compat = mode != MODE_LONG64;
    c.in_multicall = c.begun = false;
    c.nr = (uint32_t)r->gpr[R_AX];
    call_read_args(&c, r);
    trace(TRACE_HYPERCALL, c.nr, c.arg[0]);
    result = unlikely(v->loading) ? do_loader_call(&c) : hypercall_dispatch(&c);
    if (likely(result > CALL_RESTART || result < CALL_NO_RETURN)) {
        r->gpr[R_AX] = c.compat ? (uint32_t)result : (uint64_t)result;
        return true;
    }
    if (result == CALL_BLOCKED) {
        r->gpr[R_AX] = 0;
        return true;
    }
    if (result == CALL_RESTART)
        call_write_args(&c, r);
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvm_op (public hvm/hvm_op.h, hvm/params.h): parameters, the upcall vector, memory types.
 * hypercalls.md S1.6, addendum B1.4.
 */
#include "guest/hypercall/hypercall.h"

#include "lib/nospec.h"
#include "domain/evtchn.h"
#include "domain/privilege.h"

#define CALLBACK_TYPE_VECTOR 2u
#define VECTOR_MIN           0x10u

static bool param_set_once(uint32_t index)
{
    switch (index) {
    case HVM_PARAM_IOREQ_PFN:
    case HVM_PARAM_BUFIOREQ_PFN:
    case HVM_PARAM_VIRIDIAN:
    case HVM_PARAM_IOREQ_SERVER_PFN:
    case HVM_PARAM_NR_IOREQ_SERVER_PAGES:
    case HVM_PARAM_ALTP2M:
    case HVM_PARAM_MCA_CAP:
        return true;
    default:
        return false;
    }
}

static bool param_deprecated(uint32_t index)
{
    return index == 4 || index == 13 || (index >= 20 && index <= 26) || index == 30;
}

/* A new way of being called: whatever is pending is delivered by it. */
static void callback_changed(const struct call *c, struct domain *d, uint64_t value)
{
    bool vector = value >> 56 == CALLBACK_TYPE_VECTOR;
    struct vcpu *v;

    d->callback_vector = vector ? (uint8_t)value : 0;
    if (d == c->d)
        domain_set_width(d, !c->compat);
    for_each_vcpu (d, v)
        if (!(READ_ONCE(v->pause) & VPAUSE_DOWN))
            evtchn_assert_upcall(v);
}

static long param_set(const struct call *c, struct domain *d, const struct xen_hvm_param *p)
{
    uint32_t index = (uint32_t)index_nospec(p->index, HVM_NR_PARAMS);
    long err;

    if (param_deprecated(index))
        return -XEN_EINVAL;
    err = privilege_hvm_param(c->d, d, index, true);
    if (err)
        return err;
    lock(&d->lock);
    if (param_set_once(index) && d->param[index] && d->param[index] != p->value)
        err = -XEN_EEXIST;
    else if ((index == HVM_PARAM_TIMER_MODE || index == HVM_PARAM_ALTP2M) && p->value > 3)
        err = -XEN_EINVAL;
    else
        d->param[index] = p->value;
    unlock(&d->lock);
    if (!err && index == HVM_PARAM_CALLBACK_IRQ)
        callback_changed(c, d, p->value);
    return err;
}

static long param_get(const struct call *c, struct domain *d, struct xen_hvm_param *p)
{
    uint32_t index = (uint32_t)index_nospec(p->index, HVM_NR_PARAMS);
    long err;

    if (param_deprecated(index))
        return -XEN_EINVAL;
    err = privilege_hvm_param(c->d, d, index, false);
    if (err)
        return err;
    p->value = d->param[index];
    return 0;
}

static long param_op(const struct call *c, struct xen_hvm_param *p, bool set)
{
    struct domain *d;
    long err;

    if (p->index >= HVM_NR_PARAMS || param_deprecated(p->index))
        return -XEN_EINVAL;
    d = call_domain(c, p->domid);
    if (!d)
        return -XEN_ESRCH;
    err = set ? param_set(c, d, p) : param_get(c, d, p);
    domain_put(d);
    return err;
}

static long op_set_param(struct call *c, void *arg)
{
    return param_op(c, arg, true);
}

static long op_get_param(struct call *c, void *arg)
{
    return param_op(c, arg, false);
}

static long op_get_mem_type(struct call *c, void *arg)
{
    struct xen_hvm_get_mem_type *a = arg;
    struct domain *d = call_domain(c, a->domid);
    long err;

    if (!d)
        return -XEN_ESRCH;
    err = privilege_target(c->d, d);
    if (!err)
        switch (p2m_lookup(d, _gfn(a->pfn)).type) {
        case P2M_HOLE:
        case P2M_MMIO:
        case P2M_MODULE:
            a->mem_type = HVMMEM_mmio_dm;
            break;
        case P2M_RAM_RO:
        case P2M_GRANT_RO:
            a->mem_type = HVMMEM_ram_ro;
            break;
        default:
            a->mem_type = HVMMEM_ram_rw;
            break;
        }
    domain_put(d);
    return err;
}

/* Nested or shadow paging is not what this guest has: "not supported" (S1.2). */
static long op_pagetable_dying(struct call *c, void *arg)
{
    (void)c;
    (void)arg;
    return -XEN_EINVAL;
}

static long op_set_upcall_vector(struct call *c, void *arg)
{
    struct xen_hvm_evtchn_upcall_vector *a = arg;
    struct vcpu *v;

    if (a->vector < VECTOR_MIN)
        return -XEN_EINVAL;
    if (a->vcpu >= c->d->max_vcpus)
        return -XEN_ENOENT;
    v = c->d->vcpu[index_nospec(a->vcpu, c->d->max_vcpus)];
    WRITE_ONCE(v->upcall_vector, a->vector);
    evtchn_assert_upcall(v); /* once, whether something is pending or not */
    return 0;
}

#define ROW(n, type, d, text, handler)  \
    [n] = {.nr = (n),                   \
           .size = sizeof(struct type), \
           .dir = d,                    \
           .name = text,                \
           .bound = "short",            \
           .fn = handler}

static const struct subop hvm_rows[] = {
    ROW(HVMOP_set_param, xen_hvm_param, SUBOP_IN, "set_param", op_set_param),
    ROW(HVMOP_get_param, xen_hvm_param, SUBOP_INOUT, "get_param", op_get_param),
    ROW(HVMOP_pagetable_dying, xen_hvm_pagetable_dying, SUBOP_IN, "pagetable_dying",
        op_pagetable_dying),
    ROW(HVMOP_get_mem_type, xen_hvm_get_mem_type, SUBOP_INOUT, "get_mem_type", op_get_mem_type),
    ROW(HVMOP_set_evtchn_upcall_vector, xen_hvm_evtchn_upcall_vector, SUBOP_IN,
        "set_evtchn_upcall_vector", op_set_upcall_vector),
};

long do_hvm_op(struct call *c)
{
    return subop_dispatch(c, hvm_rows, ARRAY_SIZE(hvm_rows), (uint32_t)c->arg[0], c->arg[1]);
}

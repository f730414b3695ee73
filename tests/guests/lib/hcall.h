/* SPDX-License-Identifier: Apache-2.0 */
/* Hypercalls by name. Arguments may be pointers or integers; results are 0.. or -XEN_Exxx. */
#ifndef GUEST_HCALL_H
#define GUEST_HCALL_H

#include "abi/xen.h"
#include "regs.h"

#define HC_ARG(a) ((unsigned long)(a))
#define HC_5(nr, a, b, c, d, e, ...) \
    hypercall(nr, HC_ARG(a), HC_ARG(b), HC_ARG(c), HC_ARG(d), HC_ARG(e))
/* hcall(number, up to five arguments) */
#define hcall(...)              HC_5(__VA_ARGS__, 0, 0, 0, 0, 0)

#define memory_op(cmd, arg)     hcall(__HYPERVISOR_memory_op, cmd, arg)
#define xen_version(cmd, arg)   hcall(__HYPERVISOR_xen_version, cmd, arg)
#define console_io(cmd, n, buf) hcall(__HYPERVISOR_console_io, cmd, n, buf)
#define grant_op(cmd, arg, n)   hcall(__HYPERVISOR_grant_table_op, cmd, arg, n)
#define vm_assist(cmd, type)    hcall(__HYPERVISOR_vm_assist, cmd, type)
#define vcpu_op(cmd, id, arg)   hcall(__HYPERVISOR_vcpu_op, cmd, id, arg)
#define sched_op(cmd, arg)      hcall(__HYPERVISOR_sched_op, cmd, arg)
#define evtchn_op(cmd, arg)     hcall(__HYPERVISOR_event_channel_op, cmd, arg)
#define hvm_op(cmd, arg)        hcall(__HYPERVISOR_hvm_op, cmd, arg)
#define multicall(list, n)      hcall(__HYPERVISOR_multicall, list, n)
#define set_timer_op(ns)        hcall(__HYPERVISOR_set_timer_op, SET_TIMER_ARGS(ns))

static inline long hvm_param_set(uint32_t index, uint64_t value)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index, .value = value};
    return hvm_op(HVMOP_set_param, &p);
}

static inline long hvm_param_get(uint32_t index, uint64_t *value)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};
    long rc = hvm_op(HVMOP_get_param, &p);
    *value = p.value;
    return rc;
}

/* Puts a page that the hypervisor shares at the frame of `page` (its RAM there is given up). */
static inline long map_shared_page(unsigned int space, unsigned long idx, void *page)
{
    struct xen_add_to_physmap x = {
        .domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = (unsigned long)page >> 12};
    return memory_op(XENMEM_add_to_physmap, &x);
}

#endif

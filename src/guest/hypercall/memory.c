/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_op (public memory.h) as a guest uses it on itself: reservations, placement in its
 * physical map, its memory map. hypercalls.md S4.4, addendum A.2, B1.9, B1.10. Results that count
 * extents are never an errno.
 */
#include "guest/hypercall/hypercall.h"

#include "abi/compat.h"
#include "domain/flush.h"
#include "domain/privilege.h"
#include "guest/access.h"
#include "guest/hypercall/physmap.h"
#include "mem/frame.h"

#define OP_BITS            6u /* MEMOP_EXTENT_SHIFT */
#define OP_MASK            ((1u << OP_BITS) - 1)
#define ORDER_MAX_GUEST    9u
#define ORDER_MAX_HARDWARE 12u
#define ORDER_MAX_CONTROL  18u

struct reservation {
    struct domain *d;
    uint64_t list, nr, done;
    unsigned int order;
};

/* The domain of a reservation call, owned; NULL with *err. */
static struct domain *memory_target(const struct call *c, domid_t id, long *err)
{
    struct domain *d = call_domain(c, id);

    *err = d ? privilege_target(c->d, d) : -XEN_ESRCH;
    if (d && *err) {
        domain_put(d);
        d = NULL;
    }
    return d;
}

static long reservation_read(struct call *c, struct reservation *r)
{
    struct xen_memory_reservation wide;
    struct compat_memory_reservation narrow;
    domid_t id;
    long err;

    *r = (struct reservation){.done = (uint32_t)c->arg[0] >> OP_BITS};
    if (c->compat) {
        if (guest_read(c->v, &narrow, c->arg[1], sizeof(narrow)))
            return -XEN_EFAULT;
        r->list = narrow.extent_start;
        r->nr = narrow.nr_extents;
        r->order = narrow.extent_order;
        id = narrow.domid;
    } else {
        if (guest_read(c->v, &wide, c->arg[1], sizeof(wide)))
            return -XEN_EFAULT;
        r->list = (uint64_t)(uintptr_t)wide.extent_start.p;
        r->nr = wide.nr_extents;
        r->order = wide.extent_order;
        id = wide.domid;
    }
    r->d = memory_target(c, id, &err);
    return err;
}

/* What the caller may ask for in one piece (addendum A.2). */
static unsigned int order_max(const struct domain *d)
{
    return d->is_control    ? ORDER_MAX_CONTROL
           : d->is_hardware ? ORDER_MAX_HARDWARE
                            : ORDER_MAX_GUEST;
}

/* One extent of increase (not placed), populate or decrease; false ends the call. */
static bool extent_do(struct call *c, const struct reservation *r, uint32_t op)
{
    uint64_t gfn = 0;
    mfn_t mfn;

    if (op == XENMEM_increase_reservation) {
        mfn = domain_alloc_pages(r->d, r->order, 0);
        return !mfn_eq(mfn, MFN_NONE);
    }
    if (guest_read_at(c->v, &gfn, r->list, r->done, c->compat ? 4 : 8))
        return false;
    return op == XENMEM_populate_physmap ? physmap_populate(r->d, _gfn(gfn), r->order)
                                         : physmap_decrease(r->d, _gfn(gfn), r->order);
}

static long memory_reservation(struct call *c, uint32_t op)
{
    struct reservation r;
    long err = reservation_read(c, &r), result;

    if (err)
        return err == -XEN_EPERM ? err : (long)r.done;
    if (r.nr > UINT32_MAX >> OP_BITS || r.done > r.nr || r.order > order_max(c->d)) {
        domain_put(r.d);
        return (long)r.done;
    }
    result = -1;
    while (r.done < r.nr && result < 0) {
        if (call_preempt(c)) {
            c->arg[0] = op | r.done << OP_BITS;
            result = CALL_RESTART;
            break;
        }
        if (!extent_do(c, &r, op))
            break;
        r.done++;
    }
    domain_put(r.d);
    return result == CALL_RESTART ? result : (long)r.done;
}

static long memory_count(struct call *c, uint32_t op)
{
    domid_t id;
    struct domain *d;
    long result;

    if (guest_read(c->v, &id, c->arg[1], sizeof(id)))
        return -XEN_EFAULT;
    d = memory_target(c, id, &result);
    if (!d)
        return result;
    if (op == XENMEM_current_reservation)
        result = (long)d->tot_pages;
    else if (op == XENMEM_maximum_reservation)
        result = (long)d->max_pages;
    else
        result = (long)d->p2m.max_gfn;
    domain_put(d);
    return result;
}

static long memory_map_op(struct call *c)
{
    struct xen_memory_map wide = {0};
    struct compat_memory_map narrow = {0};
    const struct memory_map *map = c->d->memory_map;
    uint64_t buffer;
    uint32_t n;

    if (!map)
        return -XEN_ENOSYS;
    if (guest_read(c->v, c->compat ? (void *)&narrow : &wide, c->arg[1],
                   c->compat ? sizeof(narrow) : sizeof(wide)))
        return -XEN_EFAULT;
    buffer = c->compat ? narrow.buffer : (uint64_t)(uintptr_t)wide.buffer.p;
    n = min(c->compat ? narrow.nr_entries : wide.nr_entries, map->nr);
    if (guest_write(c->v, buffer, map->entry, n * sizeof(map->entry[0])))
        return -XEN_EFAULT;
    return guest_write(c->v, c->arg[1], &n, sizeof(n));
}

static long memory_add_to_physmap(struct call *c)
{
    struct xen_add_to_physmap a;
    struct compat_add_to_physmap n;
    struct domain *d;
    long err;

    if (c->compat) {
        if (guest_read(c->v, &n, c->arg[1], sizeof(n)))
            return -XEN_EFAULT;
        a = (struct xen_add_to_physmap){n.domid, n.size, n.space, n.idx, n.gpfn};
    } else if (guest_read(c->v, &a, c->arg[1], sizeof(a)))
        return -XEN_EFAULT;
    d = memory_target(c, a.domid, &err);
    if (!d)
        return err;
    if (a.space == XENMAPSPACE_gmfn_foreign)
        err = -XEN_ENOSYS;
    else
        err = physmap_add(d, a.space, a.idx, _gfn(a.gpfn));
    domain_put(d);
    return err;
}

static long memory_remove_from_physmap(struct call *c)
{
    struct xen_remove_from_physmap a;
    struct compat_remove_from_physmap n;
    struct domain *d;
    long err;

    if (c->compat) {
        if (guest_read(c->v, &n, c->arg[1], sizeof(n)))
            return -XEN_EFAULT;
        a = (struct xen_remove_from_physmap){n.domid, n.gpfn};
    } else if (guest_read(c->v, &a, c->arg[1], sizeof(a)))
        return -XEN_EFAULT;
    d = memory_target(c, a.domid, &err);
    if (!d)
        return err;
    err = physmap_remove(d, _gfn(a.gpfn));
    domain_put(d);
    return err;
}

long do_memory_op(struct call *c)
{
    uint32_t op = (uint32_t)c->arg[0] & OP_MASK;

    switch (op) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        return memory_reservation(c, op);
    default:
        break;
    }
    if ((uint32_t)c->arg[0] >> OP_BITS)
        return -XEN_ENOSYS; /* only those three have progress */
    switch (op) {
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        return memory_count(c, op);
    case XENMEM_memory_map:
        return memory_map_op(c);
    case XENMEM_add_to_physmap:
        return memory_add_to_physmap(c);
    case XENMEM_remove_from_physmap:
        return memory_remove_from_physmap(c);
    default:
        return -XEN_ENOSYS;
    }
}

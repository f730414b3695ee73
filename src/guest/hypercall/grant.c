/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant_table_op (public grant_table.h) as HVM callers have it: sub-operations 0, 1, 2, 5, 6, 8,
 * 10, 11 of hypercalls.md S0.2; the rules are domain/grant.h's. Arrays are done element by element
 * and restarted with the pointer advanced and the count lowered.
 */
#include "guest/hypercall/hypercall.h"

#include "abi/compat.h"
#include "domain/grant.h"
#include "domain/privilege.h"
#include "guest/access.h"

#define SETUP_MAX_FRAMES 64u

/* Advances over n elements of `size` bytes. */
static void array_advance(struct call *c, uint64_t n, size_t size)
{
    c->arg[1] += n * size;
    c->arg[2] -= n;
}

static long array_map(struct call *c)
{
    struct gnttab_map_grant_ref op;

    for (; c->arg[2]; array_advance(c, 1, sizeof(op))) {
        if (call_preempt(c))
            return CALL_RESTART;
        if (guest_read(c->v, &op, c->arg[1], sizeof(op)))
            return -XEN_EFAULT;
        grant_map(c->d, &op);
        if (guest_write(c->v, c->arg[1], &op, sizeof(op)))
            return -XEN_EFAULT;
    }
    return 0;
}

static int unmap_read(struct call *c, uint64_t at, struct gnttab_unmap_grant_ref *op)
{
    struct compat_gnttab_unmap_grant_ref narrow;

    if (!c->compat)
        return guest_read(c->v, op, at, sizeof(*op));
    if (guest_read(c->v, &narrow, at, sizeof(narrow)))
        return -XEN_EFAULT;
    *op = (struct gnttab_unmap_grant_ref){.host_addr = narrow.host_addr,
                                          .dev_bus_addr = narrow.dev_bus_addr,
                                          .handle = narrow.handle};
    return 0;
}

static int unmap_write(struct call *c, uint64_t at, int16_t status)
{
    size_t offset = c->compat ? offsetof(struct compat_gnttab_unmap_grant_ref, status)
                              : offsetof(struct gnttab_unmap_grant_ref, status);

    return guest_write(c->v, at + offset, &status, sizeof(status));
}

static long array_unmap(struct call *c)
{
    struct gnttab_unmap_grant_ref op[GRANT_UNMAP_BATCH];
    const size_t size = c->compat ? sizeof(struct compat_gnttab_unmap_grant_ref) : sizeof(op[0]);

    while (c->arg[2]) {
        unsigned int n = (unsigned int)min(c->arg[2], (uint64_t)GRANT_UNMAP_BATCH), got;

        if (call_preempt(c))
            return CALL_RESTART;
        for (got = 0; got < n && !unmap_read(c, c->arg[1] + got * size, &op[got]); got++)
            ;
        grant_unmap(c->d, op, got);
        for (unsigned int i = 0; i < got; i++)
            if (unmap_write(c, c->arg[1] + i * size, op[i].status))
                return -XEN_EFAULT;
        if (got < n)
            return -XEN_EFAULT;
        array_advance(c, n, size);
    }
    return 0;
}

static int copy_read(struct call *c, struct gnttab_copy *op)
{
    struct compat_gnttab_copy in;

    if (!c->compat)
        return guest_read(c->v, op, c->arg[1], sizeof(*op));
    if (guest_read(c->v, &in, c->arg[1], sizeof(in)))
        return -XEN_EFAULT;
    *op = (struct gnttab_copy){
        .source = {.u.gmfn = in.source.ref_or_gmfn, in.source.domid, in.source.offset},
        .dest = {.u.gmfn = in.dest.ref_or_gmfn, in.dest.domid, in.dest.offset},
        .len = in.len,
        .flags = in.flags,
    };
    return 0;
}

static long array_copy(struct call *c)
{
    const size_t size = c->compat ? sizeof(struct compat_gnttab_copy) : sizeof(struct gnttab_copy);
    const size_t status = c->compat ? offsetof(struct compat_gnttab_copy, status)
                                    : offsetof(struct gnttab_copy, status);
    struct grant_copy_cache cache = {0};
    long result = 0;

    for (; c->arg[2]; array_advance(c, 1, size)) {
        struct gnttab_copy op;

        if (call_preempt(c)) {
            result = CALL_RESTART;
            break;
        }
        result = copy_read(c, &op);
        if (result)
            break;
        grant_copy(c->d, &op, &cache);
        result = guest_write(c->v, c->arg[1] + status, &op.status, sizeof(op.status));
        if (result)
            break;
    }
    grant_copy_end(c->d, &cache);
    return result;
}

static long array_swap(struct call *c)
{
    struct gnttab_swap_grant_ref op;

    for (; c->arg[2]; array_advance(c, 1, sizeof(op))) {
        if (call_preempt(c))
            return CALL_RESTART;
        if (guest_read(c->v, &op, c->arg[1], sizeof(op)))
            return -XEN_EFAULT;
        op.status = grant_swap(c->d, op.ref_a, op.ref_b);
        if (guest_write(c->v, c->arg[1], &op, sizeof(op)))
            return -XEN_EFAULT;
    }
    return 0;
}

/* The domain that a table operation names, owned; NULL with *status set. */
static struct domain *table_target(const struct call *c, domid_t id, int16_t *status)
{
    struct domain *d = domain_get(id == DOMID_SELF ? c->d->id : id);

    *status = !d ? GNTST_bad_domain : privilege_target(c->d, d) ? GNTST_permission_denied : 0;
    if (d && *status) {
        domain_put(d);
        d = NULL;
    }
    return d;
}

static long one_setup_table(struct call *c)
{
    struct gnttab_setup_table op;
    struct compat_gnttab_setup_table narrow = {0};
    uint64_t frames[SETUP_MAX_FRAMES], list;
    struct domain *d;
    const size_t width = c->compat ? 4 : 8;
    int err;

    if (c->compat) {
        err = guest_read(c->v, &narrow, c->arg[1], sizeof(narrow));
        op = (struct gnttab_setup_table){.dom = narrow.dom, .nr_frames = narrow.nr_frames};
        list = narrow.frame_list;
    } else {
        err = guest_read(c->v, &op, c->arg[1], sizeof(op));
        list = (uint64_t)(uintptr_t)op.frame_list.p;
    }
    if (err)
        return err;
    d = table_target(c, op.dom, &op.status);
    if (d && op.nr_frames > SETUP_MAX_FRAMES)
        op.status = GNTST_general_error;
    else if (d)
        grant_setup_table(d, &op, frames);
    if (d)
        domain_put(d);
    for (uint32_t i = 0; !op.status && i < op.nr_frames; i++)
        if (guest_write_at(c->v, list, i, &frames[i], width))
            return -XEN_EFAULT;
    narrow.status = op.status;
    return c->compat ? guest_write(c->v, c->arg[1], &narrow, sizeof(narrow))
                     : guest_write(c->v, c->arg[1], &op, sizeof(op));
}

static long one_query_size(struct call *c)
{
    struct gnttab_query_size op;
    struct domain *d;

    if (guest_read(c->v, &op, c->arg[1], sizeof(op)))
        return -XEN_EFAULT;
    d = table_target(c, op.dom, &op.status);
    if (d) {
        grant_query_size(d, &op);
        domain_put(d);
    }
    return guest_write(c->v, c->arg[1], &op, sizeof(op));
}

static long one_set_version(struct call *c)
{
    struct gnttab_set_version op;
    long err;

    if (guest_read(c->v, &op, c->arg[1], sizeof(op)))
        return -XEN_EFAULT;
    err = grant_set_version(c->d, &op.version);
    if (guest_write(c->v, c->arg[1], &op, sizeof(op)))
        return -XEN_EFAULT;
    return err;
}

static long one_get_version(struct call *c)
{
    struct gnttab_get_version op;

    if (guest_read(c->v, &op, c->arg[1], sizeof(op)))
        return -XEN_EFAULT;
    if (op.dom != DOMID_SELF && op.dom != c->d->id)
        return c->d->is_control ? -XEN_ESRCH : -XEN_EPERM;
    op.version = 1;
    return guest_write(c->v, c->arg[1], &op, sizeof(op));
}

long do_grant_table_op(struct call *c)
{
    uint32_t cmd = (uint32_t)c->arg[0];

    c->arg[2] = (uint32_t)c->arg[2];
    if ((int32_t)c->arg[2] < 0)
        return -XEN_EINVAL;
    switch (cmd) {
    case GNTTABOP_map_grant_ref:
        return array_map(c);
    case GNTTABOP_unmap_grant_ref:
        return array_unmap(c);
    case GNTTABOP_copy:
        return array_copy(c);
    case GNTTABOP_swap_grant_ref:
        return array_swap(c);
    case GNTTABOP_setup_table:
        return c->arg[2] == 1 ? one_setup_table(c) : -XEN_EINVAL;
    case GNTTABOP_query_size:
        return c->arg[2] == 1 ? one_query_size(c) : -XEN_EINVAL;
    case GNTTABOP_set_version:
        return c->arg[2] == 1 ? one_set_version(c) : -XEN_EINVAL;
    case GNTTABOP_get_version:
        return c->arg[2] == 1 ? one_get_version(c) : -XEN_EINVAL;
    default:
        return cmd >> 12 ? -XEN_EINVAL : -XEN_ENOSYS;
    }
}

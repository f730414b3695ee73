/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sub-operations of a hypercall family by table: privilege once, structure in once, handler,
 * structure out once. The rows are indexed by number; a hole has no handler.
 */
#include "guest/hypercall/hypercall.h"

#include "lib/nospec.h"
#include "domain/privilege.h"
#include "guest/access.h"

#define SUBOP_MAX_SIZE 160u

struct subop_buffer {
    uint64_t word[SUBOP_MAX_SIZE / 8];
};

static int subop_read(struct call *c, const struct subop *row, uint64_t arg,
                      struct subop_buffer *buf)
{
    struct subop_buffer raw;
    int err;

    if (!c->compat || !row->from_compat)
        return guest_read(c->v, buf, arg, row->size);
    err = guest_read(c->v, &raw, arg, row->compat_size);
    if (!err)
        row->from_compat(buf, &raw);
    return err;
}

static int subop_write(struct call *c, const struct subop *row, uint64_t arg,
                       const struct subop_buffer *buf)
{
    struct subop_buffer raw;

    if (!c->compat || !row->to_compat)
        return guest_write(c->v, arg, buf, row->size);
    row->to_compat(&raw, buf);
    return guest_write(c->v, arg, &raw, row->compat_size);
}

long subop_dispatch(struct call *c, const struct subop *rows, unsigned int n, uint32_t nr,
                    uint64_t arg)
{
    const struct subop *row;
    struct subop_buffer buf;
    long result;

    if (nr >= n)
        return -XEN_ENOSYS;
    row = &rows[index_nospec(nr, n)];
    if (!row->fn)
        return -XEN_ENOSYS;
    if (row->control_only && privilege_control(c->d))
        return -XEN_EPERM;
    if (!row->size)
        return row->fn(c, NULL);
    if (row->dir & SUBOP_IN) {
        if (subop_read(c, row, arg, &buf))
            return -XEN_EFAULT;
    } else
        buf = (struct subop_buffer){{0}};
    result = row->fn(c, &buf);
    if ((row->dir & SUBOP_OUT) && result >= 0 && subop_write(c, row, arg, &buf))
        return -XEN_EFAULT;
    return result;
}

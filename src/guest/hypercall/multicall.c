/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multicall: a list of calls in order, each result stored in its entry. Preempted between entries,
 * and inside one when that one restarts (addendum B0.2).
 */
#include "guest/hypercall/hypercall.h"

#include "abi/compat.h"
#include "guest/access.h"

static int entry_read(struct call *c, struct call *inner)
{
    struct multicall_entry wide;
    struct compat_multicall_entry narrow;

    if (likely(!c->compat)) {
        if (guest_read(c->v, &wide, c->arg[0], offsetof(struct multicall_entry, args[CALL_ARGS])))
            return -XEN_EFAULT;
        inner->nr = (uint32_t)wide.op;
        for (unsigned int i = 0; i < CALL_ARGS; i++)
            inner->arg[i] = wide.args[i];
        return 0;
    }
    if (guest_read(c->v, &narrow, c->arg[0], sizeof(narrow)))
        return -XEN_EFAULT;
    inner->nr = (uint32_t)narrow.op;
    for (unsigned int i = 0; i < CALL_ARGS; i++)
        inner->arg[i] = narrow.args[i];
    return 0;
}

static int entry_write_result(struct call *c, long result)
{
    uint64_t value = (uint64_t)result;

    if (c->compat)
        return guest_write(c->v, c->arg[0] + offsetof(struct compat_multicall_entry, result),
                           &value, 4);
    return guest_write(c->v, c->arg[0] + offsetof(struct multicall_entry, result), &value, 8);
}

/* The entry is run again from where it stopped: its arguments are its progress. */
static int entry_write_args(struct call *c, const struct call *inner)
{
    uint32_t narrow[CALL_ARGS];

    if (!c->compat)
        return guest_write(c->v, c->arg[0] + offsetof(struct multicall_entry, args), inner->arg,
                           sizeof(inner->arg));
    for (unsigned int i = 0; i < CALL_ARGS; i++)
        narrow[i] = (uint32_t)inner->arg[i];
    return guest_write(c->v, c->arg[0] + offsetof(struct compat_multicall_entry, args), narrow,
                       sizeof(narrow));
}

long do_multicall(struct call *c)
{
    const uint64_t size =
        c->compat ? sizeof(struct compat_multicall_entry) : sizeof(struct multicall_entry);

    if (c->in_multicall)
        return -XEN_EINVAL;
    for (c->arg[1] = (uint32_t)c->arg[1]; c->arg[1]; c->arg[1]--, c->arg[0] += size) {
        struct call inner = {.v = c->v, .d = c->d, .compat = c->compat, .in_multicall = true};
        long result;

        if (call_preempt(c))
            return CALL_RESTART;
        if (entry_read(c, &inner))
            return -XEN_EFAULT;
        result = hypercall_dispatch(&inner);
        if (result == CALL_RESTART)
            return entry_write_args(c, &inner) ? -XEN_EFAULT : CALL_RESTART;
        if (entry_write_result(c, result == CALL_BLOCKED ? 0 : result))
            return -XEN_EFAULT;
    }
    return 0;
}

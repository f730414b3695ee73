/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of the in-guest loader (abi/loader.h), answered only while the vCPU is LOADING. What
 * they mean for the guest is the builder's: it fills loader_hooks.
 */
#include "guest/hypercall/loader_calls.h"

#include "abi/loader.h"
#include "core/printk.h"
#include "guest/access.h"

#define PRINT_MAX 128u

const struct loader_hooks *loader_hooks;

static long loader_print(struct call *c)
{
    char text[PRINT_MAX + 1];
    size_t n = (size_t)min(c->arg[1], (uint64_t)PRINT_MAX);

    if (gpa_read(c->d, text, _gpa(c->arg[0]), n))
        return -XEN_EFAULT;
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '.';
    text[n] = '\0';
    log_info("%s: loader: %s", c->d->name, text);
    return 0;
}

long do_loader_call(struct call *c)
{
    switch (c->nr) {
    case LOADER_CALL_PRINT:
        return loader_print(c);
    case LOADER_CALL_DONE:
        loader_hooks->done(c->d, c->arg[0], c->arg[1], c->arg[2], c->arg[3]);
        return CALL_NO_RETURN;
    case LOADER_CALL_FAIL:
        loader_hooks->fail(c->d, (uint32_t)c->arg[0], c->arg[1], c->arg[2], c->arg[3]);
        return CALL_NO_RETURN;
    default:
        return -XEN_ENOSYS;
    }
}

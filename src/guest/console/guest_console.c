/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A boot-time guest's console output: the PV ring, console_io writes and port 0xE9, assembled into
 * lines. Indices in the ring page are the guest's and bounded here.
 */
#include "guest/console/guest_console.h"

#include "core/printk.h"
#include "domain/evtchn.h"
#include "domain/shared.h"
#include "guest/access.h"
#include "guest/emul/bus.h"
#include "guest/hypercall/hypercall.h"
#include "mem/heap.h"

#include "port/mem.h"

#define LINE_SIZE 200u

struct console_guest {
    struct spinlock lock;
    struct shared_page ring;
    uint32_t port;
    unsigned int used; /* [lock] */
    char line[LINE_SIZE];
};

static void console_put(struct domain *d, struct console_guest *g, char c)
{
    if (c != '\n' && g->used < LINE_SIZE - 1) {
        if (c >= ' ' && c <= '~')
            g->line[g->used++] = c;
        return;
    }
    g->line[g->used] = '\0';
    log_info("(%s) %s", d->name, g->line);
    g->used = 0;
}

/* What the guest has put into the ring; at most one ring's worth a call. */
static void console_drain_ring(struct domain *d, void *arg)
{
    struct console_guest *g = arg;
    struct xencons_interface *r = shared_map(&g->ring);
    uint32_t cons = mem_load32(&r->out_cons), prod = mem_load32(&r->out_prod);

    smp_rmb();
    lock(&g->lock);
    if (prod - cons <= sizeof(r->out))
        for (; cons != prod; cons++)
            console_put(d, g, (char)mem_load8(&r->out[cons % sizeof(r->out)]));
    unlock(&g->lock);
    mem_store32(&r->out_cons, prod);
    shared_unmap(r);
    evtchn_notify(d, g->port);
}

static void debug_port_read(struct vcpu *v, void *ctx, uint64_t offset, unsigned int size,
                            uint64_t *value)
{
    (void)v;
    (void)ctx;
    (void)offset;
    (void)size;
    *value = ~0ULL;
}

static void debug_port_write(struct vcpu *v, void *ctx, uint64_t offset, unsigned int size,
                             uint64_t value)
{
    struct console_guest *g = ctx;

    (void)offset;
    (void)size;
    lock(&g->lock);
    console_put(v->domain, g, (char)value);
    unlock(&g->lock);
}

int guest_console_attach(struct domain *d, gfn_t ring)
{
    struct console_guest *g = kalloc(sizeof(*g));
    const struct bus_device port = {.name = "debug port",
                                    .space = BUS_PORT,
                                    .start = 0xe9,
                                    .size = 1,
                                    .read = debug_port_read,
                                    .write = debug_port_write,
                                    .ctx = g};
    int err;

    if (!g)
        return -XEN_ENOMEM;
    lock_init(&g->lock, RANK_VCPU);
    d->console = g;
    err = shared_register(d, ring, &g->ring);
    if (!err)
        err = evtchn_bind_internal(d, 0, console_drain_ring, g, &g->port);
    if (!err)
        err = bus_add(d, &port);
    if (!err) {
        d->param[HVM_PARAM_CONSOLE_PFN] = ring.v;
        d->param[HVM_PARAM_CONSOLE_EVTCHN] = g->port;
    }
    return err;
}

long do_console_io(struct call *c)
{
    struct console_guest *g = c->d->console;
    char buf[128];

    if (!g)
        return -XEN_EPERM;
    if ((uint32_t)c->arg[0] != 0)
        return -XEN_ENOSYS;
    for (c->arg[1] = (uint32_t)c->arg[1]; c->arg[1];) {
        size_t n = (size_t)min(c->arg[1], (uint64_t)sizeof(buf));

        if (call_preempt(c))
            return CALL_RESTART;
        if (guest_read(c->v, buf, c->arg[2], n))
            return -XEN_EFAULT;
        lock(&g->lock);
        for (size_t i = 0; i < n; i++)
            console_put(c->d, g, buf[i]);
        unlock(&g->lock);
        c->arg[1] -= n;
        c->arg[2] += n;
    }
    return 0;
}

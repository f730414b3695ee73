/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 2-level event ABI: pending and mask bits in shared_info, and per vCPU a word that selects
 * the words to look at (xen/event_channel.h). The order of the atomic operations is addendum
 * B1.2's; the guest works on the same bits at the same time.
 */
#include "domain/evtchn_ops.h"
#include "domain/shared.h"

#include "port/mem.h"

static unsigned int max_ports(struct domain *d)
{
    return shared_layout(d)->max_ports;
}

/* The mapped shared_info, or NULL when the port has no bit in it. shared_unmap() afterwards. */
static uint8_t *map_info(struct domain *d, const struct shared_layout *l, uint32_t port)
{
    if (unlikely(port >= l->max_ports || !shared_present(&d->shared_info)))
        return NULL;
    return shared_map(&d->shared_info);
}

/* An unmasked port is pending: tells its vCPU, if it has not been told of that word. */
static void select_word(struct domain *d, const struct shared_layout *l, uint32_t port,
                        const struct evtchn_port *p)
{
    struct vcpu *v = d->vcpu[READ_ONCE(p->notify_vcpu)];
    struct vcpu_info *info = vcpu_info_map(v);

    if (!info)
        return;
    if (!mem_test_and_set_bit((uint8_t *)info + l->pending_sel, port / l->word_bits))
        evtchn_mark_upcall(v);
    shared_unmap(info);
}

static void set_pending(struct domain *d, uint32_t port, struct evtchn_port *p)
{
    const struct shared_layout *l = shared_layout(d);
    uint8_t *si = map_info(d, l, port);

    if (!si)
        return;
    if (!mem_test_and_set_bit(si + l->evtchn_pending, port)) {
        if (!mem_test_bit(si + l->evtchn_mask, port))
            select_word(d, l, port, p);
        evtchn_wake_pollers(d, port);
    }
    shared_unmap(si);
}

static void clear_pending(struct domain *d, uint32_t port, struct evtchn_port *p)
{
    const struct shared_layout *l = shared_layout(d);
    uint8_t *si = map_info(d, l, port);

    (void)p;
    if (!si)
        return;
    mem_test_and_clear_bit(si + l->evtchn_pending, port);
    shared_unmap(si);
}

static void unmask(struct domain *d, uint32_t port, struct evtchn_port *p)
{
    const struct shared_layout *l = shared_layout(d);
    uint8_t *si = map_info(d, l, port);

    if (!si)
        return;
    if (mem_test_and_clear_bit(si + l->evtchn_mask, port) &&
        mem_test_bit(si + l->evtchn_pending, port))
        select_word(d, l, port, p);
    shared_unmap(si);
}

static bool test_bit(struct domain *d, uint32_t port, bool mask)
{
    const struct shared_layout *l = shared_layout(d);
    uint8_t *si = map_info(d, l, port);
    bool set;

    if (!si)
        return false;
    set = mem_test_bit(si + (mask ? l->evtchn_mask : l->evtchn_pending), port);
    shared_unmap(si);
    return set;
}

static bool is_pending(struct domain *d, uint32_t port)
{
    return test_bit(d, port, false);
}

static bool is_masked(struct domain *d, uint32_t port)
{
    return test_bit(d, port, true);
}

static bool is_busy(struct domain *d, uint32_t port)
{
    (void)d;
    (void)port;
    return false;
}

const struct evtchn_abi evtchn_2l = {
    .max_ports = max_ports,
    .set_pending = set_pending,
    .clear_pending = clear_pending,
    .unmask = unmask,
    .is_pending = is_pending,
    .is_masked = is_masked,
    .is_busy = is_busy,
    .has_priority = false,
};

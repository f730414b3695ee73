/* SPDX-License-Identifier: Apache-2.0 */
/* FIFO channels: the change-over from 2-level, order, priorities, masks; and EVTCHNOP_reset. */
#include "checks.h"

static evtchn_port_t ipi(unsigned int vcpu)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(vcpu);
    *fifo_word(port) = 0; /* unmasked */
    return port;
}

static void check_errors(void)
{
    struct evtchn_init_control c = {.control_gfn = 1, .offset = 4096 - 64, .vcpu = 0};
    EXPECT(evtchn_op(EVTCHNOP_init_control, &c), -XEN_EINVAL);
    c.offset = 4;
    EXPECT(evtchn_op(EVTCHNOP_init_control, &c), -XEN_EINVAL);
    c.offset = 0;
    c.vcpu = 77;
    EXPECT(evtchn_op(EVTCHNOP_init_control, &c), -XEN_ENOENT);
    c.vcpu = 0;
    c.control_gfn = 0xfee00;
    EXPECT(evtchn_op(EVTCHNOP_init_control, &c), -XEN_EINVAL);
}

static void check_change_over(void)
{
    evtchn_port_t early = (evtchn_port_t)port_ipi(0);
    two_mask(early, true);
    EXPECT(port_send(early), 0); /* pending in 2-level */
    EXPECT(fifo_init(0), EVTCHN_FIFO_LINK_BITS);
    EXPECT(fifo_init(0), -XEN_EINVAL); /* once only */
    EXPECT(fifo_init(1), EVTCHN_FIFO_LINK_BITS);
    EXPECT(fifo_expand(), 0);
    EXPECT(fifo_bit(early, EVTCHN_FIFO_PENDING), 1); /* carried over, masked by the new page */
    EXPECT(fifo_bit(early, EVTCHN_FIFO_LINKED), 0);
    EXPECT(fifo_take(0), 0);
    EXPECT(fifo_unmask(early), 0);
    EXPECT(fifo_take(0), early);
    EXPECT(fifo_take(0), 0);
    struct evtchn_expand_array wrong = {.array_gfn = 0xfee00};
    EXPECT(evtchn_op(EVTCHNOP_expand_array, &wrong), -XEN_EINVAL);
    EXPECT(port_close(early), 0);
}

static void check_order(void)
{
    evtchn_port_t p[4];
    for (unsigned int i = 0; i < 4; i++)
        p[i] = ipi(0);
    for (unsigned int i = 0; i < 4; i++)
        EXPECT(port_send(p[3 - i]), 0);
    EXPECT(fifo_control(0)->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    EXPECT(fifo_control(0)->head[EVTCHN_FIFO_PRIORITY_DEFAULT], p[3]);
    EXPECT(fifo_bit(p[3], EVTCHN_FIFO_LINKED), 1);
    EXPECT(*fifo_word(p[3]) & EVTCHN_FIFO_LINK_MASK, p[2]);
    for (unsigned int i = 0; i < 4; i++)
        EXPECT(fifo_take(0), p[3 - i]);
    EXPECT(fifo_take(0), 0);

    /* Lower numbers first, whatever the order of sending. */
    EXPECT(port_priority(p[0], 15), 0);
    EXPECT(port_priority(p[1], 8), 0);
    EXPECT(port_priority(p[2], EVTCHN_FIFO_PRIORITY_MAX), 0);
    EXPECT(port_priority(p[3], 16), -XEN_EINVAL);
    for (unsigned int i = 0; i < 4; i++)
        EXPECT(port_send(p[i]), 0);
    EXPECT(fifo_control(0)->ready, 1u << 15 | 1u << 8 | 1u << 7 | 1u);
    EXPECT(fifo_take(0), p[2]);
    EXPECT(fifo_take(0), p[3]);
    EXPECT(fifo_take(0), p[1]);
    EXPECT(fifo_take(0), p[0]);
    EXPECT(fifo_take(0), 0);

    /* A change while linked: this time in the old queue, the next time in the new one. */
    EXPECT(port_send(p[0]), 0);
    EXPECT(port_priority(p[0], 3), 0);
    EXPECT(fifo_control(0)->ready, 1u << 15);
    EXPECT(fifo_take(0), p[0]);
    EXPECT(port_send(p[0]), 0);
    EXPECT(fifo_control(0)->ready, 1u << 3);
    EXPECT(fifo_take(0), p[0]);
    for (unsigned int i = 0; i < 4; i++)
        EXPECT(port_close(p[i]), 0);
    EXPECT(port_priority(p[0], 1), -XEN_EACCES);
    EXPECT(port_priority(1u << 20, 1), -XEN_EINVAL);
}

static void check_masks(void)
{
    evtchn_port_t a = ipi(0), b = ipi(0);
    bit_test_set(EVTCHN_FIFO_MASKED, fifo_word(a));
    EXPECT(port_send(a), 0);
    EXPECT(fifo_bit(a, EVTCHN_FIFO_PENDING), 1);
    EXPECT(fifo_bit(a, EVTCHN_FIFO_LINKED), 0); /* masked events are not linked */
    EXPECT(port_poll(a, now_ns() + 1000000000), 0);
    EXPECT(port_send(b), 0);
    EXPECT(fifo_unmask(a), 0);
    EXPECT(fifo_take(0), b);
    EXPECT(fifo_take(0), a);
    EXPECT(fifo_take(0), 0);

    /* Masked after linking: skipped when taken, and back after the unmask call. */
    EXPECT(port_send(a), 0);
    bit_test_set(EVTCHN_FIFO_MASKED, fifo_word(a));
    EXPECT(fifo_take(0), 0);
    EXPECT(fifo_bit(a, EVTCHN_FIFO_PENDING), 1);
    EXPECT(port_unmask_call(a), 0);
    EXPECT(fifo_take(0), a);

    /* A port closed while it is linked is not given out again before it is taken off. */
    EXPECT(port_send(a), 0);
    EXPECT(port_close(a), 0);
    EXPECT(fifo_bit(a, EVTCHN_FIFO_PENDING), 0);
    evtchn_port_t c = ipi(0);
    CHECK(c != a, "port %u was given out while still linked", a);
    EXPECT(fifo_take(0), 0); /* takes it off */
    evtchn_port_t d = ipi(0);
    EXPECT(d, a);
    EXPECT(port_close(b), 0);
    EXPECT(port_close(c), 0);
    EXPECT(port_close(d), 0);
}

static void check_upcalls(void)
{
    evtchn_port_t mine = ipi(0), other = ipi(1);
    interrupts_window();
    unsigned int before = upcalls(0), before1 = upcalls(1);
    EXPECT(port_send(mine), 0);
    EXPECT(port_send(mine), 0);
    interrupts_window();
    EXPECT(upcalls(0), before + 1);
    EXPECT(fifo_take(0), mine);
    EXPECT(port_send(other), 0);
    EXPECT(upcalls_soon(1, before1 + 1), before1 + 1);
    EXPECT(fifo_take(1), other);
    EXPECT(port_close(mine), 0);
    EXPECT(port_close(other), 0);
}

/* Ports past the first page: pending is remembered until the page comes. */
static void check_second_page(void)
{
    long port = port_unbound(DOMID_SELF), first = port, last = port;
    while (port > 0 && port < 1030) {
        last = port;
        port = port_unbound(DOMID_SELF);
    }
    if (port > 0) {
        last = port;
        evtchn_port_t far = (evtchn_port_t)port_ipi(0);
        EXPECT(port_send(far), 0);
        EXPECT(fifo_expand(), 0);
        EXPECT(fifo_bit(far, EVTCHN_FIFO_PENDING), 1);
        EXPECT(fifo_unmask(far), 0);
        EXPECT(fifo_take(0), far);
        EXPECT(port_close(far), 0);
    } else {
        print("no ports beyond %ld here", last);
    }
    for (port = first; port <= last; port++)
        if (port_close((evtchn_port_t)port))
            fail("close of port %ld", port);
}

void check_fifo(void)
{
    check_errors();
    check_change_over();
    check_order();
    check_masks();
    check_upcalls();
    check_second_page();
}

/* Everything is closed, also the console's port: from here on text takes another way. */
void check_reset(void)
{
    unsigned int vcpu;
    evtchn_port_t port = ipi(0);
    struct evtchn_reset r = {.dom = DOMID_SELF};
    struct evtchn_expand_array grow = {.array_gfn = 1};
    console_use(on_xen ? CONSOLE_E9 : CONSOLE_IO);
    EXPECT(evtchn_op(EVTCHNOP_reset, &r), 0);
    EXPECT(port_status(port, &vcpu), EVTCHNSTAT_closed);
    EXPECT(evtchn_op(EVTCHNOP_expand_array, &grow), -XEN_EOPNOTSUPP); /* 2-level again */
    port = (evtchn_port_t)port_ipi(0);
    two_mask(port, false);
    two_clear(port);
    EXPECT(port_send(port), 0);
    EXPECT(two_pending(port), 1);
}

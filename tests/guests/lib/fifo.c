/* SPDX-License-Identifier: Apache-2.0 */
/* FIFO event channels, the guest's side: control blocks, event words, consumption in order. */
#include "events.h"

/* One page per vCPU would do; half a page apart shows that offsets work. */
static uint8_t controls[(MAX_CPUS + 1) / 2][PAGE_SIZE] aligned_to(4096);
static event_word_t words[FIFO_PAGES][FIFO_WORDS_PER_PAGE] aligned_to(4096);
static unsigned int pages;
static evtchn_port_t heads[MAX_CPUS][EVTCHN_FIFO_MAX_QUEUES];
static uint32_t ready[MAX_CPUS];

struct evtchn_fifo_control_block *fifo_control(unsigned int vcpu)
{
    return (void *)&controls[vcpu / 2][vcpu % 2 * 2048];
}

long fifo_init(unsigned int vcpu)
{
    unsigned long at = (unsigned long)fifo_control(vcpu);
    struct evtchn_init_control c = {
        .control_gfn = at >> 12, .offset = (uint32_t)(at & 4095), .vcpu = vcpu};
    long rc = evtchn_op(EVTCHNOP_init_control, &c);
    return rc ? rc : c.link_bits;
}

long fifo_expand(void)
{
    if (pages == FIFO_PAGES)
        return -XEN_ENOSPC;
    for (unsigned int i = 0; i < FIFO_WORDS_PER_PAGE; i++)
        words[pages][i] = 1u << EVTCHN_FIFO_MASKED;
    struct evtchn_expand_array e = {.array_gfn = (unsigned long)words[pages] >> 12};
    long rc = evtchn_op(EVTCHNOP_expand_array, &e);
    pages += rc == 0;
    return rc;
}

volatile event_word_t *fifo_word(evtchn_port_t port)
{
    return &words[port / FIFO_WORDS_PER_PAGE][port % FIFO_WORDS_PER_PAGE];
}

bool fifo_bit(evtchn_port_t port, unsigned int bit)
{
    return *fifo_word(port) >> bit & 1;
}

bool fifo_unmask(evtchn_port_t port)
{
    event_word_t old = *fifo_word(port);
    while (!(old & (1u << EVTCHN_FIFO_PENDING | 1u << EVTCHN_FIFO_BUSY)))
        if (__atomic_compare_exchange_n((event_word_t *)fifo_word(port), &old,
                                        old & ~(1u << EVTCHN_FIFO_MASKED), false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return true;
    port_unmask_call(port);
    return false;
}

/* Takes the event word off its queue: LINKED and LINK cleared together; returns the link. */
static evtchn_port_t unlink(evtchn_port_t port)
{
    const event_word_t clear = 1u << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK;
    event_word_t old = *fifo_word(port);
    while (!__atomic_compare_exchange_n((event_word_t *)fifo_word(port), &old, old & ~clear, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    return old & EVTCHN_FIFO_LINK_MASK;
}

evtchn_port_t fifo_take(unsigned int vcpu)
{
    struct evtchn_fifo_control_block *c = fifo_control(vcpu);
    for (;;) {
        ready[vcpu] |= __atomic_exchange_n(&c->ready, 0, __ATOMIC_SEQ_CST);
        if (!ready[vcpu])
            return 0;
        unsigned int q = (unsigned int)__builtin_ctz(ready[vcpu]);
        evtchn_port_t head = heads[vcpu][q];
        if (!head)
            head = READ_ONCE(c->head[q]);
        if (!head) {
            ready[vcpu] &= ~(1u << q);
            continue;
        }
        heads[vcpu][q] = unlink(head);
        if (!heads[vcpu][q])
            ready[vcpu] &= ~(1u << q);
        if (fifo_bit(head, EVTCHN_FIFO_PENDING) && !fifo_bit(head, EVTCHN_FIFO_MASKED)) {
            bit_test_clear(EVTCHN_FIFO_PENDING, fifo_word(head));
            return head;
        }
    }
}

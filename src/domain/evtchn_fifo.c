/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FIFO event ABI: an array of event words in guest pages, and per vCPU sixteen queues of
 * linked words whose heads lie in a guest page and whose tails are ours (xen/event_channel.h,
 * addendum B1.3). A guest may change any of its pages at any time: every field is read once, a
 * word that does not behave costs that guest its event and nothing else.
 */
#include "domain/evtchn_ops.h"
#include "core/printk.h"
#include "domain/shared.h"
#include "lib/format.h"
#include "mem/heap.h"

#include "port/mem.h"

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define MAX_PAGES      (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)

#define PENDING        (1u << EVTCHN_FIFO_PENDING)
#define MASKED         (1u << EVTCHN_FIFO_MASKED)
#define LINKED         (1u << EVTCHN_FIFO_LINKED)
#define BUSY           (1u << EVTCHN_FIFO_BUSY)
#define LINK_MASK      ((uint32_t)EVTCHN_FIFO_LINK_MASK)

#define LOCK_TRIES     3
#define LINK_TRIES     4

struct fifo_queue {
    struct spinlock lock;
    uint32_t tail; /* [lock] port queued last; may have been consumed since. 0: none */
};

struct fifo_vcpu {
    struct shared_page control; /* [evtchn lock] set once, after `offset`; senders read it */
    uint16_t offset;
    struct fifo_queue queue[EVTCHN_FIFO_MAX_QUEUES];
};

struct evtchn_fifo {
    unsigned int nr_pages;              /* [evtchn lock] */
    struct shared_page page[MAX_PAGES]; /* [evtchn lock] each set once; senders read it */
    struct fifo_vcpu vcpu[];
};

static void log_lost(struct domain *d, uint32_t port, const char *why)
{
    static nsec_t last;

    if (log_ratelimit(&last))
        log_warn("d%u: event of port %u lost: %s", d->id, port, why);
}

static unsigned int max_ports(struct domain *d)
{
    (void)d;
    return EVTCHN_FIFO_NR_CHANNELS;
}

/* The port's word, mapped; NULL while the array is too short. shared_unmap() afterwards. */
static event_word_t *map_word(struct evtchn_fifo *f, uint32_t port)
{
    struct shared_page page;

    if (port >= EVTCHN_FIFO_NR_CHANNELS)
        return NULL;
    page.mfn.v = READ_ONCE(f->page[index_nospec(port / WORDS_PER_PAGE, MAX_PAGES)].mfn.v);
    if (!shared_present(&page))
        return NULL;
    return (event_word_t *)shared_map(&page) + port % WORDS_PER_PAGE;
}

/* -- queueing --------------------------------------------------------------------------------- */

/* Where a port goes: the queue, and the one that it was on last. */
struct place {
    struct fifo_queue *to, *last;
    unsigned int vcpu, priority;
};

static void place_unlock(const struct place *at)
{
    unlock_pair(&min(at->to, at->last)->lock, &max(at->to, at->last)->lock);
}

/* Finds the place and locks both queues, by address. Both depend on fields that change without
 * these locks, hence the second look. False: they never held still. */
static bool place_lock(struct evtchn_fifo *f, const struct evtchn_port *p, struct place *at)
{
    for (unsigned int i = 0; i < LOCK_TRIES; i++) {
        at->vcpu = READ_ONCE(p->notify_vcpu);
        at->priority = READ_ONCE(p->priority);
        at->to = &f->vcpu[at->vcpu].queue[at->priority];
        at->last = &f->vcpu[READ_ONCE(p->last_vcpu)].queue[READ_ONCE(p->last_priority)];
        lock_pair(&min(at->to, at->last)->lock, &max(at->to, at->last)->lock);
        if (at->vcpu == READ_ONCE(p->notify_vcpu) && at->priority == READ_ONCE(p->priority) &&
            at->last == &f->vcpu[p->last_vcpu].queue[p->last_priority])
            return true;
        place_unlock(at);
    }
    return false;
}

/* Makes the tail's word point to `port`. False: the guest has taken the tail off its queue, which
 * is empty now. */
static bool set_link(event_word_t *tail, uint32_t port)
{
    uint32_t w = mem_load32(tail);

    if (!(w & LINKED))
        return false;
    if (mem_cmpxchg32(tail, w, (w & ~(BUSY | LINK_MASK)) | port) == w)
        return true;

    /* BUSY keeps a well-behaved guest from unmasking meanwhile; what else it may do to the word it
     * does a few times at most. */
    w = mem_fetch_or32(tail, BUSY) | BUSY;
    for (unsigned int i = 0; i < LINK_TRIES && (w & LINKED); i++) {
        uint32_t seen = mem_cmpxchg32(tail, w, (w & ~(BUSY | LINK_MASK)) | port);

        if (seen == w)
            return true;
        w = seen;
    }
    mem_fetch_and32(tail, ~BUSY);
    return w & LINKED;
}

/* Appends the port; its LINKED bit has just been set by us. False: the queue was empty, so the
 * guest has to be told. Both queues locked. */
static bool enqueue(struct evtchn_fifo *f, struct evtchn_port *p, uint32_t port,
                    const struct place *at, struct evtchn_fifo_control_block *control)
{
    bool linked = false;
    event_word_t *tail;

    /* LINKED was clear: if the port is still noted as a tail, that queue has been emptied. */
    if (at->last->tail == port)
        at->last->tail = 0;
    p->last_vcpu = (uint16_t)at->vcpu;
    p->last_priority = (uint8_t)at->priority;

    tail = at->to->tail ? map_word(f, at->to->tail) : NULL;
    if (tail) {
        linked = set_link(tail, port);
        shared_unmap(tail);
    }
    if (!linked)
        mem_store32(&control->head[at->priority], port);
    at->to->tail = port;
    return linked;
}

/* The port has a word. */
static void set_pending_word(struct domain *d, uint32_t port, struct evtchn_port *p,
                             event_word_t *word)
{
    struct evtchn_fifo *f = d->evtchn->fifo;
    struct evtchn_fifo_control_block *block = NULL;
    struct shared_page control;
    struct place at;
    bool tell = false;
    uint32_t w = 0;

    if (!place_lock(f, p, &at)) {
        log_lost(d, port, "its queue keeps changing");
        return;
    }
    control.mfn.v = READ_ONCE(f->vcpu[at.vcpu].control.mfn.v);
    if (likely(shared_present(&control))) {
        block = (void *)((uint8_t *)shared_map(&control) + f->vcpu[at.vcpu].offset);
        w = mem_fetch_or32(word, PENDING);
        if (!(w & MASKED) && !(mem_fetch_or32(word, LINKED) & LINKED))
            tell = !enqueue(f, p, port, &at, block);
    }
    place_unlock(&at);
    if (!block)
        log_lost(d, port, "its vCPU has no control block");
    else if (tell && !mem_test_and_set_bit(&block->ready, at.priority))
        evtchn_mark_upcall(d->vcpu[at.vcpu]);
    if (block)
        shared_unmap(block);
    if (!(w & PENDING))
        evtchn_wake_pollers(d, port);
}

static void set_pending(struct domain *d, uint32_t port, struct evtchn_port *p)
{
    event_word_t *word = map_word(d->evtchn->fifo, port);

    if (unlikely(!word)) {
        /* Kept until its page comes; which may be just now, so look again. */
        WRITE_ONCE(p->pending, true);
        smp_mb();
        word = map_word(d->evtchn->fifo, port);
        if (!word)
            return;
    }
    set_pending_word(d, port, p, word);
    shared_unmap(word);
}

static void clear_pending(struct domain *d, uint32_t port, struct evtchn_port *p)
{
    event_word_t *word = map_word(d->evtchn->fifo, port);

    (void)p;
    if (!word)
        return;
    mem_fetch_and32(word, ~PENDING);
    shared_unmap(word);
}

static void unmask(struct domain *d, uint32_t port, struct evtchn_port *p)
{
    event_word_t *word = map_word(d->evtchn->fifo, port);

    if (!word)
        return;
    if (mem_fetch_and32(word, ~MASKED) & PENDING)
        set_pending_word(d, port, p, word);
    shared_unmap(word);
}

static bool test_word(struct domain *d, uint32_t port, uint32_t bits)
{
    event_word_t *word = map_word(d->evtchn->fifo, port);
    bool set;

    if (!word)
        return false;
    set = mem_load32(word) & bits;
    shared_unmap(word);
    return set;
}

static bool is_pending(struct domain *d, uint32_t port)
{
    return test_word(d, port, PENDING);
}

static bool is_masked(struct domain *d, uint32_t port)
{
    return test_word(d, port, MASKED);
}

static bool is_busy(struct domain *d, uint32_t port)
{
    return test_word(d, port, LINKED);
}

const struct evtchn_abi evtchn_fifo = {
    .max_ports = max_ports,
    .set_pending = set_pending,
    .clear_pending = clear_pending,
    .unmask = unmask,
    .is_pending = is_pending,
    .is_masked = is_masked,
    .is_busy = is_busy,
    .has_priority = true,
};

/* -- life ------------------------------------------------------------------------------------- */

static struct evtchn_fifo *fifo_create(struct domain *d)
{
    struct evtchn_fifo *f = kalloc(sizeof(*f) + d->max_vcpus * sizeof(f->vcpu[0]));

    if (!f)
        return NULL;
    for (unsigned int i = 0; i < MAX_PAGES; i++)
        f->page[i].mfn = MFN_NONE;
    for (unsigned int v = 0; v < d->max_vcpus; v++) {
        f->vcpu[v].control.mfn = MFN_NONE;
        for (unsigned int q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
            lock_init(&f->vcpu[v].queue[q].lock, RANK_EVTQ);
    }
    return f;
}

/* The domain's first control block: from here on FIFO. Ports that are pending in 2-level bits
 * stay so until their words exist. A sender that still sets such a bit sees the new ABI afterwards
 * (evtchn_deliver()). */
static void change_over(struct domain *d, struct evtchn_fifo *f)
{
    struct evtchn_domain *e = d->evtchn;

    e->fifo = f;
    smp_wmb();
    WRITE_ONCE(e->abi, &evtchn_fifo);
    smp_mb();
    for (uint32_t port = 1; port <= e->max_port && port < evtchn_2l.max_ports(d); port++) {
        struct evtchn_port *p = evtchn_port(d, port);

        if (p && p->state != ECS_FREE && evtchn_2l.is_pending(d, port))
            WRITE_ONCE(p->pending, true);
    }
}

int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *arg)
{
    struct evtchn_fifo *f = d->evtchn->fifo;
    struct shared_page control;
    struct fifo_vcpu *fv;
    int rc;

    if (arg->vcpu >= d->max_vcpus)
        return -XEN_ENOENT;
    if (arg->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) || arg->offset % 8 != 0)
        return -XEN_EINVAL;
    if (!f)
        f = fifo_create(d);
    if (!f)
        return -XEN_ENOMEM;
    fv = &f->vcpu[index_nospec(arg->vcpu, d->max_vcpus)];
    rc = shared_present(&fv->control) ? -XEN_EINVAL
                                      : shared_register(d, _gfn(arg->control_gfn), &control);
    if (rc) {
        if (f != d->evtchn->fifo)
            kfree(f);
        return rc;
    }
    fv->offset = (uint16_t)arg->offset;
    smp_wmb();
    WRITE_ONCE(fv->control.mfn.v, control.mfn.v);
    if (f != d->evtchn->fifo)
        change_over(d, f);
    arg->link_bits = EVTCHN_FIFO_LINK_BITS;
    return 0;
}

int evtchn_fifo_expand(struct domain *d, gfn_t gfn)
{
    struct evtchn_fifo *f = d->evtchn->fifo;
    struct shared_page page;
    uint32_t port;
    int rc;

    if (f->nr_pages == MAX_PAGES)
        return -XEN_ENOSPC;
    rc = shared_register(d, gfn, &page);
    if (rc)
        return rc;
    WRITE_ONCE(f->page[f->nr_pages].mfn.v, page.mfn.v);
    smp_mb();
    port = (uint32_t)(f->nr_pages++ * WORDS_PER_PAGE);
    for (unsigned int i = 0; i < WORDS_PER_PAGE; i++, port++) {
        struct evtchn_port *p = evtchn_port(d, port);

        if (p && p->state != ECS_FREE && READ_ONCE(p->pending)) {
            WRITE_ONCE(p->pending, false);
            set_pending(d, port, p);
        }
    }
    return 0;
}

void evtchn_fifo_fini(struct domain *d)
{
    struct evtchn_fifo *f = d->evtchn->fifo;

    d->evtchn->abi = &evtchn_2l;
    d->evtchn->fifo = NULL;
    for (unsigned int i = 0; i < f->nr_pages; i++)
        shared_release(&f->page[i]);
    for (unsigned int v = 0; v < d->max_vcpus; v++)
        shared_release(&f->vcpu[v].control);
    kfree(f);
}

/* A queue's tail is a port that was queued there last. */
int evtchn_fifo_check(struct domain *d, char *why, size_t size)
{
    struct evtchn_fifo *f = d->evtchn->fifo;

    for (unsigned int v = 0; v < d->max_vcpus; v++) {
        for (unsigned int q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++) {
            uint32_t tail = f->vcpu[v].queue[q].tail;
            const struct evtchn_port *p = tail ? evtchn_port(d, tail) : NULL;

            if (tail && (!p || p->last_vcpu != v || p->last_priority != q)) {
                format(why, size, "d%u v%u queue %u: tail %u was queued elsewhere", d->id, v, q,
                       tail);
                return -XEN_EINVAL;
            }
        }
    }
    return 0;
}

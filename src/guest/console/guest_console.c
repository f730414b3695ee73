/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's console: where its bytes come from and go to, and what holds it back. The ring page
 * is the guest's: each index is read once and checked, a ring that makes no sense is ignored.
 */
#include "guest/console/guest_console.h"

#include "core/clock.h"
#include "core/param.h"
#include "core/printk.h"
#include "domain/evtchn.h"
#include "domain/privilege.h"
#include "domain/shared.h"
#include "guest/access.h"
#include "guest/console/bucket.h"
#include "guest/console/terminal.h"
#include "guest/emul/bus.h"
#include "guest/hypercall/hypercall.h"
#include "mem/heap.h"

#include "port/mem.h"

#define PORT_E9     0xe9u
#define CHUNK       128u     /* bytes copied out of the guest at a time */
#define ROOM_WAIT   MSEC(10) /* until a full device is looked at again */
#define TYPED_SIZE  256u     /* a power of two */
#define WAIT_WORDS  (DOMAIN_MAX_VCPUS / 64)
#define IN_SIZE     sizeof(((struct xencons_interface *)NULL)->in)
#define OUT_SIZE    sizeof(((struct xencons_interface *)NULL)->out)
#define FIELD(name) offsetof(struct xencons_interface, name)

struct console_guest {
    struct spinlock lock;
    struct domain *d;               /* (c) */
    struct terminal_source source;  /* terminal.c's */
    struct shared_page ring;        /* [lock] */
    uint32_t port;                  /* (i) event channel */
    bool ring_used;                 /* [lock] the guest has sent an event: keys go to the ring */
    bool ring_bad;                  /* [lock] */
    bool preview_started;           /* [lock] */
    struct bucket bucket;           /* [lock] */
    uint64_t waiting[WAIT_WORDS];   /* [lock] vCPUs held back by VPAUSE_WAIT */
    struct ktimer resume, preview;  /* more may be written; show what is unfinished */
    uint8_t typed[TYPED_SIZE];      /* [lock] keys not given to the guest yet */
    uint32_t typed_end, typed_from; /* [lock] free running */
};

/* -- how much --------------------------------------------------------------------------------- */

/* [lock] Passes bytes on as far as they may be written now; returns how many. */
static size_t console_put(struct console_guest *c, const uint8_t *bytes, size_t n, size_t least)
{
    size_t budget = min(bucket_budget(&c->bucket, clock_now()), terminal_room()), cost = 0, taken;

    taken = terminal_output(&c->source, bytes, n, max(budget, least), &cost);
    bucket_spend(&c->bucket, cost);
    if (!c->preview_started && terminal_unfinished(&c->source)) {
        c->preview_started = true;
        ktimer_start(&c->preview, clock_now() + TERMINAL_PREVIEW, this_cpu()->id);
    }
    return taken;
}

/* [lock] */
static bool console_full(struct console_guest *c)
{
    return !bucket_budget(&c->bucket, clock_now()) || !terminal_room();
}

/* [lock] Something is held back: go on when there is room. */
static void console_resume_later(struct console_guest *c)
{
    nsec_t now = clock_now(), at = bucket_ready(&c->bucket, now);

    ktimer_start(&c->resume, terminal_room() ? at : max(at, now + ROOM_WAIT), this_cpu()->id);
}

/* [lock] The current vCPU does not run until then. */
static void console_wait(struct console_guest *c, struct vcpu *v)
{
    c->waiting[v->id / 64] |= 1ULL << v->id % 64;
    vcpu_pause_set(v, VPAUSE_WAIT);
    console_resume_later(c);
}

static void console_preview(void *arg)
{
    struct console_guest *c = arg;
    nsec_t again;

    lock(&c->lock);
    again = terminal_preview(&c->source);
    c->preview_started = again;
    if (again)
        ktimer_start(&c->preview, again, this_cpu()->id);
    unlock(&c->lock);
}

/* -- the ring --------------------------------------------------------------------------------- */

/* [lock] */
static bool ring_usable(const struct console_guest *c)
{
    return !c->ring_bad && shared_present(&c->ring);
}

/* [lock] True: the two indices are possible. */
static bool ring_check(struct console_guest *c, uint32_t prod, uint32_t cons, size_t size)
{
    if (prod - cons <= size)
        return true;
    c->ring_bad = true;
    log_warn("%s: console ring with impossible indices (%#x, %#x): it is not used any more",
             c->d->name, prod, cons);
    return false;
}

/* [lock] Takes what may be written. True: the guest is to be told. */
static bool ring_drain(struct console_guest *c)
{
    uint8_t *ring = shared_map(&c->ring), bytes[CHUNK];
    uint32_t cons = mem_load32(ring + FIELD(out_cons)), first = cons;
    uint32_t prod = mem_load32(ring + FIELD(out_prod));
    size_t n, taken;

    smp_rmb();
    if (!ring_check(c, prod, cons, OUT_SIZE))
        prod = cons;
    while (cons != prod) {
        n = min((size_t)CHUNK, OUT_SIZE - cons % OUT_SIZE);
        n = min(n, (size_t)(prod - cons));
        mem_copy(bytes, ring + FIELD(out) + cons % OUT_SIZE, n);
        taken = console_put(c, bytes, n, 0);
        cons += (uint32_t)taken;
        if (taken < n)
            break;
    }
    if (cons != first) {
        smp_mb();
        mem_store32(ring + FIELD(out_cons), cons);
    }
    shared_unmap(ring);
    if (cons != prod)
        console_resume_later(c);
    return cons != first;
}

/* [lock] Gives typed keys to the guest. True: it is to be told. */
static bool ring_fill(struct console_guest *c)
{
    uint8_t *ring = shared_map(&c->ring);
    uint32_t prod = mem_load32(ring + FIELD(in_prod)), first = prod;
    uint32_t cons = mem_load32(ring + FIELD(in_cons));

    smp_mb();
    if (ring_check(c, prod, cons, IN_SIZE))
        while (c->typed_from != c->typed_end && prod - cons < IN_SIZE)
            mem_store8(ring + FIELD(in) + prod++ % IN_SIZE, c->typed[c->typed_from++ % TYPED_SIZE]);
    if (prod != first) {
        smp_wmb();
        mem_store32(ring + FIELD(in_prod), prod);
    }
    shared_unmap(ring);
    return prod != first;
}

/* [lock] Both directions, and the event. */
static void ring_serve(struct console_guest *c)
{
    bool news = false;

    if (ring_usable(c))
        news = ring_drain(c);
    if (ring_usable(c) && c->ring_used)
        news |= ring_fill(c);
    if (news)
        evtchn_notify(c->d, c->port);
}

static void ring_event(struct domain *d, void *arg)
{
    struct console_guest *c = arg;

    (void)d;
    lock(&c->lock);
    c->ring_used = true;
    ring_serve(c);
    unlock(&c->lock);
}

static void console_resume(void *arg)
{
    struct console_guest *c = arg;

    lock(&c->lock);
    ring_serve(c);
    for (unsigned int i = 0; i < c->d->max_vcpus; i++)
        if (c->waiting[i / 64] >> i % 64 & 1)
            vcpu_pause_clear(c->d->vcpu[i], VPAUSE_WAIT);
    for (unsigned int i = 0; i < WAIT_WORDS; i++)
        c->waiting[i] = 0;
    unlock(&c->lock);
}

static void console_typed(struct terminal_source *s, uint8_t byte)
{
    struct console_guest *c = container_of(s, struct console_guest, source);
    bool lost, call;

    lock(&c->lock);
    lost = c->typed_end - c->typed_from == TYPED_SIZE;
    if (!lost)
        c->typed[c->typed_end++ % TYPED_SIZE] = byte;
    call = !c->ring_used;
    if (ring_usable(c) && c->ring_used && ring_fill(c))
        evtchn_notify(c->d, c->port);
    unlock(&c->lock);
    if (call)
        evtchn_send_global_virq(c->d, VIRQ_CONSOLE);
    if (lost)
        terminal_bell();
}

/* -- console_io ------------------------------------------------------------------------------- */

/* c->arg: command, bytes left, where they are. */
static long io_write(struct call *call, struct console_guest *c)
{
    uint8_t bytes[CHUNK];

    while (call->arg[1]) {
        size_t n = min((size_t)(uint32_t)call->arg[1], (size_t)CHUNK), taken;

        if (guest_read(call->v, bytes, call->arg[2], n))
            return -XEN_EFAULT;
        lock(&c->lock);
        taken = console_put(c, bytes, n, 0);
        if (taken < n)
            console_wait(c, call->v);
        unlock(&c->lock);
        call->arg[1] -= taken;
        call->arg[2] += taken;
        if (taken < n || (call->arg[1] && call_preempt(call)))
            return CALL_RESTART;
    }
    return 0;
}

static long io_read(struct call *call, struct console_guest *c)
{
    uint8_t bytes[TYPED_SIZE];
    uint32_t n = 0, room = (uint32_t)min(call->arg[1], (uint64_t)TYPED_SIZE);

    lock(&c->lock);
    while (n < room && c->typed_from != c->typed_end)
        bytes[n++] = c->typed[c->typed_from++ % TYPED_SIZE];
    unlock(&c->lock);
    return guest_write(call->v, call->arg[2], bytes, n) ? -XEN_EFAULT : (long)n;
}

long do_console_io(struct call *call)
{
    struct console_guest *c = call->d->console;
    long err = privilege_console_write(call->d);

    if (err)
        return err;
    call->arg[1] = (uint32_t)call->arg[1];
    if (c && (uint32_t)call->arg[0] == CONSOLEIO_write)
        return io_write(call, c);
    if (c && (uint32_t)call->arg[0] == CONSOLEIO_read)
        return io_read(call, c);
    return -XEN_ENOSYS;
}

/* -- port 0xE9 -------------------------------------------------------------------------------- */

static void port_write(struct vcpu *v, void *ctx, uint64_t offset, unsigned int size,
                       uint64_t value)
{
    struct console_guest *c = ctx;
    const uint8_t byte = (uint8_t)value;

    (void)offset, (void)size;
    lock(&c->lock);
    (void)console_put(c, &byte, 1, 1); /* an OUT cannot be refused */
    if (console_full(c))
        console_wait(c, v);
    unlock(&c->lock);
}

/* -- life ------------------------------------------------------------------------------------- */

int guest_console_attach(struct domain *d, gfn_t ring)
{
    struct console_guest *c = kalloc(sizeof(*c));
    int err;

    if (!c)
        return -XEN_ENOMEM;
    lock_init(&c->lock, RANK_GUEST_CONSOLE);
    c->d = d;
    c->ring.mfn = MFN_NONE;
    c->source = (struct terminal_source){.name = d->name, .domain = d, .type = console_typed};
    bucket_init(&c->bucket, params.console_rate, params.console_burst, clock_now());
    ktimer_init(&c->resume, console_resume, c);
    ktimer_init(&c->preview, console_preview, c);
    d->console = c;
    terminal_add(&c->source);
    err = shared_register(d, ring, &c->ring);
    if (!err)
        err = evtchn_bind_internal(d, 0, ring_event, c, &c->port);
    if (!err)
        err = bus_add(d, &(struct bus_device){.name = "console",
                                              .space = BUS_PORT,
                                              .start = PORT_E9,
                                              .size = 1,
                                              .write = port_write,
                                              .ctx = c});
    d->param[HVM_PARAM_CONSOLE_PFN] = ring.v;
    d->param[HVM_PARAM_CONSOLE_EVTCHN] = c->port;
    return err;
}

void guest_console_release(struct domain *d)
{
    struct console_guest *c = d->console;

    if (!c)
        return;
    lock(&c->lock);
    if (ring_usable(c))
        (void)ring_drain(c); /* its last words, as far as they may be written */
    shared_release(&c->ring);
    unlock(&c->lock);
    ktimer_stop_sync(&c->resume);
    ktimer_stop_sync(&c->preview);
    terminal_remove(&c->source);
}

void guest_console_destroy(struct domain *d)
{
    kfree(d->console);
    d->console = NULL;
}

void guest_console_dump(struct domain *d)
{
    struct console_guest *c = d->console;

    if (!c)
        return;
    log_info("  console: port %u%s%s%s, %u keys waiting, may write %ld", c->port,
             c->ring_used ? ", ring in use" : "", c->ring_bad ? ", ring ignored" : "",
             terminal_has_focus(&c->source) ? ", has the terminal" : "",
             c->typed_end - c->typed_from, c->bucket.tokens);
}

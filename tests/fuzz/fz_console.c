/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two guests that write and read their consoles in every way, indices and bytes of their choice,
 * while somebody types: the ring page is changed only where a back end may, no line of a guest
 * without the terminal holds a control character or another's prefix, output keeps to the rate, and
 * nothing is left when the guests end. LIBS: -lcmocka
 */
#include "unit/console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *in, *in_end;
static struct domain *guest[2];
static domid_t last_id;
static bool raw; /* somebody has or had the terminal */
static bool cut; /* the screen was cleared, perhaps in a line */

static uint8_t next(void)
{
    return in < in_end ? *in++ : 0;
}

static uint32_t next32(void)
{
    uint32_t v = 0;

    for (unsigned int i = 0; i < 4; i++)
        v = v << 8 | next();
    return v;
}

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* Sends the event; the back end may write out_cons, in_prod and free places of in. */
static void event(struct domain *d)
{
    struct xencons_interface *r = ring_of(d), before = *r;
    uint32_t filled;

    check(!evtchn_send(d, port_of(d)));
    check(!memcmp(r->out, before.out, sizeof(r->out)));
    check(r->in_cons == before.in_cons && r->out_prod == before.out_prod);
    check(r->out_cons - before.out_cons <= sizeof(r->out));
    filled = r->in_prod - before.in_prod;
    check(filled <= sizeof(r->in));
    for (uint32_t i = filled; i < sizeof(r->in); i++)
        check(r->in[(before.in_prod + i) % sizeof(r->in)] ==
              before.in[(before.in_prod + i) % sizeof(r->in)]);
}

static void op_indices(struct domain *d)
{
    struct xencons_interface *r = ring_of(d);

    r->out_cons = next32();
    r->out_prod = r->out_cons + next32() % 2060;
    r->in_cons = next32();
    r->in_prod = r->in_cons + next32() % 1030;
    event(d);
}

static void op_ring(struct domain *d)
{
    struct xencons_interface *r = ring_of(d);

    for (unsigned int n = next(); n; n--)
        r->out[r->out_prod++ % sizeof(r->out)] = (char)next();
    event(d);
}

static void op_port(struct domain *d)
{
    for (unsigned int n = next() % 32; n; n--)
        bus_write(d->vcpu[0], BUS_PORT, 0xe9, 1, next());
}

static void op_call(struct domain *d)
{
    for (unsigned int i = 0, n = next(); i < n; i++)
        ((uint8_t *)fixture_gfn(d, 1))[i] = next();
    (void)console_call(d, next() % 3, next() * 4u, 0x1000u + next(), NULL);
}

static void op_type(struct domain *d)
{
    uint8_t byte = next();

    raw |= byte == 1;
    /* Debug keys are not what is looked at. */
    if (!terminal_has_focus(NULL) || byte < ' ' || byte > '~')
        terminal_type(byte);
}

static void op_time(struct domain *d)
{
    console_time(MSEC(1) * next());
}

static void op_again(struct domain *d)
{
    bool second = d == guest[1];

    fixture_kill(d);
    guest[second] = console_domain(++last_id, second ? "db" : "web", 1);
    cut = true;
}

static void op_full(struct domain *d)
{
    screen_room = next() & 1 ? 0 : SIZE_MAX;
}

static void (*const ops[])(struct domain *d) = {op_ring, op_indices, op_port,  op_call,
                                                op_type, op_time,    op_again, op_full};

/* Every whole line begins with a prefix, and nothing in it moves the cursor. */
static void check_screen(void)
{
    const char *line = screen, *end;

    if (cut)
        line = (end = strchr(screen, '\n')) ? end + 1 : "";
    for (; (end = strchr(line, '\n')); line = end + 1) {
        check(!strncmp(line, "(KR) ", 5) || !strncmp(line, "(web) ", 6) ||
              !strncmp(line, "(db) ", 5));
        for (const char *p = line; p < end; p++)
            check((*p >= ' ' && *p <= '~') || *p == '\a');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    in = data;
    in_end = data + size;
    raw = cut = false;
    last_id = 2;
    console_setup(NULL);
    guest[0] = console_domain(1, "web", 1);
    guest[1] = console_domain(2, "db", 1);
    for (unsigned int i = 0; i < 200 && in < in_end; i++) {
        size_t before = screen_used;
        uint8_t op = next();

        ops[op % ARRAY_SIZE(ops)](guest[op >> 7]);
        if (screen_used < before) /* op_again looks at a new screen */
            before = 0;
        check(screen_used - before <= 2 * KIB(16) + 2 * KIB(17) + KIB(8));
        if (!raw)
            check_screen();
        if (screen_used > sizeof(screen) / 2)
            screen_clear(), cut = true;
    }
    screen_clear();
    console_teardown(NULL);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of guest/console: a screen that keeps what is written, timers that run as time goes
 * on, and domains with a console at gfn 8.
 */
#ifndef TESTS_UNIT_CONSOLE_H
#define TESTS_UNIT_CONSOLE_H

#include "unit/domains.h"

#include "core/param.h"
#include "guest/console/guest_console.h"
#include "guest/console/log.h"
#include "guest/console/terminal.h"
#include "guest/emul/bus.h"
#include "guest/hypercall/hypercall.h"

static char screen[1 << 20];
static size_t screen_used;
static size_t screen_room = SIZE_MAX;

static inline void screen_write(const char *text, size_t n)
{
    assert_true(n < sizeof(screen) - screen_used);
    memcpy(screen + screen_used, text, n);
    screen_used += n;
    screen[screen_used] = '\0';
}
static inline size_t screen_has_room(void)
{
    return screen_room;
}
static const struct terminal_ops screen_ops = {.write = screen_write, .room = screen_has_room};

static inline void screen_clear(void)
{
    screen_used = 0;
    screen[0] = '\0';
}
/* Exactly this has been written since the last look. */
static inline void screen_is(const char *text)
{
    assert_string_equal(screen, text);
    screen_clear();
}

/* Time goes on in steps of a millisecond, timers run where they are due. */
static inline void console_time(nsec_t ns)
{
    for (nsec_t t = 0; t < ns; t += MSEC(1)) {
        sim_advance(MSEC(1));
        for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
            sim_cpu_set(cpu);
            if (pcpu_shared[cpu].work & WORK_TIMER) {
                pcpu_shared[cpu].work &= ~WORK_TIMER;
                ktimer_run();
            }
        }
        sim_cpu_set(0);
    }
}

static inline void type_text(const char *text)
{
    while (*text)
        terminal_type((uint8_t)*text++);
}

/* -- guests ----------------------------------------------------------------------------------- */

#define RING_GFN 8u

static inline void console_get_control(struct vcpu *v, struct vcpu_control *c)
{
    memset(c, 0, sizeof(*c)); /* unpaged: linear is physical */
}
static inline void console_hooks_destroy(struct domain *d)
{
    guest_console_destroy(d);
    bus_fini(d);
}
static const struct domain_hooks console_hooks = {
    .create = bus_init, .release = guest_console_release, .destroy = console_hooks_destroy};

static inline int console_setup(void **state)
{
    static struct virt_ops ops;

    fixture_begin();
    ops = fixture_virt_ops;
    ops.get_control = console_get_control;
    virt = &ops;
    domain_hooks = &console_hooks;
    terminal_init(&screen_ops);
    screen_room = SIZE_MAX;
    params.console_rate = KIB(64);
    params.console_burst = KIB(16);
    params.loglvl.always = PARAM_LOG_INFO;
    screen_clear();
    return 0;
}
static inline int console_teardown(void **state)
{
    fixture_end();
    type_text("\1\1\1"); /* nobody is to have the terminal again */
    domain_hooks = NULL;
    return 0;
}
#define CONSOLE_TEST(fn) cmocka_unit_test_setup_teardown(fn, console_setup, console_teardown)

static inline struct domain *console_domain(domid_t id, const char *name, unsigned int vcpus)
{
    const struct domain_config c = {
        .id = id,
        .name = name,
        .is_console = true,
        .max_vcpus = vcpus,
        .max_pages = 64,
        .p2m_pages = 64,
        .max_grant_frames = 1,
        .max_maptrack_frames = 1,
        .max_evtchn_port = FIXTURE_MAX_PORT,
    };
    struct domain *d = fixture_domain_with(&c, 16);
    struct vcpu *v;

    for_each_vcpu (d, v)
        v->pause = 0;
    assert_int_equal(guest_console_attach(d, _gfn(RING_GFN)), 0);
    assert_int_equal(d->param[HVM_PARAM_CONSOLE_PFN], RING_GFN);
    screen_clear();
    return d;
}

/* The ring as the guest sees it. */
static inline struct xencons_interface *ring_of(struct domain *d)
{
    return fixture_gfn(d, RING_GFN);
}
static inline uint32_t port_of(struct domain *d)
{
    return (uint32_t)d->param[HVM_PARAM_CONSOLE_EVTCHN];
}
static inline bool port_pending(struct domain *d)
{
    uint64_t *word = &fixture_shared_info(d)->evtchn_pending[port_of(d) / 64];
    bool was = *word >> port_of(d) % 64 & 1;

    *word &= ~(1ULL << port_of(d) % 64);
    return was;
}

/* Writes as a front end does, as far as there is room; returns how many bytes went. */
static inline size_t ring_write(struct domain *d, const void *text, size_t n)
{
    struct xencons_interface *r = ring_of(d);
    size_t i;

    for (i = 0; i < n && r->out_prod - r->out_cons < sizeof(r->out); i++)
        r->out[r->out_prod++ % sizeof(r->out)] = ((const char *)text)[i];
    assert_int_equal(evtchn_send(d, port_of(d)), 0);
    return i;
}
static inline void ring_print(struct domain *d, const char *text)
{
    assert_int_equal(ring_write(d, text, strlen(text)), strlen(text));
}
/* Takes what has been typed. */
static inline size_t ring_read(struct domain *d, char *buf)
{
    struct xencons_interface *r = ring_of(d);
    size_t n = 0;

    while (r->in_cons != r->in_prod)
        buf[n++] = r->in[r->in_cons++ % sizeof(r->in)];
    buf[n] = '\0';
    return n;
}

static inline long console_call(struct domain *d, uint64_t cmd, uint64_t n, uint64_t at,
                                uint64_t arg[CALL_ARGS])
{
    struct call c = {.v = d->vcpu[0], .d = d, .nr = __HYPERVISOR_console_io, .arg = {cmd, n, at}};
    long result = do_console_io(&c);

    if (arg)
        memcpy(arg, c.arg, sizeof(c.arg));
    return result;
}

#endif

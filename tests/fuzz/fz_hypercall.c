/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences of hypercalls by three domains (64-bit, 32-bit, and one that may be a control domain)
 * on two CPUs, through the real loop: each input is a program of steps that call, write guest
 * memory, let CPUs run and time pass, stop, kill and make domains. After each step all invariants
 * hold (invariants.h), and references to domains are those that can be accounted for; at the end
 * every frame is back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/hypercall_shapes.h"
#include "invariants.h"

#include "core/clock.h"
#include "core/param.h"
#include "core/printk.h"
#include "domain/flush.h"
#include "domain/lifecycle.h"
#include "exit/exit.h"
#include "guest/guest.h"
#include "mem/heap.h"
#include "script.h"
#include "sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DOMAINS = 3, VCPUS = 2, CPUS = 2, PAGES = 32, TABLES = 28, STEPS = 200, ARG = 0x4000 };

static const uint8_t *in, *in_end;
static bool press, control;

static uint8_t u8(void)
{
    return in < in_end ? *in++ : 0;
}
static uint64_t u64(unsigned int bytes)
{
    uint64_t v = 0;

    for (unsigned int i = 0; i < bytes; i++)
        v |= (uint64_t)u8() << (8 * i);
    return v;
}

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* -- domains ---------------------------------------------------------------------------------- */

/* Long enough for everybody to get a turn within few passes. */
static void spin(struct vcpu *v, struct vmexit *x)
{
    (void)v, (void)x;
    sim_advance(MSEC(1));
}

static bool is_narrow(const struct domain *d)
{
    return d->id == 2;
}

/* Identity of the first 2 MiB; a 32-bit caller needs no tables. */
static void make_tables(struct domain *d)
{
    uint64_t *t[4];

    for (unsigned int i = 0; i < 4; i++) {
        t[i] = sim_phys(p2m_lookup(d, _gfn(TABLES + i)).mfn);
        if (i < 3)
            t[i][0] = (uint64_t)(TABLES + i + 1) << 12 | 7;
    }
    for (uint64_t i = 0; i < 512; i++)
        t[3][i] = i << 12 | 7;
}

static void make_vcpu(struct vcpu *v)
{
    struct virt_vcpu *s = script_of(v);

    script_long_mode(v, true);
    s->control.cr3 = TABLES << 12;
    s->control.cr4 = 0x20;
    if (is_narrow(v->domain)) {
        s->control = (struct vcpu_control){.cr0 = 0x11};
        s->segs.seg[SEG_CS] = (struct vcpu_segment){.attr = 0xc9b, .limit = 0xffffffff};
    }
    s->guest = spin;
}

static void make_domain(domid_t id)
{
    const struct domain_config c = {.id = id,
                                    .max_vcpus = VCPUS,
                                    .max_pages = 700,
                                    .p2m_pages = 24,
                                    .max_grant_frames = 1,
                                    .max_maptrack_frames = 1,
                                    .max_evtchn_port = 100,
                                    .is_control = control && id == 3,
                                    .is_console = id != 1};
    int err;
    struct domain *d = domain_find(id) ? NULL : domain_create(&c, &err);

    if (!d)
        return;
    for (uint64_t i = 0; i < PAGES; i++) {
        mfn_t mfn = domain_alloc_pages(d, 0, 0);
        if (mfn_eq(mfn, MFN_NONE) || p2m_set(d, _gfn(i), mfn, 0, P2M_RAM, NULL)) {
            domain_kill(d);
            return;
        }
    }
    make_tables(d);
    for (unsigned int i = 0; i < VCPUS; i++)
        make_vcpu(d->vcpu[i]);
    d->vcpu[0]->initialised = true;
    vcpu_up(d->vcpu[0]);
    require(!domain_unpause(d), "unpause");
}

/* As the supervisor does. */
static void event(struct domain *d)
{
    if (d->state == DOMAIN_SHUTDOWN)
        domain_kill(d);
}

static struct domain *pick_domain(uint8_t n)
{
    return domain_find((domid_t)(1 + n % DOMAINS));
}

/* -- running ---------------------------------------------------------------------------------- */

static void pass(void)
{
    for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
        sim_cpu_set(cpu);
        loop_pass();
        require(!this_cpu()->held_locks, "a lock is held");
    }
    sim_cpu_set(0);
}

static void check(void)
{
    const char *broken = invariants_broken(true);

    require(!broken, broken);
}

/* -- calls ------------------------------------------------------------------------------------ */

struct fuzz_call {
    uint64_t nr, arg[5];
};

/* Small numbers mostly: ports, references, handles, counts. */
static uint64_t number(void)
{
    uint8_t kind = u8();

    return kind < 0xf0 ? kind % 40u : kind < 0xf8 ? (uint64_t)kind << 8 | u8() : u64(8);
}

/* RAM, a few gfns without, starts of large pages, anything. */
static uint64_t gfn(void)
{
    uint8_t kind = u8();

    if (kind < 0x60)
        return kind % 40u;
    if (kind < 0xa0)
        return 0x100u + kind % 8u;
    return kind < 0xb0 ? kind % 8u * 512u : u64(kind % 9u);
}

static unsigned int field_size(char f, bool narrow)
{
    switch (f) {
    case 'b':
        return 1;
    case 'd':
    case 'h':
        return 2;
    case 'w':
        return 4;
    case 'n':
    case 'l':
        return narrow ? 4 : 8;
    default:
        return 8;
    }
}

static uint64_t field_value(char f, uint64_t list)
{
    switch (f) {
    case 'd': {
        uint8_t kind = u8();
        return kind < 0x40 ? DOMID_SELF : kind < 0xf0 ? kind % 5u : 0x7ff0u + kind % 16u;
    }
    case 'g':
    case 'n':
        return gfn();
    case 'a':
        return gfn() << 12;
    case 't':
        return (uint64_t)sim_now() + u64(3) * 64;
    case 'l':
        return list;
    case 'q':
        return u8() % 2 ? u64(8) : number();
    default:
        return number();
    }
}

/* Writes a structure at gpa in the layout of d's width; returns its size. */
static uint64_t put_fields(struct domain *d, uint64_t gpa, const char *fields, uint64_t list)
{
    bool narrow = is_narrow(d);
    uint64_t at = 0, most = 1;

    for (; *fields; fields++) {
        unsigned int size = field_size(*fields, narrow), align = min(size, narrow ? 4u : 8u);
        uint64_t value = field_value(*fields, list);
        struct p2m_entry e;

        at = ALIGN_UP(at, (uint64_t)align);
        most = max(most, (uint64_t)align);
        e = p2m_lookup(d, _gfn((gpa + at) >> 12));
        if (e.type == P2M_RAM)
            memcpy((char *)sim_phys(e.mfn) + (gpa + at) % PAGE_SIZE, &value, size);
        at += size;
    }
    return ALIGN_UP(at, most);
}

/* One call whose structures lie from `gpa` on, in one page. */
static struct fuzz_call make_call(struct domain *d, uint64_t gpa)
{
    const struct call_shape *s = &shapes[u8() % ARRAY_SIZE(shapes)];
    struct fuzz_call c = {.nr = s->nr, .arg = {s->op}};
    uint64_t list = gpa + 0x180;
    uint8_t odd = u8();

    for (unsigned int i = 1; i < 5; i++)
        c.arg[i] = number();
    if (s->nr == __HYPERVISOR_vcpu_op)
        c.arg[1] = odd % 2;
    if (s->nr == __HYPERVISOR_set_timer_op || s->nr == __HYPERVISOR_vm_assist)
        c.arg[0] = s->nr == __HYPERVISOR_set_timer_op ? field_value('t', 0) : number();
    if (s->list)
        for (uint64_t i = 0, at = list; i < 1u + odd % 8; i++)
            at += put_fields(d, at, s->list, 0);
    if (s->fields) {
        unsigned int n = s->nr == __HYPERVISOR_grant_table_op ? 1 + odd % 3 : 1;
        uint64_t at = gpa;
        c.arg[s->pointer] = gpa;
        for (unsigned int i = 0; i < n; i++)
            at += put_fields(d, at, s->fields, list);
        if (s->nr == __HYPERVISOR_grant_table_op)
            c.arg[2] = n;
    }
    if (odd >= 0xf0) /* something else somewhere */
        c.arg[odd % 5] = u64(8);
    return c;
}

static struct fuzz_call make_multicall(struct domain *d)
{
    unsigned int n = 1 + u8() % 4, words = is_narrow(d) ? 4 : 8;
    struct fuzz_call c = {.nr = __HYPERVISOR_multicall, .arg = {ARG + 0xc00, n}};

    for (unsigned int i = 0; i < n; i++) {
        struct fuzz_call e = make_call(d, ARG + 0x300 * i);
        struct p2m_entry p = p2m_lookup(d, _gfn(ARG >> 12));
        uint64_t entry[8] = {e.nr, 0, e.arg[0], e.arg[1], e.arg[2], e.arg[3], e.arg[4], 0};
        for (unsigned int k = 0; k < 8 && p.type == P2M_RAM; k++)
            memcpy((char *)sim_phys(p.mfn) + 0xc00 + (8 * i + k) * words, &entry[k], words);
    }
    return c;
}

static void calling(struct vcpu *v, struct vmexit *x)
{
    sim_advance(USEC(1));
    if (v->priv->regs.rip != 0x1000) {
        script_of(v)->guest = spin;
        return;
    }
    if (press)
        pcpu_raise(this_cpu()->id, WORK_CLOCK);
    x->reason = VMEXIT_HYPERCALL;
    x->len = 3;
    x->call.mode = (uint8_t)virt->mode(v);
    x->call.cpl = 0;
}

/* A vCPU that can run makes a call; one that cannot, or is in the middle of one, does not. Memory
 * may be out meanwhile. */
static void step_call(bool multi)
{
    static const uint8_t regs[2][5] = {{R_DI, R_SI, R_DX, R_10, R_8},
                                       {R_BX, R_CX, R_DX, R_SI, R_DI}};
    uint8_t who = u8();
    struct domain *d = pick_domain(who);
    struct vcpu *v = d ? d->vcpu[who / DOMAINS % VCPUS] : NULL;
    struct fuzz_call c;

    if (!v || v->pause || script_of(v)->guest == calling)
        return;
    c = multi ? make_multicall(d) : make_call(d, ARG);
    press = who & 0x80;
    sim_alloc_fail = who & 0x40 ? 1 + u8() % 8u : 0;
    v->priv->regs.rip = 0x1000;
    v->priv->regs.gpr[R_AX] = c.nr;
    for (unsigned int i = 0; i < 5; i++)
        v->priv->regs.gpr[regs[is_narrow(d)][i]] = c.arg[i];
    script_of(v)->guest = calling;
    /* Until it is through, sleeps, or is no more. */
    for (unsigned int i = 0; i < 40; i++) {
        pass();
        if (pick_domain(who) != d || v->pause || script_of(v)->guest != calling)
            break;
    }
    sim_alloc_fail = 0;
}

/* -- other steps ------------------------------------------------------------------------------ */

/* The guest writes its memory, whatever lies there. */
static void step_poke(void)
{
    struct domain *d = pick_domain(u8());
    uint64_t at = gfn(), offset = u64(2) % (PAGE_SIZE - 8), value = u64(4);
    struct p2m_entry e = {.type = P2M_HOLE};

    if (d)
        e = p2m_lookup(d, _gfn(at));
    if (e.type == P2M_RAM || e.type == P2M_GRANT)
        memcpy((char *)sim_phys(e.mfn) + offset, &value, 4);
}

/* It grants a page. */
static void step_grant(void)
{
    struct domain *d = pick_domain(u8());
    unsigned int ref = u8() % 40;
    struct grant_entry_v1 entry = {.flags = (uint16_t)(u8() % 8 ? 1 : u8()),
                                   .domid = (domid_t)(u8() % 5),
                                   .frame = (uint32_t)gfn()};
    mfn_t mfn;

    if (!d || d->state >= DOMAIN_DYING || grant_frame(d, 0, &mfn))
        return;
    memcpy((struct grant_entry_v1 *)sim_phys(mfn) + ref, &entry, sizeof(entry));
    page_put(page_of(mfn));
}

static void step_life(void)
{
    uint8_t what = u8();
    struct domain *d = pick_domain(what);

    switch (what >> 6) {
    case 0:
        make_domain((domid_t)(1 + what % DOMAINS));
        return;
    case 1:
        if (d)
            domain_kill(d);
        return;
    case 2:
        if (d)
            domain_pause(d);
        return;
    default:
        if (d)
            (void)domain_unpause(d);
        return;
    }
}

static void step(void)
{
    switch (u8() % 16) {
    case 0:
        step_poke();
        break;
    case 1:
    case 2:
        step_grant();
        break;
    case 3:
        step_life();
        break;
    case 4:
        for (unsigned int n = u8() % 32; n--;)
            pass();
        break;
    case 5:
        sim_advance((nsec_t)u64(3) * 16);
        break;
    case 6:
        step_call(true);
        break;
    default:
        step_call(false);
        break;
    }
}

static void quiet(const char *line, size_t n)
{
    if (panicking)
        fwrite(line, 1, n, stderr);
}

static void machine(void)
{
    sim_init(MIB(8), CPUS);
    console_sink = quiet;
    sim_kick_handler = flush_acknowledge;
    clock_tsc_hz = 1000000000;
    virt = &script_ops;
    pages_init();
    guest_init();
    strcpy(params.sched, "credit2");
    require(!sched_init(), "sched_init");
    domain_event_hook = event;
    /* Of each size a slab stays once there is one. */
    for (size_t size = 16; size <= 2048; size *= 2)
        kfree(kalloc(size));
    kpage_drain();
}

static void end(void)
{
    struct domain *d;

    for (int id = -1; (d = domain_next(id)); id = d->id, domain_put(d))
        domain_kill(d);
    for (unsigned int i = 0; i < 1000 && (pick_domain(0) || pick_domain(1) || pick_domain(2)); i++)
        pass();
    for (domid_t id = 1; id <= DOMAINS; id++)
        require(!domain_find(id), "a domain that does not go");
    for (unsigned int i = 0; i < 5; i++)
        pass();
    kpage_drain();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t frames;

    in = data;
    in_end = data + size;
    machine();
    frames = heap_free_pages();
    control = u8() % 4 == 0;
    for (domid_t id = 1; id <= DOMAINS; id++)
        make_domain(id);
    for (unsigned int i = 0; i < STEPS && in < in_end; i++) {
        step();
        check();
    }
    end();
    require(heap_free_pages() == frames, "frames that are lost");
    return 0;
}

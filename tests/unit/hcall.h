/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls by guests: a scripted vCPU in long mode behind page tables of its own, or in 32-bit
 * protected mode without paging, executes one hypercall with its registers and memory. Structures
 * that a test builds lie at ARG; linear and physical addresses are the same there.
 */
#ifndef TESTS_UNIT_HCALL_H
#define TESTS_UNIT_HCALL_H

#include "unit/lab.h"

#include "abi/compat.h"
#include "guest/hypercall/hypercall.h"

enum {
    HCALL_PAGES = 32,   /* RAM of a caller */
    HCALL_TABLES = 28,  /* gfns of its page tables */
    ARG = 0x4000,       /* two pages that are there */
    HOLE = 0x7000,      /* gfn 7 is not mapped, linear 0x7000 is */
    UNMAPPED = 0x300000 /* nothing in the page tables */
};

static struct vcpu *caller;
static bool compat;           /* 32-bit caller */
static unsigned int restarts; /* of the last call */

/* Identity of the first 2 MiB, in 4K pages. */
static inline void hcall_tables(struct domain *d)
{
    uint64_t *t[4];

    for (unsigned int i = 0; i < 4; i++) {
        t[i] = sim_phys(p2m_lookup(d, _gfn(HCALL_TABLES + i)).mfn);
        if (i < 3)
            t[i][0] = (uint64_t)(HCALL_TABLES + i + 1) << 12 | 7;
    }
    for (uint64_t i = 0; i < 512; i++)
        t[3][i] = i << 12 | 7;
    struct p2m_entry old;
    assert_int_equal(p2m_set(d, _gfn(HOLE >> 12), MFN_NONE, 0, P2M_HOLE, &old), 0);
    domain_put_page(d, page_of(old.mfn));
}

static inline void hcall_mode(struct vcpu *v, bool narrow)
{
    struct virt_vcpu *s = script_of(v);

    if (narrow) {
        s->control = (struct vcpu_control){.cr0 = 0x11};
        s->segs.seg[SEG_CS] = (struct vcpu_segment){.attr = 0xc9b, .limit = 0xffffffff};
    } else {
        script_long_mode(v, true);
        s->control.cr3 = HCALL_TABLES << 12;
        s->control.cr4 = 0x20;
    }
}

/* On CPU 0; v's domain is served from now on. */
static inline void hcall_load(struct vcpu *v)
{
    struct vcpu *old;

    sim_cpu_set(0);
    old = this_cpu()->loaded;
    if (old == v)
        return;
    if (old) {
        virt->unload(old);
        old->running = false;
    }
    loop_serve(v->domain);
    virt->load(v);
    this_cpu()->loaded = v;
    v->cpu = 0;
}

static inline void hcall_caller(struct vcpu *v, bool narrow)
{
    hcall_load(v);
    hcall_mode(v, narrow);
    caller = v;
    compat = narrow;
}

static inline struct domain *hcall_domain_with(struct domain_config c)
{
    struct domain *d = lab_domain_with(c, HCALL_PAGES);

    hcall_tables(d);
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        hcall_mode(d->vcpu[i], false);
    return d;
}

static inline struct domain *hcall_domain(domid_t id)
{
    struct domain_config c = lab_config;

    c.id = id;
    return hcall_domain_with(c);
}

static inline void hcall_end(void)
{
    if (this_cpu()->loaded) {
        virt->unload(this_cpu()->loaded);
        this_cpu()->loaded = NULL;
    }
    loop_serve(NULL);
    lab_check();
    lab_end();
}

/* -- memory and calls ------------------------------------------------------------------------- */

static inline uint8_t *hcall_mem(uint64_t gpa)
{
    struct p2m_entry e = p2m_lookup(caller->domain, _gfn(gpa >> 12));

    assert_true(e.type != P2M_HOLE);
    return (uint8_t *)sim_phys(e.mfn) + gpa % PAGE_SIZE;
}

/* At any place in the caller's RAM, across pages. */
static inline void hcall_put(uint64_t at, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *hcall_mem(at + i) = ((const uint8_t *)p)[i];
}
static inline void hcall_get(uint64_t at, void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)p)[i] = *hcall_mem(at + i);
}

/* As the guest has it: again and again until it is through. */
static inline long hcall5(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    struct vcpu_regs *r = &caller->priv->regs;

    r->gpr[R_AX] = nr;
    r->gpr[compat ? R_BX : R_DI] = a;
    r->gpr[compat ? R_CX : R_SI] = b;
    r->gpr[R_DX] = c;
    r->gpr[compat ? R_SI : R_10] = d;
    r->gpr[compat ? R_DI : R_8] = e;
    for (restarts = 0; !hypercall_execute(caller, virt->mode(caller)); restarts++)
        assert_true(restarts < 10000);
    assert_int_equal(this_cpu()->held_locks, 0);
    if (compat)
        assert_int_equal(r->gpr[R_AX] >> 32, 0);
    return compat ? (long)(int32_t)r->gpr[R_AX] : (long)r->gpr[R_AX];
}

static inline long hcall(uint32_t nr, uint64_t a, uint64_t b)
{
    return hcall5(nr, a, b, 0, 0, 0);
}
static inline long hcall3(uint32_t nr, uint64_t a, uint64_t b, uint64_t c)
{
    return hcall5(nr, a, b, c, 0, 0);
}

/* One sub-operation with its structure at ARG, both ways. */
static inline long hcall_struct(uint32_t nr, uint32_t op, void *p, size_t n)
{
    hcall_put(ARG, p, n);
    long result = hcall(nr, op, ARG);
    hcall_get(ARG, p, n);
    return result;
}

/* Pointers that do not lead to memory are -EFAULT, whatever the reason. */
static inline void hcall_bad_pointers(uint32_t nr, uint32_t op)
{
    assert_int_equal(hcall(nr, op, HOLE), -XEN_EFAULT);
    assert_int_equal(hcall(nr, op, HOLE - 1), -XEN_EFAULT);
    assert_int_equal(hcall(nr, op, compat ? 0xfffffff0 : UNMAPPED), -XEN_EFAULT);
    if (!compat)
        assert_int_equal(hcall(nr, op, 0x8000000000000000), -XEN_EFAULT);
}

/* Something else is to be done soon: long calls give way. */
static inline void hcall_press(bool on)
{
    this_cpu()->shared->work = on ? WORK_CLOCK : 0;
}

/* for (EACH_MODE): as a 64-bit and as a 32-bit caller. */
#define EACH_MODE                                     \
    int mode_ = 0;                                    \
    mode_ < 2 && (hcall_caller(caller, mode_), true); \
    mode_++

#endif

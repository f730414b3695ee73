/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit/ex_msr.c and msr_state.c: exactly the MSRs that a guest is to have can be read and written,
 * all others are #GP; reserved values are #GP and change nothing.
 */
#include "unit/vm.h"

#include "domain/shared.h"

#include "port/mem.h"

static struct domain *d;
static struct vcpu *v;

static void start(void)
{
    static domid_t id;

    vm_machine(1);
    d = vm_create(++id, 2);
    v = d->vcpu[0];
}

/* As the guest executes it; false: #GP(0), and rip did not move. */
static bool run(bool write)
{
    struct virt_vcpu *s = script_of(v);
    struct vmexit x = {.reason = VMEXIT_MSR, .msr.write = write};

    v->priv->regs.rip = 0x1000;
    s->pending.valid = false;
    exit_dispatch(v, &x);
    if (!s->pending.valid) {
        assert_int_equal(v->priv->regs.rip, 0x1002);
        return true;
    }
    assert_int_equal(s->pending.vector, 13);
    assert_int_equal(s->pending.type, EVENT_EXCEPTION);
    assert_true(s->pending.has_error && s->pending.error == 0);
    assert_int_equal(v->priv->regs.rip, 0x1000);
    return false;
}

static bool get(uint32_t msr, uint64_t *value)
{
    uint64_t *gpr = v->priv->regs.gpr;

    gpr[R_AX] = gpr[R_DX] = 0x1122334455667788;
    gpr[R_CX] = 0xffffffff00000000 | msr;
    if (!run(false)) {
        assert_int_equal(gpr[R_AX], 0x1122334455667788);
        return false;
    }
    assert_int_equal(gpr[R_AX] >> 32, 0);
    assert_int_equal(gpr[R_DX] >> 32, 0);
    *value = gpr[R_DX] << 32 | gpr[R_AX];
    return true;
}

static bool set(uint32_t msr, uint64_t value)
{
    uint64_t *gpr = v->priv->regs.gpr;

    gpr[R_AX] = 0xffffffff00000000 | (uint32_t)value;
    gpr[R_DX] = 0xffffffff00000000 | value >> 32;
    gpr[R_CX] = msr;
    return run(true);
}

static uint64_t must_get(uint32_t msr)
{
    uint64_t value;

    assert_true(get(msr, &value));
    return value;
}

/* What a guest finds at its start. ANY: depends. */
#define ANY 0xa5a5a5a5a5a5a5a5ULL
static const struct {
    uint32_t msr;
    uint64_t value;
} present[] = {
    {0x10, ANY},     {0x1b, 0xfee00900}, {0x3b, 0},       {0x8b, 0x0a201016},
    {0xfe, 0x508},   {0x174, 0},         {0x175, 0},      {0x176, 0},
    {0x179, 0},      {0x17a, 0},         {0x1d9, 0},      {0x277, 0x0007040600070406},
    {0x2ff, 0x806},  {0x6e0, 0},         {0x40000000, 0}, {0xc0000080, 0x500},
    {0xc0000081, 0}, {0xc0000082, 0},    {0xc0000083, 0}, {0xc0000084, 0},
    {0xc0000100, 0}, {0xc0000101, 0},    {0xc0000102, 0}, {0xc0000103, 0},
    {0xc0010010, 0}, {0xc0010015, 0},    {0xc001001f, 0}, {0xc0010055, 0},
    {0xc0011029, 2},
};

static uint64_t expected(uint32_t msr, bool *there)
{
    *there = (msr >= 0x200 && msr < 0x210) || msr == 0x250 || msr == 0x258 || msr == 0x259 ||
             (msr >= 0x268 && msr < 0x270);
    for (unsigned int i = 0; i < ARRAY_SIZE(present); i++)
        if (present[i].msr == msr) {
            *there = true;
            return present[i].value;
        }
    return 0;
}

static void sweep(void **state)
{
    static const uint32_t bases[] = {0, 0x40000000, 0xc0000000, 0xc0010000, 0x80000000, 0xffffe000};

    start();
    for (unsigned int i = 0; i < ARRAY_SIZE(bases); i++)
        for (uint32_t n = 0; n < 0x2000; n++) {
            uint64_t value = 0, want;
            bool there;

            want = expected(bases[i] + n, &there);
            assert_int_equal(get(bases[i] + n, &value), there);
            if (there && want != ANY)
                assert_int_equal(value, want);
            if (!there)
                assert_false(set(bases[i] + n, 0));
        }
}

static void efer(void **state)
{
    start();
    assert_true(set(0xc0000080, 0xd01)); /* LMA as it is */
    assert_int_equal(must_get(0xc0000080), 0xd01);
    assert_true(set(0xc0000080, 0x901)); /* LMA is not software's */
    assert_int_equal(must_get(0xc0000080), 0xd01);
    assert_false(set(0xc0000080, 0x1d01)); /* SVME */
    assert_false(set(0xc0000080, 0x4d01)); /* FFXSR */
    assert_false(set(0xc0000080, 0xc01));  /* LME cleared while paging is on */
    assert_int_equal(must_get(0xc0000080), 0xd01);
    script_of(v)->control.cr0 &= ~(1ULL << 31);
    script_of(v)->control.efer = 0;
    assert_true(set(0xc0000080, 0x100));
    assert_int_equal(must_get(0xc0000080), 0x100);
}

static void values(void **state)
{
    static const uint32_t addresses[] = {0x175,      0x176,      0xc0000082, 0xc0000083,
                                         0xc0000100, 0xc0000101, 0xc0000102};

    start();
    for (unsigned int i = 0; i < ARRAY_SIZE(addresses); i++) {
        assert_true(set(addresses[i], 0xffff800000001000));
        assert_false(set(addresses[i], 0x0000800000000000));
        assert_int_equal(must_get(addresses[i]), 0xffff800000001000);
    }
    assert_int_equal(script_of(v)->sysregs.lstar, 0xffff800000001000);
    assert_int_equal(script_of(v)->segs.seg[SEG_GS].base, 0xffff800000001000);
    assert_true(set(0xc0000103, 0x12345678)); /* TSC_AUX */
    assert_false(set(0xc0000103, 1ULL << 32));
    assert_int_equal(must_get(0xc0000103), 0x12345678);
    assert_false(set(0xc0000084, 1ULL << 32));
    assert_true(set(0xc0000081, 0x0023001000000000));
    assert_int_equal(script_of(v)->sysregs.star, 0x0023001000000000);
    assert_true(set(0x277, 0x0706050401000706));
    assert_false(set(0x277, 0x0706050401000702)); /* types 2 and 3 are reserved */
    assert_false(set(0x277, 0x0306050401000706));
    assert_false(set(0x277, 0x0806050401000706));
    assert_int_equal(must_get(0x277), 0x0706050401000706);
    assert_true(set(0x1d9, 0));
    assert_false(set(0x1d9, 1));
    assert_false(set(0x179, 0));
    assert_true(set(0x8b, 0));
    assert_false(set(0x8b, 1));
    assert_true(set(0xc0010015, 1u << 6)); /* HWCR: dropped */
    assert_int_equal(must_get(0xc0010015), 0);
}

static void mtrrs(void **state)
{
    uint64_t beyond;

    start();
    beyond = 1ULL << d->p2m.bits;
    assert_false(set(0xfe, 0x508));
    assert_true(set(0x2ff, 0xc06));
    assert_false(set(0x2ff, 0x1000));
    assert_false(set(0x2ff, 2));
    assert_int_equal(must_get(0x2ff), 0xc06);
    assert_true(set(0x20e, 0xfffff000 | 6));
    assert_true(set(0x20f, 0xfffff000 | 0x800));
    assert_int_equal(must_get(0x20e), 0xfffff006);
    assert_int_equal(must_get(0x20f), 0xfffff800);
    assert_false(set(0x20e, 7));
    assert_false(set(0x20e, 0x106));
    assert_false(set(0x20f, 0x400));
    assert_false(set(0x200, beyond | 6));
    assert_false(set(0x201, beyond));
    assert_true(set(0x268, 0x0606060605050404));
    assert_false(set(0x268, 0x0706060605050404));
    assert_int_equal(must_get(0x268), 0x0606060605050404);
    assert_int_equal(must_get(0x269), 0);
}

static void tsc(void **state)
{
    uint64_t now;

    start();
    now = must_get(0x10);
    assert_int_equal(now, cpu_tsc() + script_of(v)->tsc_offset);
    v->work = 0;
    assert_true(set(0x10, 1000000));
    assert_int_equal(must_get(0x10), 1000000);
    assert_int_equal(cpu_tsc() + script_of(v)->tsc_offset, 1000000);
    assert_int_equal(v->work & VWORK_TIME, VWORK_TIME); /* its time record follows */
    sim_advance(500);
    assert_int_equal(must_get(0x10), 1000500);
    assert_int_equal(d->vcpu[1]->tsc_adjust, 0);
    assert_int_equal(must_get(0x3b), (uint64_t)v->tsc_adjust);
    now = must_get(0x10);
    assert_true(set(0x3b, must_get(0x3b) + 777));
    assert_int_equal(must_get(0x10), now + 777);
}

static void apic(void **state)
{
    start();
    assert_true(set(0x1b, 0xfee00c00));
    assert_int_equal(must_get(0x1b), 0xfee00d00);
    assert_int_equal(must_get(0x803), 0x50014);
    assert_false(set(0x803, 0));
    assert_true(set(0x80f, 0x1ff));
    assert_true(set(0x83f, 0x66));
    assert_int_equal(vlapic_pending(v), 0x66);
}

static void hypercall_page(void **state)
{
    start();
    uint8_t *page = vm_ram(d, 5);
    assert_int_equal(p2m_set(d, _gfn(6), MFN_NONE, 0, P2M_HOLE, NULL), 0);
    assert_false(set(0x40000000, 0x5008)); /* not a page */
    assert_false(set(0x40000000, 0x6000)); /* no memory */
    assert_false(set(0x40000000, 1ULL << 60));
    assert_int_equal(page[0], 0);
    d->wide = false;
    assert_true(set(0x40000000, 0x5000));
    static const uint8_t stub[] = {0xb8, 17, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3};
    assert_memory_equal(page + 17 * 32, stub, sizeof(stub));
    assert_true(d->wide); /* sampled: long mode */
    script_of(v)->segs.seg[SEG_CS].attr = 0xc9b;
    assert_true(set(0x40000000, 0x5000));
    assert_false(d->wide);
    assert_int_equal(must_get(0x40000000), 0);
    v->loading = true; /* the loader has no such thing */
    assert_false(set(0x40000000, 0x5000));
    v->loading = false;
}

UNIT_MAIN(cmocka_unit_test(sweep), cmocka_unit_test(efer), cmocka_unit_test(values),
          cmocka_unit_test(mtrrs), cmocka_unit_test(tsc), cmocka_unit_test(apic),
          cmocka_unit_test(hypercall_page))

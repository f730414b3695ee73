/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arch/x86/dev/vlapic*.c: registers and their reserved bits in both modes, the base MSR's
 * transitions, priorities against a simple model, requests to an APIC that is off, and who gets an
 * IPI. The timer is in vlapic_timer_test.c, starting vCPUs in vlapic_start_test.c.
 */
#include "unit/vm.h"

#include "domain/shared.h"

#include "port/mem.h"

#define BASE_XAPIC  0xfee00800ULL
#define BASE_X2APIC 0xfee00c00ULL

static struct domain *d;
static struct vcpu *v;

static uint32_t reg_get(uint32_t offset)
{
    uint64_t value;

    value = bus_read(v, BUS_MMIO, VLAPIC_BASE + offset, 4);
    return (uint32_t)value;
}

static void reg_set(uint32_t offset, uint32_t value)
{
    bus_write(v, BUS_MMIO, VLAPIC_BASE + offset, 4, value);
}

static void start(unsigned int vcpus)
{
    static domid_t id;

    vm_machine(1);
    d = vm_create(++id, vcpus);
    v = d->vcpu[0];
}

static void enable(struct vcpu *w, bool x2)
{
    uint64_t base = vlapic_base_msr(w);

    if (x2)
        assert_true(vlapic_write_msr(w, 0x1b, base | 0xc00));
    v = w;
    if (x2)
        assert_true(vlapic_write_msr(w, 0x80f, 0x1ff));
    else
        reg_set(0xf0, 0x1ff);
    v = d->vcpu[0];
}

/* The vector that would be delivered is taken; -1: none. */
static int take(struct vcpu *w)
{
    int vector = vlapic_pending(w);

    if (vector >= 0 && vector >> 4 > vlapic_get_tpr(w)) {
        vlapic_accept(w, (uint8_t)vector);
        return vector;
    }
    return -1;
}

static void page_after_reset(void **state)
{
    start(3);
    v = d->vcpu[2];
    assert_int_equal(reg_get(0x20), 4u << 24);
    assert_int_equal(reg_get(0x30), 0x50014);
    assert_int_equal(reg_get(0xd0), 0);
    assert_int_equal(reg_get(0xe0), 0xffffffff);
    assert_int_equal(reg_get(0xf0), 0xff);
    for (uint32_t o = 0x320; o <= 0x370; o += 0x10)
        assert_int_equal(reg_get(o), 0x10000);
    for (uint32_t o = 0x100; o < 0x280; o += 0x10)
        assert_int_equal(reg_get(o), 0);
    assert_int_equal(vlapic_base_msr(v), BASE_XAPIC);
    assert_int_equal(vlapic_base_msr(d->vcpu[0]), BASE_XAPIC | 0x100);
    assert_int_equal(vlapic_id(v), 4);
}

static void page_writes(void **state)
{
    static const struct {
        uint32_t offset, kept, fixed;
    } rows[] = {
        {0x20, 0, 0},
        {0x30, 0, 0x50014},
        {0x80, 0xff, 0},
        {0xd0, 0xff000000, 0},
        {0xe0, 0xf0000000, 0xfffffff},
        {0xf0, 0x3ff, 0},
        {0x310, 0xff000000, 0},
        {0x320, 0x700ff, 0},
        {0x330, 0x107ff, 0},
        {0x340, 0x107ff, 0},
        {0x350, 0x1a7ff, 0},
        {0x360, 0x1a7ff, 0},
        {0x370, 0x100ff, 0},
        {0x3e0, 0xb, 0},
    };

    start(1);
    enable(v, false);
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        reg_set(rows[i].offset, 0xffffffff);
        assert_int_equal(reg_get(rows[i].offset), rows[i].kept | rows[i].fixed);
        if (rows[i].offset != 0xf0)
            reg_set(rows[i].offset, 0);
    }
    assert_int_equal(script_of(v)->tpr, 0);
    /* SVR off masks the LVTs, and they cannot be unmasked until it is on. */
    reg_set(0xf0, 0xff);
    reg_set(0x350, 0x30);
    assert_int_equal(reg_get(0x350), 0x10030);
    reg_set(0xf0, 0x1ff);
    reg_set(0x350, 0x30);
    assert_int_equal(reg_get(0x350), 0x30);
}

static void page_sizes(void **state)
{
    uint64_t value;

    start(1);
    value = bus_read(v, BUS_MMIO, VLAPIC_BASE + 0x32, 1);
    assert_int_equal(value, 5);
    value = bus_read(v, BUS_MMIO, VLAPIC_BASE + 0x30, 2);
    assert_int_equal(value, 0x14);
    value = bus_read(v, BUS_MMIO, VLAPIC_BASE + 0x30, 8);
    assert_int_equal(value, 0x50014);
    value = bus_read(v, BUS_MMIO, VLAPIC_BASE + 0x34, 4);
    assert_int_equal(value, 0);
    bus_write(v, BUS_MMIO, VLAPIC_BASE + 0x80, 1, 0x50); /* partial writes do nothing */
    bus_write(v, BUS_MMIO, VLAPIC_BASE + 0x84, 4, 0x50);
    assert_int_equal(reg_get(0x80), 0);
}

static void errors(void **state)
{
    start(1);
    enable(v, false);
    assert_int_equal(reg_get(0x40), 0); /* reserved */
    reg_set(0x280, 0);
    assert_int_equal(reg_get(0x280), 0x80);
    reg_set(0x280, 0);
    assert_int_equal(reg_get(0x280), 0);
    reg_set(0x370, 0xe0);    /* the error interrupt, on */
    reg_set(0x300, 0x4000f); /* fixed, to self, vector 15 */
    assert_int_equal(take(v), 0xe0);
    reg_set(0x280, 0);
    assert_int_equal(reg_get(0x280), 0x20);
    reg_set(0x7f0, 1);
    reg_set(0x280, 0);
    assert_int_equal(reg_get(0x280), 0x80);
}

/* What may be read and written as an x2APIC MSR, and with which bits. */
static void x2apic_rules(void **state)
{
    uint64_t value;

    start(1);
    for (uint32_t msr = 0x800; msr < 0x900; msr++) { /* not in xAPIC mode */
        assert_false(vlapic_read_msr(v, msr, &value));
        assert_false(vlapic_write_msr(v, msr, 0));
    }
    enable(v, true);
    for (uint32_t msr = 0x800; msr < 0x900; msr++) {
        uint32_t n = msr - 0x800;
        bool bank = n >= 0x10 && n < 0x28, lvt = n >= 0x32 && n <= 0x37;
        bool readable = bank || lvt || n == 2 || n == 3 || n == 8 || n == 10 || n == 13 ||
                        n == 15 || n == 0x28 || n == 0x30 || n == 0x38 || n == 0x39 || n == 0x3e;
        bool writable = lvt || n == 8 || n == 11 || n == 15 || n == 0x28 || n == 0x38 || n == 0x3e;

        assert_int_equal(vlapic_read_msr(v, msr, &value), readable);
        if (n == 0x30 || n == 0x3f)
            continue;
        assert_int_equal(vlapic_write_msr(v, msr, n == 15 ? 0x1ff : 0), writable);
        assert_false(vlapic_write_msr(v, msr, 1ULL << 32));
    }
    assert_false(vlapic_write_msr(v, 0x808, 0x100));
    assert_false(vlapic_write_msr(v, 0x80b, 1));
    assert_false(vlapic_write_msr(v, 0x828, 1));
    assert_false(vlapic_write_msr(v, 0x830, 0x1000)); /* delivery status */
    assert_false(vlapic_write_msr(v, 0x832, 0x100));
    assert_true(vlapic_write_msr(v, 0x835, 0x15700)); /* read-only bits: Linux writes them */
    assert_true(vlapic_read_msr(v, 0x835, &value) && value == 0x10700);
    assert_false(vlapic_write_msr(v, 0x837, 0x4000));
    assert_false(vlapic_write_msr(v, 0x83e, 4));
    assert_false(vlapic_write_msr(v, 0x83f, 0x100));
    assert_true(vlapic_write_msr(v, 0x83f, 0x55));
    assert_int_equal(take(v), 0x55);
    assert_true(vlapic_read_msr(v, 0x802, &value) && value == 0);
    assert_true(vlapic_read_msr(v, 0x80d, &value) && value == 1);
    value = bus_read(v, BUS_MMIO, VLAPIC_BASE + 0x30, 4); /* the page is not there */
    assert_int_equal(value, 0xffffffff);
}

static void base_transitions(void **state)
{
    static const uint64_t off = 0xfee00000, x = BASE_XAPIC, x2 = BASE_X2APIC, bad = 0xfee00400;
    static const struct {
        uint64_t from, to;
        bool ok;
    } rows[] = {
        {off, x, true},  {off, x2, false}, {off, bad, false}, {x, off, true},   {x, x2, true},
        {x, bad, false}, {x2, off, true},  {x2, x, false},    {x2, bad, false},
    };

    start(1);
    assert_false(vlapic_write_msr(v, 0x1b, 0xfed00800));
    assert_false(vlapic_write_msr(v, 0x1b, x | 1));
    assert_false(vlapic_write_msr(v, 0x1b, x | 1ULL << 60));
    assert_true(vlapic_write_msr(v, 0x1b, x)); /* BSP is read-only */
    assert_int_equal(vlapic_base_msr(v), x | 0x100);
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_true(vlapic_write_msr(v, 0x1b, off));
        if (rows[i].from != off)
            assert_true(vlapic_write_msr(v, 0x1b, x));
        if (rows[i].from == x2)
            assert_true(vlapic_write_msr(v, 0x1b, x2));
        assert_int_equal(vlapic_write_msr(v, 0x1b, rows[i].to), rows[i].ok);
        assert_int_equal(vlapic_base_msr(v), 0x100 | (rows[i].ok ? rows[i].to : rows[i].from));
        assert_int_equal(intc->present(v), !!(vlapic_base_msr(v) & 0x800));
    }
}

/* Random requests, deliveries, EOIs and TPRs against sets of vectors. */
static void priorities(void **state)
{
    bool irr[256] = {0}, isr[256] = {0};
    uint8_t tpr = 0;

    start(1);
    enable(v, false);
    srand(7);
    for (int step = 0; step < 20000; step++) {
        int irr_top = -1, isr_top = -1, vector = 16 + rand() % 240;

        switch (rand() % 5) {
        case 0:
        case 1:
            intc->request(v, (uint8_t)vector);
            irr[vector] = true;
            break;
        case 2:
            reg_set(0xb0, 0);
            for (int i = 0; i < 256; i++)
                isr_top = isr[i] ? i : isr_top;
            if (isr_top >= 0)
                isr[isr_top] = false;
            break;
        case 3:
            tpr = (uint8_t)rand();
            reg_set(0x80, tpr);
            assert_int_equal(script_of(v)->tpr, tpr >> 4);
            break;
        default:
            break;
        }
        irr_top = isr_top = -1;
        for (int i = 0; i < 256; i++) {
            irr_top = irr[i] ? i : irr_top;
            isr_top = isr[i] ? i : isr_top;
            assert_int_equal(reg_get(0x200 + (uint32_t)i / 32 * 16) >> (i % 32) & 1, irr[i]);
        }
        bool above = irr_top >= 0 && irr_top >> 4 > (isr_top < 0 ? -1 : isr_top >> 4);
        assert_int_equal(vlapic_pending(v), above ? irr_top : -1);
        int isr_class = isr_top < 0 ? 0 : isr_top & 0xf0;
        assert_int_equal(reg_get(0xa0), tpr >> 4 >= isr_class >> 4 ? tpr : isr_class);
        assert_int_equal(intc->has_interrupt(v), above && irr_top >> 4 > tpr >> 4);
        if (rand() % 2 && above && irr_top >> 4 > tpr >> 4) {
            assert_int_equal(take(v), irr_top);
            irr[irr_top] = false;
            isr[irr_top] = true;
        }
    }
}

/* CR8 is the TPR's upper half, whoever wrote it last. */
static void tpr_and_cr8(void **state)
{
    start(1);
    reg_set(0x80, 0x35);
    assert_int_equal(script_of(v)->tpr, 3);
    assert_int_equal(reg_get(0x80), 0x35);
    script_of(v)->tpr = 9;
    assert_int_equal(reg_get(0x80), 0x90);
    vlapic_set_tpr(v, 2);
    assert_int_equal(vlapic_get_tpr(v), 2);
}

static void requests(void **state)
{
    start(1);
    v->work = 0;
    intc->request(v, 0x40); /* software disabled: dropped */
    assert_int_equal(vlapic_pending(v), -1);
    assert_false(intc->enabled(v));
    enable(v, false);
    assert_true(intc->enabled(v));
    v->work = 0;
    __atomic_store_n(&v->pause, VPAUSE_BLOCKED, __ATOMIC_SEQ_CST);
    intc->request(v, 0x40);
    assert_int_equal(v->work & VWORK_EVENT, VWORK_EVENT);
    assert_int_equal(v->pause, 0); /* woken */
    assert_int_equal(take(v), 0x40);
    v->work = 0;
    reg_set(0xb0, 0);
    assert_int_equal(v->work & VWORK_EVENT, 0);
    intc->request(v, 0x41);
    assert_int_equal(take(v), 0x41);
    intc->request(v, 0x42);
    v->work = 0;
    reg_set(0xb0, 0); /* more is waiting: look again */
    assert_int_equal(v->work & VWORK_EVENT, VWORK_EVENT);
}

/* An upcall that came while the APIC was off is asked for again (addendum B1.4). */
static void enable_rerequests_upcall(void **state)
{
    struct vcpu_info *info;

    start(1);
    v->upcall_vector = 0xf3;
    enable(v, false);
    assert_int_equal(vlapic_pending(v), -1); /* nothing is pending */
    reg_set(0xf0, 0xff);
    info = vcpu_info_map(v);
    mem_store8(&info->evtchn_upcall_pending, 1);
    shared_unmap(info);
    reg_set(0xf0, 0x1ff);
    assert_int_equal(take(v), 0xf3);
    reg_set(0xb0, 0);
    reg_set(0xf0, 0x1fe); /* on already */
    assert_int_equal(vlapic_pending(v), -1);
}

/* Bit i of the result: vCPU i got `vector`. */
static unsigned int who(uint8_t vector)
{
    unsigned int got = 0;

    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (vlapic_pending(d->vcpu[i]) == vector) {
            vlapic_accept(d->vcpu[i], vector);
            got |= 1u << i;
            struct vcpu *saved = v;
            v = d->vcpu[i];
            if (vlapic_base_msr(v) & 0x400)
                assert_true(vlapic_write_msr(v, 0x80b, 0));
            else
                reg_set(0xb0, 0);
            v = saved;
        }
    return got;
}

static void ipi(uint32_t dest, uint32_t command)
{
    reg_set(0x310, dest << 24);
    reg_set(0x300, command);
}

static void ipi_xapic(void **state)
{
    start(4);
    for (unsigned int i = 0; i < 4; i++)
        enable(d->vcpu[i], false);
    ipi(2, 0x41);
    assert_int_equal(who(0x41), 1u << 1);
    ipi(3, 0x41); /* nobody's id */
    assert_int_equal(who(0x41), 0);
    ipi(0xff, 0x41);
    assert_int_equal(who(0x41), 15);
    ipi(0, 0x40042); /* self, all, all but self */
    assert_int_equal(who(0x42), 1);
    ipi(0, 0x80042);
    assert_int_equal(who(0x42), 15);
    ipi(0, 0xc0042);
    assert_int_equal(who(0x42), 14);
    for (unsigned int i = 0; i < 4; i++) { /* flat */
        v = d->vcpu[i];
        reg_set(0xd0, 1u << (24 + i));
    }
    v = d->vcpu[0];
    ipi(0xa, 0x843);
    assert_int_equal(who(0x43), 10);
    ipi(0xff, 0x843);
    assert_int_equal(who(0x43), 15);
    for (unsigned int i = 0; i < 4; i++) { /* clusters 0 and 1 of two */
        v = d->vcpu[i];
        reg_set(0xe0, 0);
        reg_set(0xd0, (i / 2) << 28 | 1u << (24 + i % 2));
    }
    v = d->vcpu[0];
    ipi(0x13, 0x844);
    assert_int_equal(who(0x44), 12);
    ipi(0x02, 0x844);
    assert_int_equal(who(0x44), 2);
    ipi(0x23, 0x844);
    assert_int_equal(who(0x44), 0);
}

static void ipi_lowest_priority(void **state)
{
    start(4);
    for (unsigned int i = 0; i < 4; i++)
        enable(d->vcpu[i], false);
    for (unsigned int i = 0; i < 4; i++)
        vlapic_set_tpr(d->vcpu[i], i == 2 ? 1 : 5);
    ipi(0xff, 0x141);
    assert_int_equal(who(0x41), 4);
    vlapic_set_tpr(d->vcpu[2], 5);
    ipi(0xff, 0x141); /* equals: the first after the sender */
    assert_int_equal(who(0x41), 2);
    v = d->vcpu[1];
    reg_set(0xf0, 0xff); /* who is off takes no part */
    v = d->vcpu[0];
    ipi(0xff, 0x141);
    assert_int_equal(who(0x41), 4);
}

static void ipi_x2apic(void **state)
{
    start(20);
    for (unsigned int i = 0; i < 20; i++)
        enable(d->vcpu[i], true);
    assert_true(vlapic_write_msr(v, 0x830, 38ULL << 32 | 0x41));
    assert_int_equal(who(0x41), 1u << 19);
    assert_true(vlapic_write_msr(v, 0x830, 0xffffffffULL << 32 | 0x41));
    assert_int_equal(who(0x41), 0xfffff);
    /* id 2n is bit 2n mod 16 of cluster 2n / 16 */
    assert_true(vlapic_write_msr(v, 0x830, 0x0001fff1ULL << 32 | 0x842));
    assert_int_equal(who(0x42), 0xfd00);
    assert_true(vlapic_write_msr(v, 0x830, 0x00020015ULL << 32 | 0x842));
    assert_int_equal(who(0x42), 0x70000);
    assert_true(vlapic_write_msr(v, 0x830, 0xc0043));
    assert_int_equal(who(0x43), 0xffffe);
}

static void nmi(void **state)
{
    start(2);
    enable(d->vcpu[1], false);
    enable(v, false);
    ipi(2, 0x400);
    assert_true(d->vcpu[1]->nmi_pending);
    assert_false(v->nmi_pending);
    assert_int_equal(d->vcpu[1]->work & VWORK_EVENT, VWORK_EVENT);
}

UNIT_MAIN(cmocka_unit_test(page_after_reset), cmocka_unit_test(page_writes),
          cmocka_unit_test(page_sizes), cmocka_unit_test(errors), cmocka_unit_test(x2apic_rules),
          cmocka_unit_test(base_transitions), cmocka_unit_test(priorities),
          cmocka_unit_test(tpr_and_cr8), cmocka_unit_test(requests),
          cmocka_unit_test(enable_rerequests_upcall), cmocka_unit_test(ipi_xapic),
          cmocka_unit_test(ipi_lowest_priority), cmocka_unit_test(ipi_x2apic),
          cmocka_unit_test(nmi))

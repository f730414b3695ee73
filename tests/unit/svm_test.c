/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: a new VMCB intercepts all that must never run in a guest unseen (the list of
 * docs/hardware-traps.md); every hardware exit code becomes the right neutral record; the entry
 * audit finds each broken rule and nothing in a good VMCB.
 */
#include "unit/unit.h"

#include "arch/x86/svm/svm.h"

struct svm_features svm_features;

#define VECTOR(n) (1u << (n))

static void intercepts(void **state)
{
    static const uint32_t want[5] = {
        ICEPT_CR_WRITE(4),
        ICEPT_DR_ALL,
        VECTOR(1) | VECTOR(6) | VECTOR(17) | VECTOR(18),
        ICEPT_INTR | ICEPT_NMI | ICEPT_SMI | ICEPT_INIT | ICEPT_RDPMC | ICEPT_CPUID | ICEPT_INVD |
            ICEPT_HLT | ICEPT_INVLPGA | ICEPT_IOIO | ICEPT_MSR | ICEPT_TASK | ICEPT_FERR |
            ICEPT_SHUTDOWN,
        ICEPT_VMRUN | ICEPT_VMMCALL | ICEPT_VMLOAD | ICEPT_VMSAVE | ICEPT_STGI | ICEPT_CLGI |
            ICEPT_SKINIT | ICEPT_WBINVD | ICEPT_MONITOR | ICEPT_MWAIT | ICEPT_MWAIT_ARMED |
            ICEPT_XSETBV,
    };
    struct vmcb c = {0};

    (void)state;
    svm_features = (struct svm_features){0};
    exitmap_intercepts(&c);
    for (unsigned int i = 0; i < ARRAY_SIZE(want); i++)
        assert_int_equal(c.intercept[i], want[i]);
    assert_int_equal(c.pause_count, 0);
    svm_features.pause_filter = true;
    exitmap_intercepts(&c);
    assert_int_equal(c.intercept[3], want[3] | ICEPT_PAUSE);
    assert_int_not_equal(c.pause_count, 0);
}

static struct vmexit mapped(struct vmcb *c, uint64_t code)
{
    struct vmexit x;

    memset(&x, 0xa5, sizeof(x));
    c->exitcode = code;
    exitmap(c, &x);
    return x;
}

static void plain_reasons(void **state)
{
    static const struct {
        uint64_t code;
        enum vmexit_reason reason;
    } rows[] = {
        {0x60, VMEXIT_NONE},      {0x61, VMEXIT_NONE},        {0x62, VMEXIT_NONE},
        {0x63, VMEXIT_NONE},      {0x64, VMEXIT_INTR_WINDOW}, {0x6e, VMEXIT_RDTSC},
        {0x6f, VMEXIT_RDPMC},     {0x72, VMEXIT_CPUID},       {0x74, VMEXIT_NMI_WINDOW},
        {0x76, VMEXIT_WBINVD},    {0x77, VMEXIT_PAUSE},       {0x78, VMEXIT_HLT},
        {0x7a, VMEXIT_UNDEFINED}, {0x7d, VMEXIT_TASK_SWITCH}, {0x7f, VMEXIT_SHUTDOWN},
        {0x80, VMEXIT_UNDEFINED}, {0x81, VMEXIT_HYPERCALL},   {0x82, VMEXIT_UNDEFINED},
        {0x83, VMEXIT_UNDEFINED}, {0x84, VMEXIT_UNDEFINED},   {0x85, VMEXIT_UNDEFINED},
        {0x86, VMEXIT_UNDEFINED}, {0x87, VMEXIT_RDTSC},       {0x89, VMEXIT_WBINVD},
        {0x8a, VMEXIT_UNDEFINED}, {0x8b, VMEXIT_UNDEFINED},   {0x8c, VMEXIT_UNDEFINED},
        {0x8d, VMEXIT_XSETBV},    {0x400, VMEXIT_NPF},        {0xffffffff, VMEXIT_INVALID},
        {~0ULL, VMEXIT_INVALID},  {0x401, VMEXIT_OTHER},      {0x99, VMEXIT_OTHER},
    };
    struct vmcb c = {0};

    (void)state;
    svm_features = (struct svm_features){0};
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        struct vmexit x = mapped(&c, rows[i].code);

        assert_int_equal(x.reason, rows[i].reason);
        assert_int_equal(x.len, 0);
        assert_int_equal(x.nr_bytes, 0);
        assert_int_equal(x.info, rows[i].code);
    }
}

static void detailed_reasons(void **state)
{
    struct vmcb c = {.rip = 0x1000};
    struct vmexit x;

    (void)state;
    c.exitinfo1 = 0x3f8u << 16 | 1u << 4 | 1; /* IN of a byte */
    c.exitinfo2 = 0x1002;
    x = mapped(&c, 0x7b);
    assert_int_equal(x.reason, VMEXIT_IO);
    assert_int_equal(x.io.port, 0x3f8);
    assert_int_equal(x.io.size, 1);
    assert_int_equal(x.len, 2);
    assert_true(x.io.in && !x.io.string && !x.io.rep);
    c.exitinfo1 = 0xcf8u << 16 | 4u << 4 | 8 | 4; /* REP OUTS of dwords */
    x = mapped(&c, 0x7b);
    assert_true(!x.io.in && x.io.string && x.io.rep && x.io.size == 4);

    c.exitinfo1 = 1;
    x = mapped(&c, 0x7c);
    assert_true(x.reason == VMEXIT_MSR && x.msr.write);

    c.exitinfo1 = NPF_PRESENT | NPF_WRITE | NPF_TABLE;
    c.exitinfo2 = 0xfee00300;
    x = mapped(&c, 0x400);
    assert_int_equal(x.npf.gpa.v, 0xfee00300);
    assert_true(x.npf.present && x.npf.write && x.npf.table && !x.npf.exec);

    c.exitinfo1 = 0x55;
    x = mapped(&c, 0x40 + 17);
    assert_true(x.reason == VMEXIT_EXCEPTION && x.exc.vector == 17 && x.exc.has_error);
    assert_int_equal(x.exc.error, 0x55);
    x = mapped(&c, 0x41);
    assert_true(x.exc.vector == 1 && !x.exc.has_error);

    x = mapped(&c, 0x14);
    assert_true(x.reason == VMEXIT_CR && x.cr.nr == 4 && x.cr.write);
    x = mapped(&c, 0x27);
    assert_true(x.reason == VMEXIT_DR && x.dr.nr == 7 && !x.dr.write);
    x = mapped(&c, 0x36);
    assert_true(x.reason == VMEXIT_DR && x.dr.nr == 6 && x.dr.write);
}

/* The length comes from the next rip only where the CPU saves it and it is believable. */
static void next_rip(void **state)
{
    struct vmcb c = {.rip = 0x1000, .nrip = 0x1002};

    (void)state;
    svm_features = (struct svm_features){0};
    assert_int_equal(mapped(&c, 0x72).len, 0);
    svm_features.nrip = true;
    assert_int_equal(mapped(&c, 0x72).len, 2);
    c.nrip = 0x1010;
    assert_int_equal(mapped(&c, 0x72).len, 0);
    c.nrip = 0;
    assert_int_equal(mapped(&c, 0x72).len, 0);
}

static void modes(void **state)
{
    struct vmcb c = {.cr0 = 0x10};

    (void)state;
    assert_int_equal(vmcb_mode(&c), MODE_REAL);
    c.cr0 = 0x11;
    assert_int_equal(vmcb_mode(&c), MODE_PROT16);
    c.cs.attr = 0xc9b;
    assert_int_equal(vmcb_mode(&c), MODE_PROT32);
    c.rflags = 1u << 17;
    assert_int_equal(vmcb_mode(&c), MODE_VM86);
    c.rflags = 0;
    c.efer = 1u << 10 | 1u << 8;
    c.cs.attr = 0xa9b;
    assert_int_equal(vmcb_mode(&c), MODE_LONG64);
    c.cs.attr = 0xc9b;
    assert_int_equal(vmcb_mode(&c), MODE_PROT32);
    c.cpl = 3;
    assert_int_equal(mapped(&c, 0x81).call.mode, MODE_PROT32);
    assert_int_equal(mapped(&c, 0x81).call.cpl, 3);
}

static struct vmcb good(void)
{
    struct vmcb c = {.cr0 = 0x80000011, .cr4 = 0x20, .efer = 0x1500, .asid = 1, .cr3 = 0x1000};

    c.cs.attr = 0xa9b;
    c.intercept[4] = ICEPT_VMRUN;
    return c;
}

#define BREAKS(statement)                                  \
    do {                                                   \
        struct vmcb c = good();                            \
        statement;                                         \
        assert_non_null(svm_audit(&c, &svm_features, 40)); \
    } while (0)

static void audit(void **state)
{
    struct vmcb fine = good();

    (void)state;
    svm_features = (struct svm_features){.asids = 16};
    assert_null(svm_audit(&fine, &svm_features, 40));
    fine.eventinj = EVENT_VALID | EVENT_EXCEPTION << 8 | 14 | EVENT_HAS_ERROR;
    assert_null(svm_audit(&fine, &svm_features, 40));
    BREAKS(c.efer &= ~0x1000ULL);
    BREAKS(c.cr0 |= 1u << 29);
    BREAKS(c.cr0 |= 1ULL << 32);
    BREAKS(c.cr3 = 1ULL << 40);
    BREAKS(c.cr4 |= 1ULL << 33);
    BREAKS(c.dr6 = 1ULL << 32);
    BREAKS(c.dr7 = 1ULL << 32);
    BREAKS(c.efer |= 1ULL << 20);
    BREAKS(c.cr4 = 0);
    BREAKS(c.cr0 &= ~1ULL);
    BREAKS(c.cs.attr |= 1u << 10);
    BREAKS(c.intercept[4] = 0);
    BREAKS(c.asid = 0);
    BREAKS(c.asid = 16);
    BREAKS(c.eventinj = EVENT_VALID | 1u << 8);
    BREAKS(c.eventinj = EVENT_VALID | 5u << 8);
    BREAKS(c.eventinj = EVENT_VALID | EVENT_EXCEPTION << 8 | 32);
    BREAKS(c.eventinj = EVENT_VALID | EVENT_EXCEPTION << 8 | 2);
}

UNIT_MAIN(cmocka_unit_test(intercepts), cmocka_unit_test(plain_reasons),
          cmocka_unit_test(detailed_reasons), cmocka_unit_test(next_rip), cmocka_unit_test(modes),
          cmocka_unit_test(audit))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insn/exec.c agrees with libunicorn on registers, defined flags and every memory access, for each
 * instruction it takes, in the three modes, from random states; a failing hook leaves the state as
 * it was; REP stops at its bound; what it does not know has no effect. LIBS: -lunicorn
 */
#include "unit/unit.h"

#include "abi/xen.h"
#include "unit/insn_unicorn.h"

static const enum insn_mode modes[] = {INSN_16, INSN_32, INSN_64};

static uint64_t seed = 1;

static uint64_t rnd(void)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 32) ^ (seed << 17);
}

/* Opcodes with a ModRM byte, and moffs; strings are apart. 0x100 marks 0F. */
static const uint16_t ops[] = {
    0x00,  0x01,  0x02,  0x03,  0x08,  0x09,  0x0a,  0x0b,  0x10,  0x11,  0x12,  0x13,  0x18,
    0x19,  0x1a,  0x1b,  0x20,  0x21,  0x22,  0x23,  0x28,  0x29,  0x2a,  0x2b,  0x30,  0x31,
    0x32,  0x33,  0x38,  0x39,  0x3a,  0x3b,  0x63,  0x80,  0x81,  0x82,  0x83,  0x84,  0x85,
    0x86,  0x87,  0x88,  0x89,  0x8a,  0x8b,  0xa0,  0xa1,  0xa2,  0xa3,  0xc6,  0xc7,  0xf6,
    0xf7,  0xfe,  0xff,  0x190, 0x191, 0x192, 0x193, 0x194, 0x195, 0x196, 0x197, 0x198, 0x199,
    0x19a, 0x19b, 0x19c, 0x19d, 0x19e, 0x19f, 0x1a3, 0x1ab, 0x1b3, 0x1bb, 0x1ba, 0x1b0, 0x1b1,
    0x1b6, 0x1b7, 0x1be, 0x1bf, 0x1c0, 0x1c1, 0x1c3,
};
static const uint8_t string_ops[] = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

/* Registers that make addresses, values with carries, and anything. */
static void random_state(struct insn_case *c)
{
    for (unsigned r = 0; r < 16; r++) {
        uint64_t v = rnd();
        unsigned how = rnd() % 4;
        c->gpr[r] = how == 0 ? v & 0xfff : how == 1 ? v & 0x7fffffffff : how == 2 ? v : ~(v & 0xff);
        if (c->mode != INSN_64)
            c->gpr[r] = r < 8 ? (uint32_t)c->gpr[r] : 0;
    }
    c->rflags = 2 | (rnd() & (CF | PF | AF | ZF | SF | OF));
    c->bound = (unsigned)(rnd() % 4);
}

static unsigned random_prefixes(struct insn_case *c)
{
    static const uint8_t segs[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
    unsigned n = 0;
    if (rnd() % 4 == 0)
        c->bytes[n++] = 0x66;
    if (rnd() % 4 == 0)
        c->bytes[n++] = 0x67;
    if (rnd() % 4 == 0)
        c->bytes[n++] = c->mode == INSN_64 ? segs[4 + rnd() % 2] : segs[rnd() % 6];
    return n;
}

static void random_memory_op(struct insn_case *c, unsigned op)
{
    unsigned n = random_prefixes(c);
    if (rnd() % 8 == 0)
        c->bytes[n++] = 0xf0;
    if (c->mode == INSN_64 && rnd() % 4)
        c->bytes[n++] = 0x40 | rnd() % 16;
    if (op >= 0x100)
        c->bytes[n++] = 0x0f;
    c->bytes[n++] = (uint8_t)op;
    unsigned modrm = n;
    while (n < INSN_MAX)
        c->bytes[n++] = (uint8_t)rnd();
    c->bytes[modrm] = (uint8_t)((rnd() % 3) << 6 | rnd() % 64);
}

static void random_string_op(struct insn_case *c, unsigned op)
{
    unsigned n = random_prefixes(c);
    if (rnd() % 4)
        c->bytes[n++] = rnd() & 1 ? 0xf2 : 0xf3;
    if (c->mode == INSN_64 && rnd() % 4)
        c->bytes[n++] = 0x40 | rnd() % 16;
    c->bytes[n++] = (uint8_t)op;
    struct insn i;
    if (insn_decode(&i, c->bytes, n, c->mode) != INSN_OK)
        fail();
    c->gpr[1] = (c->gpr[1] & ~zero_extend(~0ULL, i.addrsize)) | rnd() % 6;
    if (c->mode == INSN_64)
        c->gpr[1] = i.addrsize == 4 ? (uint32_t)c->gpr[1] : c->gpr[1];
    c->rflags |= rnd() & DF;
    /* Equal bytes now and then, for REPE and REPNE to go on. */
    if (rnd() & 1)
        c->gpr[7] = c->gpr[6];
}

static void print_case(const struct insn_case *c, const char *why)
{
    fprintf(stderr, "%u-bit:", 8 * c->mode);
    for (unsigned k = 0; k < INSN_MAX; k++)
        fprintf(stderr, " %02x", c->bytes[k]);
    fprintf(stderr, ": %s\n", why);
}

static unsigned compared, bad;

static void compare(const struct insn_case *c)
{
    int what;
    const char *why = unicorn_disagrees(c, &what);
    compared += what == UC_COMPARED;
    if (why && bad++ < 20)
        print_case(c, why);
}

static void memory_operands(void **state)
{
    for (unsigned k = 0; k < ARRAY_SIZE(ops); k++) {
        unsigned before = compared;
        for (unsigned n = 0; n < 240; n++) {
            struct insn_case c = {.mode = modes[n % 3]};
            random_state(&c);
            random_memory_op(&c, ops[k]);
            compare(&c);
        }
        if (compared < before + 8) {
            fprintf(stderr, "opcode %x: %u compared\n", ops[k], compared - before);
            bad++;
        }
    }
    assert_true(compared > 12000);
    assert_int_equal(bad, 0);
}

static void strings(void **state)
{
    unsigned before = compared;
    for (unsigned k = 0; k < ARRAY_SIZE(string_ops); k++) {
        for (unsigned n = 0; n < 240; n++) {
            struct insn_case c = {.mode = modes[n % 3]};
            random_state(&c);
            random_string_op(&c, string_ops[k]);
            compare(&c);
        }
    }
    assert_true(compared > before + 1500);
    assert_int_equal(bad, 0);
}

/* A device of 64 bytes at linear 0, ports that count, and the n-th hook call failing. */
struct dev {
    uint8_t mem[64];
    unsigned calls, fail_at;
    unsigned ports_in, ports_out;
    uint64_t out_val;
};

#define HOOK_FAILS (-XEN_EFAULT)

static bool dev_fails(struct dev *d)
{
    return ++d->calls == d->fail_at;
}

static uint64_t dev_base(void *ctx, enum insn_seg seg)
{
    return seg == INSN_FS ? 16 : 0;
}

static int dev_read(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes, uint64_t *val)
{
    struct dev *d = ctx;
    if (dev_fails(d))
        return HOOK_FAILS;
    *val = 0;
    memcpy(val, &d->mem[linear & 31], bytes);
    return 0;
}

static int dev_write(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes, uint64_t val)
{
    struct dev *d = ctx;
    if (dev_fails(d))
        return HOOK_FAILS;
    memcpy(&d->mem[linear & 31], &val, bytes);
    return 0;
}

static int dev_probe(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes)
{
    return dev_fails(ctx) ? HOOK_FAILS : 0;
}

static int dev_in(void *ctx, uint16_t port, unsigned bytes, uint64_t *val)
{
    struct dev *d = ctx;
    if (dev_fails(d))
        return HOOK_FAILS;
    *val = 0x1122334455667700ULL + port + d->ports_in++;
    return 0;
}

static int dev_out(void *ctx, uint16_t port, unsigned bytes, uint64_t val)
{
    struct dev *d = ctx;
    if (dev_fails(d))
        return HOOK_FAILS;
    d->ports_out++;
    d->out_val = val;
    return 0;
}

static const struct insn_ops dev_ops = {dev_base, dev_read, dev_write, dev_probe, dev_in, dev_out};

/* Decodes 64-bit code and runs it to the end of one call. */
static int run(struct dev *d, struct insn_cpu *cpu, const char *code, unsigned n, unsigned bound)
{
    struct insn i;
    if (insn_decode(&i, (const uint8_t *)code, n, INSN_64) != INSN_OK)
        fail();
    cpu->ops = &dev_ops;
    cpu->ctx = d;
    return insn_exec(&i, cpu, bound);
}

/* MOVBE: the oracle of this file has none. */
static void movbe(void **state)
{
    struct dev d = {.mem = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}};
    uint64_t gpr[16] = {[3] = ~0ULL};
    struct insn_cpu cpu = {.gpr = gpr, .rflags = CF | ZF};
    assert_int_equal(run(&d, &cpu, "\x0f\x38\xf0\x18", 4, 1), INSN_DONE);
    assert_int_equal(gpr[3], 0x11223344);
    assert_int_equal(run(&d, &cpu, "\x48\x0f\x38\xf0\x18", 5, 1), INSN_DONE);
    assert_int_equal(gpr[3], 0x1122334455667788);
    gpr[3] = ~0ULL;
    assert_int_equal(run(&d, &cpu, "\x66\x0f\x38\xf0\x18", 5, 1), INSN_DONE);
    assert_int_equal(gpr[3], 0xffffffffffff1122);
    gpr[3] = 0xa1b2c3d4;
    assert_int_equal(run(&d, &cpu, "\x64\x0f\x38\xf1\x58\x02", 6, 1), INSN_DONE);
    assert_memory_equal(&d.mem[18], "\xa1\xb2\xc3\xd4", 4);
    assert_int_equal(cpu.rflags, CF | ZF);
    /* CRC32 has the same opcode. */
    assert_int_equal(run(&d, &cpu, "\xf2\x0f\x38\xf1\x18", 5, 1), -XEN_EOPNOTSUPP);
}

static void rep_stops_at_bound(void **state)
{
    struct dev d = {.mem = {0}};
    uint64_t gpr[16] = {[0] = 0x5a, [1] = 7, [7] = 1};
    struct insn_cpu cpu = {.gpr = gpr, .rip = 0x1000};
    assert_int_equal(run(&d, &cpu, "\xf3\xaa", 2, 3), INSN_AGAIN);
    assert_int_equal(gpr[1], 4);
    assert_int_equal(gpr[7], 4);
    assert_int_equal(run(&d, &cpu, "\xf3\xaa", 2, 0), INSN_AGAIN);
    assert_int_equal(gpr[1], 3);
    assert_int_equal(run(&d, &cpu, "\xf3\xaa", 2, 3), INSN_DONE);
    assert_int_equal(gpr[1], 0);
    assert_memory_equal(d.mem, "\0\x5a\x5a\x5a\x5a\x5a\x5a\x5a\0", 9);
    assert_int_equal(run(&d, &cpu, "\xf3\xaa", 2, 3), INSN_DONE);
    assert_int_equal(d.calls, 7);
    assert_int_equal(cpu.rip, 0x1000);
}

/* The iterations before the failing one stand; the rest can be done later. */
static void rep_fault(void **state)
{
    struct dev d = {.mem = "abcdefgh", .fail_at = 6};
    uint64_t gpr[16] = {[1] = 4, [6] = 0, [7] = 16};
    struct insn_cpu cpu = {.gpr = gpr};
    assert_int_equal(run(&d, &cpu, "\xf3\xa4", 2, 100), HOOK_FAILS);
    assert_int_equal(gpr[1], 2);
    assert_int_equal(gpr[6], 2);
    assert_int_equal(gpr[7], 18);
    assert_int_equal(run(&d, &cpu, "\xf3\xa4", 2, 100), INSN_DONE);
    assert_memory_equal(&d.mem[16], "abcd", 5);
}

static void ports(void **state)
{
    struct dev d = {.mem = {0}};
    uint64_t gpr[16] = {[1] = 2, [2] = 0xffff0010, [7] = 4};
    struct insn_cpu cpu = {.gpr = gpr};
    assert_int_equal(run(&d, &cpu, "\xf3\x66\x6d", 3, 10), INSN_DONE);
    assert_memory_equal(d.mem, "\0\0\0\0\x10\x77\x11\x77\0", 9);
    assert_int_equal(gpr[7], 8);
    assert_int_equal(gpr[1], 0);
    /* A write that would fail is found before the port is read. */
    d.fail_at = d.calls + 1;
    assert_int_equal(run(&d, &cpu, "\x6c", 1, 10), HOOK_FAILS);
    assert_int_equal(d.ports_in, 2);
    assert_int_equal(gpr[7], 8);
    gpr[6] = 4;
    cpu.rflags = DF;
    assert_int_equal(run(&d, &cpu, "\x48\x6f", 2, 10), INSN_DONE);
    assert_int_equal(d.ports_out, 1);
    assert_int_equal(d.out_val, 0x77117710);
    assert_int_equal(gpr[6], 0);
}

/* Whichever hook call fails, registers and flags are those from before. */
static void faults_change_nothing(void **state)
{
    unsigned failed = 0;
    for (unsigned n = 0; n < 30000; n++) {
        bool string = n % 8 == 0;
        struct insn_case c = {.mode = modes[rnd() % 3]};
        random_state(&c);
        if (string)
            random_string_op(&c, string_ops[rnd() % ARRAY_SIZE(string_ops)]);
        else
            random_memory_op(&c, ops[rnd() % ARRAY_SIZE(ops)]);
        struct insn i;
        if (insn_decode(&i, c.bytes, INSN_MAX, c.mode) != INSN_OK)
            continue;
        struct dev d = {.fail_at = 1 + (unsigned)(rnd() & 1)};
        uint64_t gpr[16];
        memcpy(gpr, c.gpr, sizeof(gpr));
        struct insn_cpu cpu = {.gpr = gpr, .rflags = c.rflags, .ops = &dev_ops, .ctx = &d};
        int rc = insn_exec(&i, &cpu, 1);
        if (rc == INSN_DONE || rc == INSN_AGAIN)
            continue;
        assert_true(rc == HOOK_FAILS ? d.calls == d.fail_at : d.calls == 0);
        assert_memory_equal(gpr, c.gpr, sizeof(gpr));
        assert_int_equal(cpu.rflags, c.rflags);
        failed += rc == HOOK_FAILS;
    }
    assert_true(failed > 10000);
}

/* Over all opcodes and ModRM bytes: what is refused calls no hook and changes nothing. */
static void refusals(void **state)
{
    unsigned taken = 0, refused = 0;
    for (unsigned x = 0; x < 0x20000; x++) {
        uint8_t b[INSN_MAX] = {0x0f, (uint8_t)(x >> 8), (uint8_t)x};
        struct insn i;
        if (insn_decode(&i, b + !(x >> 16), sizeof(b) - 1, modes[x % 3]) != INSN_OK)
            continue;
        struct dev d = {.mem = {0}};
        uint64_t gpr[16] = {0}, zero[16] = {0};
        struct insn_cpu cpu = {.gpr = gpr, .ops = &dev_ops, .ctx = &d};
        int rc = insn_exec(&i, &cpu, 1);
        taken += rc >= 0;
        refused += rc < 0;
        if (rc >= 0) {
            assert_true(d.calls > 0 || i.rep);
            continue;
        }
        assert_int_equal(rc, -XEN_EOPNOTSUPP);
        assert_int_equal(d.calls, 0);
        assert_memory_equal(gpr, zero, sizeof(gpr));
        assert_int_equal(cpu.rflags, 0);
    }
    assert_true(taken > 10000 && refused > 10000);
}

/* INVLPG fs:[rax + rcx * 4 + 0x10], and with a 32-bit address. */
static void linear(void **state)
{
    uint64_t gpr[16] = {0xffffffff00000000, 0x40000000};
    struct insn_cpu cpu = {.gpr = gpr, .ops = &dev_ops};
    struct insn i;
    assert_int_equal(insn_decode(&i, (const uint8_t *)"\x64\x0f\x01\x7c\x88\x10", 6, INSN_64),
                     INSN_OK);
    assert_int_equal(insn_linear(&i, &cpu), 0x20);
    assert_int_equal(insn_decode(&i, (const uint8_t *)"\x67\x0f\x01\x7c\x88\xf0", 6, INSN_64),
                     INSN_OK);
    assert_int_equal(insn_linear(&i, &cpu), 0xfffffff0);
}

UNIT_MAIN(cmocka_unit_test(memory_operands), cmocka_unit_test(strings), cmocka_unit_test(movbe),
          cmocka_unit_test(rep_stops_at_bound), cmocka_unit_test(rep_fault),
          cmocka_unit_test(ports), cmocka_unit_test(faults_change_nothing),
          cmocka_unit_test(refusals), cmocka_unit_test(linear))

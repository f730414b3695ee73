/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insn/decode.c agrees with Zydis on length and fields of every one- and two-byte opcode with every
 * ModRM byte, under the prefixes that change lengths, in the three modes; never looks beyond the
 * bytes it was given; and gives the lengths that exits rely on. LIBS: -lZydis
 */
#include "unit/unit.h"

#include "unit/insn_zydis.h"

static const enum insn_mode modes[] = {INSN_16, INSN_32, INSN_64};

static uint64_t seed = 1;

static uint32_t rnd(void)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33);
}

static unsigned disagreements;

static void check(const uint8_t *bytes, unsigned n, enum insn_mode mode)
{
    const char *why = zydis_disagrees(bytes, n, mode);
    if (!why || disagreements++ > 40)
        return;
    fprintf(stderr, "%u-bit:", 8 * mode);
    for (unsigned k = 0; k < n; k++)
        fprintf(stderr, " %02x", bytes[k]);
    fprintf(stderr, ": %s\n", why);
}

/* Prefix, opcode, ModRM, and bytes of no meaning; SIB and disp come from those. */
static void all_opcodes(void **state)
{
    static const char *const prefixes[] = {
        "",     "\x66",     "\x67",     "\xf2",         "\xf3",         "\xf0",
        "\x48", "\x66\x48", "\x67\x41", "\x64\x66\x67", "\x2e\xf0\x4f", "\x36\xf3\x66"};
    for (unsigned p = 0; p < ARRAY_SIZE(prefixes); p++) {
        for (unsigned op = 0; op < 512; op++) {
            uint8_t b[INSN_MAX];
            for (unsigned k = 0; k < sizeof(b); k++)
                b[k] = (uint8_t)rnd();
            unsigned at = (unsigned)strlen(prefixes[p]);
            memcpy(b, prefixes[p], at);
            if (op > 255)
                b[at++] = 0x0f;
            b[at++] = (uint8_t)op;
            for (unsigned modrm = 0; modrm < 256; modrm++) {
                b[at] = (uint8_t)modrm;
                b[at + 1] = (uint8_t)rnd();
                for (unsigned m = 0; m < ARRAY_SIZE(modes); m++)
                    check(b, sizeof(b), modes[m]);
            }
        }
    }
    assert_int_equal(disagreements, 0);
}

static void all_sibs(void **state)
{
    static const uint8_t ops[] = {0x89, 0x8a, 0x81};
    for (unsigned x = 0; x < 0x10000 * ARRAY_SIZE(ops); x++) {
        uint8_t b[INSN_MAX] = {(uint8_t)(rnd() & 1 ? 0x40 | (rnd() & 15) : 0x64),
                               ops[x >> 16],
                               (uint8_t)(x >> 8),
                               (uint8_t)x,
                               0x81,
                               0x92,
                               0xa3,
                               0xb4};
        for (unsigned m = 0; m < ARRAY_SIZE(modes); m++)
            check(b, sizeof(b), modes[m]);
    }
    assert_int_equal(disagreements, 0);
}

/* Any bytes, prefixes more often than chance has them, cut off anywhere. */
static void random_bytes(void **state)
{
    static const uint8_t likely_bytes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0,
                                           0xf2, 0xf3, 0x40, 0x48, 0x4f, 0x0f, 0x0f, 0x88, 0x8b};
    for (unsigned n = 0; n < 400000; n++) {
        uint8_t b[INSN_MAX + 2];
        unsigned bias = rnd() % 4, len = rnd() & 1 ? INSN_MAX : 1 + rnd() % INSN_MAX;
        for (unsigned k = 0; k < sizeof(b); k++)
            b[k] = rnd() % 4 < bias ? likely_bytes[rnd() % sizeof(likely_bytes)] : (uint8_t)rnd();
        check(b, len, modes[rnd() % 3]);
    }
    assert_int_equal(disagreements, 0);
}

/* A buffer that ends early gives INSN_MORE, and ASan sees every byte beyond it. */
static void truncated(void **state)
{
    unsigned complete = 0;
    for (unsigned n = 0; n < 20000; n++) {
        uint8_t b[INSN_MAX];
        for (unsigned k = 0; k < sizeof(b); k++)
            b[k] = (uint8_t)rnd();
        b[0] = rnd() & 1 ? 0x66 : 0xc7;
        struct insn whole, part;
        enum insn_mode mode = modes[rnd() % 3];
        if (insn_decode(&whole, b, sizeof(b), mode) != INSN_OK)
            continue;
        complete++;
        for (unsigned cut = 0; cut <= whole.len; cut++) {
            uint8_t *exact = malloc(cut + !cut);
            memcpy(exact, b, cut);
            enum insn_status s = insn_decode(&part, exact, cut, mode);
            free(exact);
            assert_int_equal(s, cut < whole.len ? INSN_MORE : INSN_OK);
        }
        assert_int_equal(part.len, whole.len);
    }
    assert_true(complete > 5000);
}

static void too_long(void **state)
{
    uint8_t b[INSN_MAX + 1];
    struct insn i;
    memset(b, 0x66, sizeof(b));
    assert_int_equal(insn_decode(&i, b, sizeof(b), INSN_64), INSN_TOO_LONG);
    assert_int_equal(insn_decode(&i, b, INSN_MAX - 1, INSN_64), INSN_MORE);
    b[14] = 0x90;
    assert_int_equal(insn_decode(&i, b, sizeof(b), INSN_64), INSN_OK);
    assert_int_equal(i.len, INSN_MAX);
    /* 12 prefixes and three bytes of opcode, ModRM, SIB are 15: with disp8 the 16th byte is there
     * and is not to be read. */
    memcpy(&b[12], "\x8b\x44\x24\x08", 4);
    assert_int_equal(insn_decode(&i, b, sizeof(b), INSN_64), INSN_TOO_LONG);
    assert_int_equal(insn_decode(&i, b, INSN_MAX, INSN_64), INSN_TOO_LONG);
    assert_int_equal(insn_decode(&i, b, 14, INSN_64), INSN_MORE);
}

/* The instructions that exit without a saved next rip: their bytes, op and length. */
static void exit_lengths(void **state)
{
    static const struct {
        const char *bytes;
        uint8_t n;
        uint16_t op;
    } rows[] = {
        {"\x0f\xa2", 2, 0x0fa2},             /* CPUID */
        {"\x0f\x32", 2, 0x0f32},             /* RDMSR */
        {"\x0f\x30", 2, 0x0f30},             /* WRMSR */
        {"\xf4", 1, 0xf4},                   /* HLT */
        {"\x0f\x01\xd9", 3, 0x0f01},         /* VMMCALL */
        {"\x0f\x01\xc1", 3, 0x0f01},         /* VMCALL */
        {"\x0f\x01\xd8", 3, 0x0f01},         /* VMRUN */
        {"\x0f\x01\xdd", 3, 0x0f01},         /* CLGI */
        {"\x0f\x01\xdf", 3, 0x0f01},         /* INVLPGA */
        {"\x0f\x31", 2, 0x0f31},             /* RDTSC */
        {"\x0f\x01\xf9", 3, 0x0f01},         /* RDTSCP */
        {"\xf3\x90", 2, 0x90},               /* PAUSE */
        {"\x0f\x08", 2, 0x0f08},             /* INVD */
        {"\x0f\x09", 2, 0x0f09},             /* WBINVD */
        {"\x0f\x01\xd1", 3, 0x0f01},         /* XSETBV */
        {"\x0f\x01\xc8", 3, 0x0f01},         /* MONITOR */
        {"\x0f\x01\xc9", 3, 0x0f01},         /* MWAIT */
        {"\x0f\x33", 2, 0x0f33},             /* RDPMC */
        {"\x0f\x06", 2, 0x0f06},             /* CLTS */
        {"\x0f\x01\xf0", 3, 0x0f01},         /* LMSW ax */
        {"\x0f\x01\xe0", 3, 0x0f01},         /* SMSW eax */
        {"\x0f\x01\x38", 3, 0x0f01},         /* INVLPG [rax] */
        {"\x0f\x20\xc0", 3, 0x0f20},         /* MOV eax, cr0 */
        {"\x0f\x22\x05", 3, 0x0f22},         /* MOV cr0, ebp with mod = 0 */
        {"\x0f\x23\xf8", 3, 0x0f23},         /* MOV dr7, eax */
        {"\xe4\x71", 2, 0xe4},               /* IN al, 71 */
        {"\xed", 1, 0xed},                   /* IN eax, dx */
        {"\x66\xef", 2, 0xef},               /* OUT dx, ax */
        {"\xf3\x6c", 2, 0x6c},               /* REP INSB */
        {"\x65\xf3\x67\x6f", 4, 0x6f},       /* REP OUTS gs: with address size */
        {"\xcd\x80", 2, 0xcd},               /* INT 80 */
        {"\xcf", 1, 0xcf},                   /* IRET */
        {"\x66\x0f\x38\x82\x08", 5, 0x3882}, /* INVPCID ecx, [rax] */
        {"\xf3\x0f\x09", 3, 0x0f09},         /* WBNOINVD */
        {"\xf0\x0f\x20\xc0", 4, 0x0f20},     /* MOV eax, cr8 by LOCK */
        {"\x2e\x3e\x66\xf4", 4, 0xf4},       /* HLT with prefixes that do nothing */
    };
    for (unsigned k = 0; k < ARRAY_SIZE(rows); k++) {
        for (unsigned m = 0; m < ARRAY_SIZE(modes); m++) {
            struct insn i;
            assert_int_equal(insn_decode(&i, (const uint8_t *)rows[k].bytes, rows[k].n, modes[m]),
                             INSN_OK);
            assert_int_equal(i.len, rows[k].n);
            assert_int_equal(i.op, rows[k].op);
        }
    }
}

/* Fields that an exit handler reads and that Zydis was not asked for. */
static void exit_fields(void **state)
{
    struct insn i;
    assert_int_equal(insn_decode(&i, (const uint8_t *)"\xf0\x0f\x22\xc1", 4, INSN_64), INSN_OK);
    assert_int_equal(i.reg, 8);
    assert_int_equal(i.rm, 1);
    assert_int_equal(i.opsize, 8);
    assert_int_equal(insn_decode(&i, (const uint8_t *)"\x44\x0f\x20\xc7", 4, INSN_64), INSN_OK);
    assert_int_equal(i.reg, 8);
    assert_int_equal(i.rm, 7);
    assert_int_equal(insn_decode(&i, (const uint8_t *)"\x64\xf2\x48\x6f", 4, INSN_64), INSN_OK);
    assert_int_equal(i.seg, INSN_FS);
    assert_int_equal(i.rep, 0xf2);
    assert_int_equal(i.opsize, 4);
    assert_int_equal(insn_decode(&i, (const uint8_t *)"\xf0\x0f\xa2", 3, INSN_64), INSN_INVALID);
    assert_int_equal(insn_decode(&i, (const uint8_t *)"\xf0\x89\x08", 3, INSN_64), INSN_INVALID);
    assert_int_equal(insn_decode(&i, (const uint8_t *)"\x06\x90", 2, INSN_64), INSN_INVALID);
    assert_int_equal(insn_decode(&i, (const uint8_t *)"\xc5\xf8\x77", 3, INSN_64),
                     INSN_UNSUPPORTED);
}

UNIT_MAIN(cmocka_unit_test(all_opcodes), cmocka_unit_test(all_sibs), cmocka_unit_test(random_bytes),
          cmocka_unit_test(truncated), cmocka_unit_test(too_long), cmocka_unit_test(exit_lengths),
          cmocka_unit_test(exit_fields))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host/acpi*.c: a complete set of tables is understood; truncated, looping, badly summed, huge and
 * contradicting ones are refused or cut, with a note, and never read out of bounds or for ever.
 */
#include "unit/unit.h"

#include "abi/xen.h"
#include "host/acpi.h"

/* Two pieces of "physical memory": the first MiB, and tables at HIGH. */
#define HIGH      0x7fe00000u
#define HIGH_SIZE 0x20000u
static uint8_t low[0x100000], high[HIGH_SIZE];
static uint32_t top;    /* next free offset in high[] */
static uint64_t copied; /* bytes read */
static struct acpi_info info;

static int read_memory(hpa_t from, void *buf, size_t len)
{
    copied += len;
    if (from.v < sizeof(low) && len <= sizeof(low) - from.v)
        memcpy(buf, low + from.v, len);
    else if (from.v >= HIGH && from.v < HIGH + HIGH_SIZE && len <= HIGH + HIGH_SIZE - from.v)
        memcpy(buf, high + (from.v - HIGH), len);
    else
        return -XEN_EFAULT;
    return 0;
}

static void put(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void seal(uint8_t *table, uint32_t size, int at)
{
    uint8_t sum = 0;
    table[at] = 0;
    for (uint32_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + table[i]);
    table[at] = (uint8_t)-sum;
}

/* Starts a table of `size` bytes with zeroed contents; returns its bytes. */
static uint8_t *table(const char *signature, uint32_t size)
{
    uint8_t *t = high + top;
    assert_true(top + size <= HIGH_SIZE);
    memset(t, 0, size);
    memcpy(t, signature, 4);
    put(t + 4, size, 4);
    t[8] = 1;
    seal(t, size, 9);
    top += (size + 15) & ~15u;
    return t;
}

static uint64_t address(const uint8_t *t)
{
    return HIGH + (uint64_t)(t - high);
}

static void reseal(uint8_t *t)
{
    seal(t, t[4] | (uint32_t)t[5] << 8 | (uint32_t)t[6] << 16, 9);
}

static uint8_t *madt(const uint8_t *entries, uint32_t size)
{
    uint8_t *t = table("APIC", 44 + size);
    put(t + 36, 0xfee00000, 4);
    put(t + 40, 1, 4);
    memcpy(t + 44, entries, size);
    reseal(t);
    return t;
}

/* Contents of a DSDT or SSDT: some filling, then AML. */
static uint8_t *aml(const char *signature, uint32_t filling, const void *code, uint32_t size)
{
    uint8_t *t = table(signature, 36 + filling + size);
    memset(t + 36, 0xa3, filling);
    memcpy(t + 36 + filling, code, size);
    reseal(t);
    return t;
}

static uint8_t *fadt(uint64_t dsdt)
{
    uint8_t *t = table("FACP", 276);
    put(t + 40, dsdt, 4);
    put(t + 46, 9, 2);
    put(t + 48, 0xb2, 4);
    t[52] = 0xf1;
    put(t + 56, 0x600, 4);
    put(t + 64, 0x604, 4);
    put(t + 76, 0x608, 4);
    t[88] = 4;
    t[89] = 2;
    t[91] = 4;
    put(t + 109, ACPI_BOOT_8042, 2);
    put(t + 112, 1u << 8 | 1u << 10, 4);
    t[116] = 1;
    t[117] = 8;
    put(t + 120, 0xcf9, 8);
    t[128] = 0x0f;
    reseal(t);
    return t;
}

/* XSDT (or RSDT) of the given tables and an RSDP in rsdp[36]. */
static void root(uint8_t *rsdp, bool xsdt, uint8_t *const *tables, uint32_t n)
{
    uint32_t width = xsdt ? 8 : 4;
    uint8_t *t = table(xsdt ? "XSDT" : "RSDT", 36 + n * width);
    for (uint32_t i = 0; i < n; i++)
        put(t + 36 + i * width, address(tables[i]), (int)width);
    reseal(t);
    memset(rsdp, 0, 36);
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = xsdt ? 2 : 0;
    put(rsdp + 20, 36, 4);
    put(rsdp + (xsdt ? 24 : 16), address(t), (int)width);
    seal(rsdp, 20, 8);
    seal(rsdp, 36, 32);
}

static int setup(void **state)
{
    memset(low, 0, sizeof(low));
    memset(high, 0, sizeof(high));
    top = 0;
    copied = 0;
    return 0;
}

static const uint8_t s5_code[] = {0x08, '_',  'S',  '5',  '_',  0x12, 0x08,
                                  0x04, 0x0a, 0x05, 0x0a, 0x06, 0x00, 0x00};

/* The whole set, as a machine of two CPUs has it. */
static void build_machine(uint8_t *rsdp, bool xsdt)
{
    static const uint8_t entries[] = {
        0,    8,  0,    0,    1,    0, 0,    0,                   /* CPU uid 0 id 0 */
        0,    8,  1,    2,    1,    0, 0,    0,                   /* CPU uid 1 id 2 */
        0,    8,  2,    4,    0,    0, 0,    0,                   /* absent */
        0,    8,  3,    6,    2,    0, 0,    0,                   /* online-capable */
        0,    8,  4,    0xff, 1,    0, 0,    0,                   /* broadcast id */
        1,    12, 7,    0,    0,    0, 0xc0, 0xfe, 0,    0, 0, 0, /* IO-APIC */
        2,    10, 0,    0,    2,    0, 0,    0,    0,    0,       /* IRQ 0 -> GSI 2 */
        2,    10, 0,    9,    9,    0, 0,    0,    0x0d, 0,       /* SCI level high */
        3,    8,  5,    0,    23,   0, 0,    0,                   /* NMI source GSI 23 */
        4,    6,  0xff, 0,    0,    1,                            /* NMI on LINT1 of all */
        5,    12, 0,    0,    0,    0, 0xe0, 0xfe, 1,    0, 0, 0, /* APIC at 0x1fee00000 */
        0x80, 4,  1,    2,                                        /* somebody's own */
        9,    16, 0,    0,    2,    0, 0,    0,    1,    0, 0, 0,
        1,    0,  0,    0, /* id 2 again */
        9,    16, 0,    0,    0,    1, 0,    0,    1,    0, 0, 0,
        0x44, 0,  0,    0,                                        /* id 256, uid 0x44 */
        10,   12, 5,    0,    0x44, 0, 0,    0,    1,    0, 0, 0, /* its NMI */
    };
    uint8_t *dsdt = aml("DSDT", 100, s5_code, sizeof(s5_code));
    uint8_t *hpet = table("HPET", 56);
    put(hpet + 36, 0x8086a201, 4);
    put(hpet + 44, 0xfed00000, 8);
    reseal(hpet);
    uint8_t *mcfg = table("MCFG", 44 + 32);
    put(mcfg + 44, 0xe0000000, 8);
    mcfg[44 + 11] = 255;
    put(mcfg + 60, 0x1234, 8); /* not aligned: refused */
    reseal(mcfg);
    uint8_t *tables[] = {madt(entries, sizeof(entries)), fadt(address(dsdt)), hpet, mcfg,
                         table("SSDT", 36)};
    root(rsdp, xsdt, tables, 5);
}

static void check_machine(void)
{
    assert_int_equal(info.nr_tables, 5);
    assert_true(info.has_madt);
    assert_true(info.has_pic);
    assert_int_equal(info.lapic_address.v, 0x1fee00000);
    assert_int_equal(info.nr_cpus, 4);
    static const struct acpi_cpu cpus[] = {
        {0, 0, true, false}, {2, 1, true, false}, {6, 3, false, true}, {256, 0x44, true, false}};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(info.cpus[i].apic_id, cpus[i].apic_id);
        assert_int_equal(info.cpus[i].uid, cpus[i].uid);
        assert_int_equal(info.cpus[i].enabled, cpus[i].enabled);
        assert_int_equal(info.cpus[i].online_capable, cpus[i].online_capable);
    }
    assert_int_equal(info.nr_disabled_cpus, 2);
    assert_int_equal(info.nr_ioapics, 1);
    assert_int_equal(info.ioapics[0].address.v, 0xfec00000);
    assert_int_equal(info.ioapics[0].id, 7);
    assert_int_equal(info.nr_overrides, 2);
    assert_int_equal(info.overrides[0].gsi, 2);
    assert_int_equal(info.overrides[1].isa_irq, 9);
    assert_int_equal(ACPI_TRIGGER(info.overrides[1].flags), 3);
    assert_int_equal(ACPI_POLARITY(info.overrides[1].flags), 1);
    assert_int_equal(info.nr_nmi_sources, 1);
    assert_int_equal(info.nmi_sources[0].gsi, 23);
    assert_int_equal(info.nr_lapic_nmis, 2);
    assert_int_equal(info.lapic_nmis[0].uid, ACPI_ALL_CPUS);
    assert_int_equal(info.lapic_nmis[0].lint, 1);
    assert_int_equal(info.lapic_nmis[1].uid, 0x44);
    assert_true(info.has_fadt);
    assert_false(info.hw_reduced);
    assert_int_equal(info.sci, 9);
    assert_int_equal(info.smi_command, 0xb2);
    assert_int_equal(info.acpi_enable, 0xf1);
    assert_true(info.pm1a_control.io);
    assert_int_equal(info.pm1a_control.address, 0x604);
    assert_int_equal(info.pm1a_control.bytes, 2);
    assert_int_equal(info.pm1a_event.address, 0x600);
    assert_int_equal(info.pm1b_control.bytes, 0);
    assert_int_equal(info.pm_timer.address, 0x608);
    assert_int_equal(info.pm_timer_bits, 32);
    assert_int_equal(info.reset.address, 0xcf9);
    assert_int_equal(info.reset_value, 0x0f);
    assert_int_equal(info.boot_arch, ACPI_BOOT_8042);
    assert_true(info.has_s5);
    assert_int_equal(info.s5_type_a, 5);
    assert_int_equal(info.s5_type_b, 6);
    assert_true(info.has_hpet);
    assert_int_equal(info.hpet_address.v, 0xfed00000);
    assert_int_equal(info.nr_mcfg, 1);
    assert_int_equal(info.mcfg[0].base.v, 0xe0000000);
    assert_int_equal(info.mcfg[0].last_bus, 255);
    assert_int_equal(info.nr_notes, 1); /* the bad MCFG window */
}

static int parse(const uint8_t *rsdp)
{
    return acpi_parse(&info, read_memory, rsdp, 36, _hpa(0));
}

static void complete(void **state)
{
    uint8_t rsdp[36];
    build_machine(rsdp, true);
    assert_int_equal(parse(rsdp), 0);
    check_machine();
    assert_ptr_equal(acpi_find(&info, "SSDT", NULL), &info.tables[4]);
    assert_null(acpi_find(&info, "SSDT", &info.tables[4]));
    assert_null(acpi_find(&info, "DMAR", NULL));
}

static void found_in_memory(void **state)
{
    /* Given by address, in the BIOS area, in the EBDA; revision 0 with an RSDT. */
    build_machine(high + HIGH_SIZE - 64, true);
    assert_int_equal(acpi_parse(&info, read_memory, NULL, 0, _hpa(HIGH + HIGH_SIZE - 64)), 0);
    assert_int_equal(info.rsdp.v, HIGH + HIGH_SIZE - 64);
    check_machine();
    build_machine(low + 0xf5ab0, false);
    assert_int_equal(acpi_parse(&info, read_memory, NULL, 0, _hpa(0)), 0);
    assert_int_equal(info.rsdp.v, 0xf5ab0);
    check_machine();
    memcpy(low + 0x9fc10, low + 0xf5ab0, 36);
    memset(low + 0xf5ab0, 0, 36);
    put(low + 0x40e, 0x9fc0, 2);
    assert_int_equal(acpi_parse(&info, read_memory, NULL, 0, _hpa(0)), 0);
    assert_int_equal(info.rsdp.v, 0x9fc10);
    /* At the very end of readable memory only a revision 0 structure fits. */
    memcpy(high + HIGH_SIZE - 20, low + 0x9fc10, 20);
    assert_int_equal(acpi_parse(&info, read_memory, NULL, 0, _hpa(HIGH + HIGH_SIZE - 20)), 0);
    memset(low, 0, sizeof(low));
    assert_int_equal(acpi_parse(&info, read_memory, NULL, 0, _hpa(0)), -XEN_ENODEV);
    assert_string_equal(info.notes[0], "no RSDP");
}

static void root_tables(void **state)
{
    uint8_t rsdp[36], old[36];
    build_machine(rsdp, true);
    build_machine(old, false);
    put(rsdp + 16, old[16] | old[17] << 8 | old[18] << 16 | (uint64_t)old[19] << 24, 4);
    seal(rsdp, 20, 8);
    seal(rsdp, 36, 32);
    /* A bad XSDT: the RSDT serves. */
    uint64_t xsdt = (uint64_t)rsdp[24] | rsdp[25] << 8 | rsdp[26] << 16 | (uint64_t)rsdp[27] << 24;
    high[xsdt - HIGH + 9] ^= 1;
    assert_int_equal(parse(rsdp), 0);
    assert_int_equal(info.nr_tables, 5);
    assert_int_equal(info.nr_cpus, 4);
    /* A bad second checksum or length of the RSDP: the same. */
    high[xsdt - HIGH + 9] ^= 1;
    rsdp[32] ^= 1;
    assert_int_equal(parse(rsdp), 0);
    rsdp[32] ^= 1;
    put(rsdp + 20, 0xffffffff, 4);
    assert_int_equal(parse(rsdp), 0);
    /* A bad first one: nothing, and no other place is tried without reason. */
    rsdp[8] ^= 1;
    assert_int_equal(parse(rsdp), -XEN_ENODEV);
    /* Too short a copy. */
    rsdp[8] ^= 1;
    assert_int_equal(acpi_parse(&info, read_memory, rsdp, 19, _hpa(0)), -XEN_ENODEV);
    assert_int_equal(acpi_parse(&info, read_memory, rsdp, 20, _hpa(0)), 0);
}

static void bad_lengths(void **state)
{
    static const uint32_t lengths[] = {0, 35, HIGH_SIZE, ACPI_MAX_CPUS << 20, 0xffffffff};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        uint8_t rsdp[36];
        setup(NULL);
        uint8_t *m = table("APIC", 44);
        uint8_t *tables[] = {m, table("FACP", 116), m};
        root(rsdp, true, tables, 3);
        put(m + 4, lengths[i], 4);
        assert_int_equal(parse(rsdp), 0);
        assert_false(info.has_madt);
        assert_true(info.has_fadt);
        assert_true(info.nr_notes >= 1);
        assert_true(copied < 1u << 20);
    }
    /* Entries that lead nowhere, out of memory, or back to the root. */
    uint8_t rsdp[36];
    setup(NULL);
    uint8_t *tables[] = {high, low, high};
    root(rsdp, true, tables, 3); /* the root itself is at high */
    put(high + 36 + 8, ~0ULL, 8);
    reseal(high);
    assert_int_equal(parse(rsdp), 0);
    assert_int_equal(info.nr_tables, 2);
    assert_int_equal(info.nr_cpus, 0);
}

static void many_tables(void **state)
{
    uint8_t rsdp[36], *tables[ACPI_MAX_TABLES + 40];
    tables[0] = aml("SSDT", 8000, "", 0);
    for (size_t i = 1; i < ARRAY_SIZE(tables); i++)
        tables[i] = tables[0];
    root(rsdp, true, tables, ARRAY_SIZE(tables));
    assert_int_equal(parse(rsdp), 0);
    assert_int_equal(info.nr_tables, ACPI_MAX_TABLES);
    assert_true(copied < 8u << 20);
}

static void madt_entries(void **state)
{
    static const struct {
        uint8_t bytes[16];
        uint32_t size;
        unsigned int cpus;
    } cases[] = {
        {{0, 8, 0, 0, 1, 0, 0, 0, 0, 0}, 10, 1},                /* length 0: would loop */
        {{0, 8, 0, 0, 1, 0, 0, 0, 0, 1}, 10, 1},                /* length 1 */
        {{0, 8, 0, 0, 1, 0, 0, 0, 0}, 9, 1},                    /* half a header */
        {{0, 8, 0, 0, 1, 0, 0, 0, 0, 8, 1, 1, 1}, 13, 1},       /* runs over the end */
        {{0, 7, 0, 0, 1, 0, 0, 0, 8, 0, 3, 1, 0, 0, 0}, 15, 1}, /* too short for its type */
        {{0x7f, 2, 0, 8, 0, 0, 1, 0, 0, 0}, 10, 1},             /* unknown, minimal */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t rsdp[36];
        setup(NULL);
        uint8_t *tables[] = {madt(cases[i].bytes, cases[i].size)};
        root(rsdp, true, tables, 1);
        assert_int_equal(parse(rsdp), 0);
        assert_int_equal(info.nr_cpus, cases[i].cpus);
        assert_int_equal(info.nr_notes > 0, i != 5);
    }
    /* More of everything than there is room for. */
    static uint8_t many[400 * 28];
    for (unsigned int i = 0; i < 400; i++) {
        uint8_t *e = many + i * 28;
        e[0] = 9;
        e[1] = 16;
        put(e + 4, i, 4);
        e[8] = 1;
        e[16] = 1;
        e[17] = 12;
        put(e + 20, 0xfec00000 + i * 0x1000, 4);
        put(e + 24, i * 24, 4);
    }
    uint8_t rsdp[36];
    setup(NULL);
    uint8_t *tables[] = {madt(many, sizeof(many))};
    root(rsdp, true, tables, 1);
    assert_int_equal(parse(rsdp), 0);
    assert_int_equal(info.nr_cpus, ACPI_MAX_CPUS);
    assert_int_equal(info.nr_ioapics, ACPI_MAX_IOAPICS);
    assert_true(info.nr_notes > ACPI_MAX_NOTES); /* counted, not stored */
}

static void madt_duplicates(void **state)
{
    static const uint8_t entries[] = {
        0, 8,  9, 4, 2, 0, 0, 0,                         /* online-capable first */
        9, 16, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, /* then enabled */
        0, 8,  7, 4, 1, 0, 0, 0,                         /* and once more */
    };
    uint8_t rsdp[36];
    uint8_t *tables[] = {madt(entries, sizeof(entries))};
    root(rsdp, true, tables, 1);
    assert_int_equal(parse(rsdp), 0);
    assert_int_equal(info.nr_cpus, 1);
    assert_true(info.cpus[0].enabled);
    assert_int_equal(info.cpus[0].uid, 8);
}

static struct acpi_info *parse_fadt(uint8_t *f)
{
    uint8_t rsdp[36];
    uint8_t *tables[] = {f};
    reseal(f);
    root(rsdp, true, tables, 1);
    assert_int_equal(parse(rsdp), 0);
    return &info;
}

static void fadt_forms(void **state)
{
    uint8_t *f = fadt(0);
    /* The 64-bit form wins, in memory too. */
    f[172] = 0;
    put(f + 176, 0xfed81804, 8);
    f[148] = 1;
    put(f + 152, 0x700, 8);
    parse_fadt(f);
    assert_false(info.pm1a_control.io);
    assert_int_equal(info.pm1a_control.address, 0xfed81804);
    assert_int_equal(info.pm1a_event.address, 0x700);
    /* An unknown space or an impossible port: the old form. */
    f[172] = 3;
    put(f + 152, 0x12345, 8);
    parse_fadt(f);
    assert_int_equal(info.pm1a_control.address, 0x604);
    assert_int_equal(info.pm1a_event.address, 0x600);
    /* No reset register without its flag; 24-bit timer; odd lengths. */
    put(f + 112, 0, 4);
    f[91] = 3;
    f[89] = 0;
    put(f + 56, 0xfffe, 4);
    f[148] = 3;
    parse_fadt(f);
    assert_int_equal(info.reset.bytes, 0);
    assert_int_equal(info.pm_timer_bits, 24);
    assert_int_equal(info.pm_timer.bytes, 0);
    assert_int_equal(info.pm1a_control.bytes, 0);
    assert_int_equal(info.pm1a_event.bytes, 0);
    /* Hardware-reduced. */
    put(f + 112, 1u << 20, 4);
    f[244] = 1;
    put(f + 248, 0x404, 8);
    parse_fadt(f);
    assert_true(info.hw_reduced);
    assert_int_equal(info.sleep_control.address, 0x404);
    assert_int_equal(info.pm1a_event.bytes, 0);
    /* The oldest table, and one too short. */
    uint8_t *old = table("FACP", 116);
    put(old + 64, 0x404, 4);
    old[89] = 2;
    parse_fadt(old);
    assert_int_equal(info.pm1a_control.address, 0x404);
    parse_fadt(table("FACP", 115));
    assert_false(info.has_fadt);
}

static bool has_s5(const void *code, uint32_t size, uint32_t filling)
{
    uint8_t rsdp[36];
    setup(NULL);
    uint8_t *tables[] = {fadt(address(aml("DSDT", filling, code, size)))};
    root(rsdp, true, tables, 1);
    assert_int_equal(parse(rsdp), 0);
    return info.has_s5;
}

static void s5(void **state)
{
    /* At every place around the border of the buffer that the scan uses. */
    for (uint32_t filling = 4096 - 80; filling < 4096 + 40; filling++) {
        assert_true(has_s5(s5_code, sizeof(s5_code), filling));
        assert_int_equal(info.s5_type_a, 5);
        assert_int_equal(info.s5_type_b, 6);
    }
    static const uint8_t root_name[] = {0x08, '\\', '_',  'S',  '5', '_', 0x12, 0x47,
                                        0x00, 0x04, 0x01, 0x0b, 7,   0,   0};
    assert_true(has_s5(root_name, sizeof(root_name), 3));
    assert_int_equal(info.s5_type_a, 1);
    assert_int_equal(info.s5_type_b, 7);
    static const uint8_t one_element[] = {0x08, '_', 'S', '5', '_', 0x12, 4, 1, 0x0a, 3};
    assert_true(has_s5(one_element, sizeof(one_element), 0));
    assert_int_equal(info.s5_type_a, 3);
    assert_int_equal(info.s5_type_b, 0);
    /* A method, a reference, an empty package, or an end in the middle is nothing. */
    static const uint8_t method[] = {0x14, 9, '_', 'S', '5', '_', 0x12, 8, 4, 0x0a, 5, 0x0a, 5};
    static const uint8_t names[] = {0x08, '_', 'S', '5', '_', 0x12, 8, 2, 'A', 'B', 'C', 'D'};
    static const uint8_t empty[] = {0x08, '_', 'S', '5', '_', 0x12, 2, 0, 0x0a, 5};
    assert_false(has_s5(method, sizeof(method), 0));
    assert_false(has_s5(names, sizeof(names), 0));
    assert_false(has_s5(empty, sizeof(empty), 0));
    for (uint32_t n = 0; n < 10; n++)
        assert_false(has_s5(s5_code, n, 4096));

    /* In an SSDT when the DSDT has none; a bad checksum hides it. */
    setup(NULL);
    uint8_t rsdp[36];
    uint8_t *ssdt = aml("SSDT", 10, s5_code, sizeof(s5_code));
    uint8_t *tables[] = {fadt(address(aml("DSDT", 10, "", 0))), table("SSDT", 36), ssdt};
    root(rsdp, true, tables, 3);
    assert_int_equal(parse(rsdp), 0);
    assert_true(info.has_s5);
    ssdt[40] ^= 1;
    assert_int_equal(parse(rsdp), 0);
    assert_false(info.has_s5);
}

UNIT_MAIN(cmocka_unit_test_setup(complete, setup), cmocka_unit_test_setup(found_in_memory, setup),
          cmocka_unit_test_setup(root_tables, setup), cmocka_unit_test_setup(bad_lengths, setup),
          cmocka_unit_test_setup(many_tables, setup), cmocka_unit_test_setup(madt_entries, setup),
          cmocka_unit_test_setup(madt_duplicates, setup), cmocka_unit_test_setup(fadt_forms, setup),
          cmocka_unit_test_setup(s5, setup))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot/guest_acpi.c: what it builds is understood by Krypton's own defensive parser, with the
 * values that stock guests rely on, and by iasl's disassembler where that is installed; the size is
 * exact.
 */
#include "unit/unit.h"

#include "abi/xen.h"
#include "boot/guest_acpi.h"
#include "boot/modules.h"
#include "host/acpi.h"

#define BASE 0xfc001000u
static uint8_t tables[8192];
static size_t used;
static struct acpi_info info;

static int read_guest(hpa_t from, void *buf, size_t len)
{
    if (from.v < BASE || from.v - BASE > used || len > used - (from.v - BASE))
        return -XEN_EFAULT;
    memcpy(buf, tables + (from.v - BASE), len);
    return 0;
}

static void parse(unsigned int vcpus)
{
    memset(tables, 0xee, sizeof(tables)); /* nothing may depend on what was there */
    used = guest_acpi_build(tables, sizeof(tables), _gpa(BASE), vcpus);
    assert_true(used);
    assert_int_equal(acpi_parse(&info, read_guest, NULL, 0, _hpa(BASE)), 0);
    assert_int_equal(info.rsdp.v, BASE);
    assert_int_equal(info.nr_notes, 0);
}

static void understood(void **state)
{
    for (unsigned int vcpus = 1; vcpus <= 256; vcpus++) {
        parse(vcpus);
        assert_int_equal(info.nr_cpus, vcpus);
        for (unsigned int i = 0; i < vcpus; i++) {
            assert_int_equal(info.cpus[i].uid, i);
            assert_int_equal(info.cpus[i].apic_id, 2 * i);
            assert_true(info.cpus[i].enabled);
        }
    }
    assert_int_equal(info.nr_tables, 2);
    assert_int_equal(info.lapic_address.v, 0xfee00000);
    assert_int_equal(info.nr_ioapics, 0);
    assert_true(info.has_pic);
    assert_int_equal(info.tables[0].revision, 5);
    assert_int_equal(info.boot_arch, ACPI_BOOT_NO_VGA | ACPI_BOOT_NO_CMOS);
    assert_int_equal(info.sci, 9);
    assert_int_equal(info.smi_command, 0);
    assert_int_equal(info.pm1a_event.address, 0xb000);
    assert_int_equal(info.pm1a_control.address, 0xb004);
    assert_int_equal(info.pm1a_control.bytes, 2);
    assert_int_equal(info.pm_timer.bytes, 0);
    assert_int_equal(info.reset.bytes, 0);
    assert_false(info.has_s5);
    assert_false(info.has_hpet);
    assert_false(info.hw_reduced);
}

/* Offset of a table by its signature, which must be there once. */
static size_t find(const char *signature)
{
    size_t found = 0;
    for (size_t i = 0; i + 4 <= used; i++)
        if (!memcmp(tables + i, signature, 4)) {
            assert_int_equal(found, 0);
            found = i;
        }
    assert_true(found);
    return found;
}

static void facs(void **state)
{
    parse(3);
    size_t at = find("FACS");
    size_t fadt = find("FACP");
    assert_int_equal((BASE + at) % 64, 0);
    assert_int_equal(tables[at + 4], 64);
    uint32_t pointer;
    memcpy(&pointer, tables + fadt + 36, 4);
    assert_int_equal(pointer, BASE + at);
}

static void size(void **state)
{
    size_t exact = guest_acpi_build(tables, sizeof(tables), _gpa(BASE), GUEST_MAX_VCPUS);
    assert_true(exact && exact <= GUEST_ACPI_SIZE);
    uint8_t *tight = malloc(exact);
    assert_non_null(tight);
    assert_int_equal(guest_acpi_build(tight, exact, _gpa(BASE), GUEST_MAX_VCPUS), exact);
    assert_int_equal(guest_acpi_build(tight, exact - 1, _gpa(BASE), GUEST_MAX_VCPUS), 0);
    assert_int_equal(guest_acpi_build(tight, exact, _gpa(BASE), 0), 0);
    free(tight);
    assert_int_equal(guest_acpi_build(tables, sizeof(tables), _gpa(BASE), 257), 0);
}

static void disassembled(void **state)
{
    if (system("command -v iasl >/dev/null 2>&1"))
        skip();
    static const char *const signatures[] = {"DSDT", "FACP", "APIC", "FACS", "XSDT"};
    char dir[] = "/tmp/guest-acpi-XXXXXX", command[256];
    assert_non_null(mkdtemp(dir));
    parse(130);
    for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
        size_t at = find(signatures[i]);
        uint32_t length;
        memcpy(&length, tables + at + 4, 4);
        snprintf(command, sizeof(command), "%s/%s.dat", dir, signatures[i]);
        FILE *f = fopen(command, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(tables + at, 1, length, f), length);
        assert_int_equal(fclose(f), 0);
        snprintf(command, sizeof(command),
                 "cd %s && iasl -d %s.dat >log 2>&1 && ! grep -qiE 'error|invalid|warning' log "
                 "%s.dsl",
                 dir, signatures[i], signatures[i]);
        assert_int_equal(system(command), 0);
    }
    snprintf(command, sizeof(command),
             "cd %s && test $(grep -c 'Processor (P0' DSDT.dsl) = 130 && iasl DSDT.dsl >log 2>&1",
             dir);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

UNIT_MAIN(cmocka_unit_test(understood), cmocka_unit_test(facs), cmocka_unit_test(size),
          cmocka_unit_test(disassembled))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host/acpi*.c on arbitrary memory: the input is the machine's memory at 0xe0000, so that the
 * scan for the RSDP begins with it. Checksums would stop the fuzzer at the door, so that of
 * whatever looks like a table is made right first.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "abi/xen.h"
#include "host/acpi.h"

#define BASE 0xe0000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *memory;
static size_t memory_size;
static uint64_t copied;

static int read_memory(hpa_t from, void *buf, size_t len)
{
    copied += len;
    if (from.v < BASE || from.v - BASE > memory_size || len > memory_size - (from.v - BASE))
        return -XEN_EFAULT;
    memcpy(buf, memory + (from.v - BASE), len);
    return 0;
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void seal(uint8_t *t, size_t size, size_t at)
{
    uint8_t sum = 0;
    t[at] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + t[i]);
    t[at] = (uint8_t)-sum;
}

/* Repairs the checksum of whatever looks like a table in the copy. */
static void repair(uint8_t *m, size_t size)
{
    static const char names[][5] = {"APIC", "FACP", "HPET", "MCFG", "DSDT", "SSDT", "RSDT", "XSDT"};
    for (size_t at = 0; at + 36 <= size; at += 4) {
        if (!memcmp(m + at, "RSD PTR ", 8)) {
            seal(m + at, 20, 8);
            seal(m + at, 36, 32);
        }
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
            if (!memcmp(m + at, names[i], 4) && le32(m + at + 4) >= 36 &&
                le32(m + at + 4) <= size - at)
                seal(m + at, le32(m + at + 4), 9);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t copy[16384];
    static struct acpi_info info;
    if (size > sizeof(copy))
        return 0;
    memcpy(copy, data, size);
    repair(copy, size);
    memory = copy;
    memory_size = size;
    copied = 0;
    if (acpi_parse(&info, read_memory, NULL, 0, (hpa_t){0}))
        assert(!info.nr_tables);
    assert(info.nr_cpus <= ACPI_MAX_CPUS && info.nr_ioapics <= ACPI_MAX_IOAPICS);
    assert(info.nr_tables <= ACPI_MAX_TABLES && info.nr_mcfg <= ACPI_MAX_MCFG);
    for (unsigned int i = 0; i < info.nr_cpus; i++)
        for (unsigned int j = 0; j < i; j++)
            assert(info.cpus[i].apic_id != info.cpus[j].apic_id);
    assert(!info.has_s5 || (info.s5_type_a < 8 && info.s5_type_b < 8));
    assert(copied < 64u << 20);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI: the sleep type of S5. AML is not interpreted: the bytes of `Name (_S5_, Package () {a, b,
 * ...})` are looked for (ACPI 6.4, 7.4.2 and 20.2), with a and b as constants. Firmware that
 * computes them is not served.
 */
#include "host/acpi_table.h"

#include "lib/string.h"

enum aml {
    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_NAME = 0x08,
    AML_BYTE = 0x0a,
    AML_WORD = 0x0b,
    AML_DWORD = 0x0c,
    AML_PACKAGE = 0x12,
    AML_ROOT = '\\',
};

/* Longest form: NameOp, '\', name, PackageOp, length 4, count 1, two DWords of 5. */
#define LONGEST 22

/* A constant at b; returns how many bytes it takes, 0 when it is none. */
static size_t constant(const uint8_t *b, size_t n, uint64_t *value)
{
    if (n < 1)
        return 0;
    size_t size = b[0] == AML_BYTE ? 1 : b[0] == AML_WORD ? 2 : b[0] == AML_DWORD ? 4 : 0;
    if (size) {
        if (n < 1 + size)
            return 0;
        *value = acpi_le(b + 1, size);
        return 1 + size;
    }
    *value = b[0];
    return b[0] == AML_ZERO || b[0] == AML_ONE;
}

/* Is there the name at b, n bytes being there? */
static bool match(const uint8_t *b, size_t n, uint8_t *type_a, uint8_t *type_b)
{
    const uint8_t *end = b + n;
    uint64_t a, c;
    if (n < 1 || *b++ != AML_NAME)
        return false;
    if (b < end && *b == AML_ROOT)
        b++;
    if (end - b < 6 || memcmp(b, "_S5_", 4) || b[4] != AML_PACKAGE)
        return false;
    b += 5;
    b += 1 + (*b >> 6); /* the package's length says how many bytes follow in its top bits */
    if (end - b < 1 || *b++ < 1)
        return false;
    uint8_t count = b[-1];
    size_t used = constant(b, (size_t)(end - b), &a);
    if (!used)
        return false;
    b += used;
    if (count < 2 || !constant(b, (size_t)(end - b), &c))
        c = 0;
    *type_a = a & 7;
    *type_b = c & 7;
    return true;
}

void acpi_s5(struct acpi_parser *p, const struct acpi_table *t)
{
    struct acpi_info *info = p->info;
    uint32_t offset = ACPI_HEADER_SIZE;
    for (;;) {
        size_t len = ACPI_CHUNK;
        const uint8_t *b = acpi_chunk(p, t, offset, &len);
        if (!b)
            return;
        bool last = offset + len >= t->length;
        size_t starts = last ? len : len - LONGEST;
        for (size_t i = 0; i < starts; i++)
            if (match(b + i, len - i, &info->s5_type_a, &info->s5_type_b)) {
                info->has_s5 = true;
                return;
            }
        if (last)
            return;
        offset += (uint32_t)starts;
    }
}

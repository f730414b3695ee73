/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files host/acpi*.c: the parser's state, bounded reads inside one table, and the
 * parsers of the single tables. Nobody else includes it.
 */
#ifndef KR_HOST_ACPI_TABLE_H
#define KR_HOST_ACPI_TABLE_H

#include "host/acpi.h"

/* Larger than any real table; bounds the time that a bad length can cost. */
#define ACPI_MAX_LENGTH  (4u << 20)

#define ACPI_HEADER_SIZE 36 /* of every table but RSDP and FACS (5.2.6) */

struct acpi_parser {
    acpi_read_fn *read;
    struct acpi_info *info;
};

/* Keeps a note for the log, at most 79 characters. */
void acpi_note(struct acpi_parser *p, const char *fmt, ...) printf_like(2, 3);

/* Copies len bytes at `offset` of a table; false, buf zeroed, when they are not all inside it. */
bool acpi_get(struct acpi_parser *p, const struct acpi_table *t, uint32_t offset, void *buf,
              size_t len) must_check;

/* Little-endian integer of 1..8 bytes. */
uint64_t acpi_le(const uint8_t *bytes, size_t n);

/* Reads a table's header at `at`; false (and a note) when it cannot be a table. */
bool acpi_open(struct acpi_parser *p, hpa_t at, struct acpi_table *t) must_check;

/* Sums a whole table up; false (and a note) when its checksum is wrong. */
bool acpi_checksum(struct acpi_parser *p, const struct acpi_table *t) must_check;

/* The table's bytes from `offset` in a shared buffer, at most *len, which is set to their number;
 * NULL at the table's end. The buffer holds until the next call. */
#define ACPI_CHUNK 4096
const uint8_t *acpi_chunk(struct acpi_parser *p, const struct acpi_table *t, uint32_t offset,
                          size_t *len);

/* Each takes a table whose checksum is right. */
void acpi_madt(struct acpi_parser *p, const struct acpi_table *t);
void acpi_fadt(struct acpi_parser *p, const struct acpi_table *t, hpa_t *dsdt);
void acpi_hpet(struct acpi_parser *p, const struct acpi_table *t);
void acpi_mcfg(struct acpi_parser *p, const struct acpi_table *t);
void acpi_s5(struct acpi_parser *p, const struct acpi_table *t); /* DSDT or SSDT */

#endif

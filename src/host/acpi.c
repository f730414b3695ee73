/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI: from the RSDP to the list of tables, and the order in which they are read (ACPI 6.4, 5.2.5
 * to 5.2.8).
 */
#include "host/acpi_table.h"

#include "abi/xen.h"
#include "lib/format.h"
#include "lib/string.h"

void acpi_note(struct acpi_parser *p, const char *fmt, ...)
{
    struct acpi_info *info = p->info;
    if (info->nr_notes < ACPI_MAX_NOTES) {
        va_list ap;
        va_start(ap, fmt);
        vformat(info->notes[info->nr_notes], sizeof(info->notes[0]), fmt, ap);
        va_end(ap);
    }
    info->nr_notes++;
}

uint64_t acpi_le(const uint8_t *bytes, size_t n)
{
    uint64_t v = 0;
    while (n)
        v = v << 8 | bytes[--n];
    return v;
}

static uint8_t sum(const uint8_t *bytes, size_t n)
{
    uint8_t s = 0;
    for (size_t i = 0; i < n; i++)
        s = (uint8_t)(s + bytes[i]);
    return s;
}

bool acpi_get(struct acpi_parser *p, const struct acpi_table *t, uint32_t offset, void *buf,
              size_t len)
{
    if (len <= t->length && offset <= t->length - len &&
        !p->read(_hpa(t->address.v + offset), buf, len))
        return true;
    memset(buf, 0, len);
    return false;
}

bool acpi_open(struct acpi_parser *p, hpa_t at, struct acpi_table *t)
{
    uint8_t header[ACPI_HEADER_SIZE];
    if (!at.v || at.v > UINT64_MAX - ACPI_MAX_LENGTH || p->read(at, header, sizeof(header))) {
        acpi_note(p, "table at %#lx cannot be read", at.v);
        return false;
    }
    memcpy(t->signature, header, 4);
    for (int i = 0; i < 4; i++)
        if (t->signature[i] < ' ' || t->signature[i] > '~')
            t->signature[i] = '?';
    t->length = (uint32_t)acpi_le(header + 4, 4);
    t->revision = header[8];
    t->address = at;
    if (t->length < ACPI_HEADER_SIZE || t->length > ACPI_MAX_LENGTH) {
        acpi_note(p, "table %.4s at %#lx: length %u", t->signature, at.v, t->length);
        return false;
    }
    return true;
}

const uint8_t *acpi_chunk(struct acpi_parser *p, const struct acpi_table *t, uint32_t offset,
                          size_t *len)
{
    static uint8_t buffer[ACPI_CHUNK];
    if (offset >= t->length)
        return NULL;
    *len = min(*len, (size_t)ACPI_CHUNK);
    *len = min(*len, (size_t)(t->length - offset));
    return acpi_get(p, t, offset, buffer, *len) ? buffer : NULL;
}

bool acpi_checksum(struct acpi_parser *p, const struct acpi_table *t)
{
    uint8_t s = 0;
    size_t len;
    for (uint32_t offset = 0; offset < t->length; offset += (uint32_t)len) {
        len = ACPI_CHUNK;
        const uint8_t *bytes = acpi_chunk(p, t, offset, &len);
        if (!bytes) {
            acpi_note(p, "table %.4s at %#lx cannot be read", t->signature, t->address.v);
            return false;
        }
        s = (uint8_t)(s + sum(bytes, len));
    }
    if (s)
        acpi_note(p, "table %.4s at %#lx: bad checksum", t->signature, t->address.v);
    return !s;
}

/* RSDP: 20 bytes, from revision 2 on a longer structure with a second checksum (5.2.5.3). */
struct rsdp {
    hpa_t xsdt, rsdt; /* 0: none */
};

static bool rsdp_take(const uint8_t *b, size_t size, struct rsdp *r)
{
    if (size < 20 || memcmp(b, "RSD PTR ", 8) || sum(b, 20))
        return false;
    *r = (struct rsdp){.rsdt = _hpa(acpi_le(b + 16, 4))};
    if (b[15] < 2)
        return true;
    /* A wrong second checksum leaves the part that the first one covers. */
    if (size >= 36 && acpi_le(b + 20, 4) >= 36 && acpi_le(b + 20, 4) <= size &&
        !sum(b, acpi_le(b + 20, 4)))
        r->xsdt = _hpa(acpi_le(b + 24, 8));
    return true;
}

static bool rsdp_at(struct acpi_parser *p, hpa_t at, struct rsdp *r)
{
    uint8_t b[36];
    size_t size = sizeof(b);
    if (p->read(at, b, size)) {
        size = 20;
        if (p->read(at, b, size))
            return false;
    }
    if (!rsdp_take(b, size, r))
        return false;
    p->info->rsdp = at;
    return true;
}

static bool rsdp_scan(struct acpi_parser *p, struct rsdp *r)
{
    /* The EBDA's segment is at 0x40e; its first KiB, then the BIOS area (5.2.5.1). */
    uint8_t segment[2] = {0};
    uint64_t ebda = 0;
    if (!p->read(_hpa(0x40e), segment, sizeof(segment)))
        ebda = acpi_le(segment, 2) << 4;
    if (ebda >= 0x400 && ebda < 0xa0000)
        for (uint64_t at = ebda; at < ebda + 1024; at += 16)
            if (rsdp_at(p, _hpa(at), r))
                return true;
    for (uint64_t at = 0xe0000; at < 0x100000; at += 16)
        if (rsdp_at(p, _hpa(at), r))
            return true;
    return false;
}

/* Lists the tables that a root table names, in entries of `width` bytes. */
static bool root_take(struct acpi_parser *p, hpa_t at, const char *signature, uint32_t width)
{
    struct acpi_info *info = p->info;
    struct acpi_table root;
    if (!at.v || !acpi_open(p, at, &root))
        return false;
    if (memcmp(root.signature, signature, 4)) {
        acpi_note(p, "%s at %#lx has signature %.4s", signature, at.v, root.signature);
        return false;
    }
    if (!acpi_checksum(p, &root))
        return false;
    uint8_t entry[8];
    for (uint32_t offset = ACPI_HEADER_SIZE; acpi_get(p, &root, offset, entry, width);
         offset += width) {
        if (info->nr_tables == ACPI_MAX_TABLES) {
            acpi_note(p, "%s: more than %u tables", signature, info->nr_tables);
            break;
        }
        if (acpi_open(p, _hpa(acpi_le(entry, width)), &info->tables[info->nr_tables]))
            info->nr_tables++;
    }
    return true;
}

const struct acpi_table *acpi_find(const struct acpi_info *info, const char *signature,
                                   const struct acpi_table *after)
{
    const struct acpi_table *t = after ? after + 1 : info->tables;
    for (; t < info->tables + info->nr_tables; t++)
        if (!memcmp(t->signature, signature, 4))
            return t;
    return NULL;
}

/* The first table of a kind with a right checksum. */
static const struct acpi_table *good_table(struct acpi_parser *p, const char *signature)
{
    const struct acpi_table *t = NULL;
    while ((t = acpi_find(p->info, signature, t)))
        if (acpi_checksum(p, t))
            return t;
    return NULL;
}

static void find_s5(struct acpi_parser *p, hpa_t dsdt_at)
{
    struct acpi_table dsdt;
    if (dsdt_at.v && acpi_open(p, dsdt_at, &dsdt) && !memcmp(dsdt.signature, "DSDT", 4) &&
        acpi_checksum(p, &dsdt))
        acpi_s5(p, &dsdt);
    const struct acpi_table *t = NULL;
    while (!p->info->has_s5 && (t = acpi_find(p->info, "SSDT", t)))
        if (acpi_checksum(p, t))
            acpi_s5(p, t);
}

static void read_tables(struct acpi_parser *p)
{
    const struct acpi_table *t;
    hpa_t dsdt = _hpa(0);
    if ((t = good_table(p, "APIC")))
        acpi_madt(p, t);
    if ((t = good_table(p, "FACP")))
        acpi_fadt(p, t, &dsdt);
    if ((t = good_table(p, "HPET")))
        acpi_hpet(p, t);
    if ((t = good_table(p, "MCFG")))
        acpi_mcfg(p, t);
    find_s5(p, dsdt);
}

int acpi_parse(struct acpi_info *info, acpi_read_fn *read, const void *rsdp, size_t rsdp_size,
               hpa_t rsdp_address)
{
    struct acpi_parser p = {.read = read, .info = info};
    struct rsdp r = {.xsdt = {0}};
    memset(info, 0, sizeof(*info));
    bool found = rsdp && rsdp_take(rsdp, rsdp_size, &r);
    if (rsdp && !found)
        acpi_note(&p, "the boot loader's copy of the RSDP is bad");
    if (!found && rsdp_address.v)
        found = rsdp_at(&p, rsdp_address, &r);
    if (!found)
        found = rsdp_scan(&p, &r);
    if (!found)
        acpi_note(&p, "no RSDP");
    if (!root_take(&p, r.xsdt, "XSDT", 8) && !root_take(&p, r.rsdt, "RSDT", 4))
        return -XEN_ENODEV;
    read_tables(&p);
    return 0;
}

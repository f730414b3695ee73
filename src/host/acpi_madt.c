/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI: the MADT's list of interrupt controllers (ACPI 6.4, 5.2.12). Entries of other types than
 * those that concern Krypton are skipped by their length.
 */
#include "host/acpi_table.h"

#include "lib/string.h"

enum madt_type {
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_NMI_SOURCE = 3,
    MADT_LAPIC_NMI = 4,
    MADT_LAPIC_ADDRESS = 5,
    MADT_X2APIC = 9,
    MADT_X2APIC_NMI = 10,
};

#define MADT_ENTRIES     44 /* offset of the first entry */
#define MADT_PCAT_COMPAT 1u
#define CPU_ENABLED      1u
#define CPU_ONLINE_CAP   2u
#define LONGEST_ENTRY    16

static void full(struct acpi_parser *p, const char *what, unsigned int limit)
{
    acpi_note(p, "MADT: more than %u %s", limit, what);
}

static void take_cpu(struct acpi_parser *p, uint32_t apic_id, uint32_t uid, uint32_t flags)
{
    struct acpi_info *info = p->info;
    struct acpi_cpu cpu = {.apic_id = apic_id,
                           .uid = uid,
                           .enabled = flags & CPU_ENABLED,
                           .online_capable = flags & CPU_ONLINE_CAP};
    if (!(flags & (CPU_ENABLED | CPU_ONLINE_CAP))) {
        info->nr_disabled_cpus++;
        return;
    }
    for (unsigned int i = 0; i < info->nr_cpus; i++) {
        struct acpi_cpu *known = &info->cpus[i];
        if (known->apic_id == apic_id) {
            /* Firmware may list a CPU both as APIC and as x2APIC. */
            if (cpu.enabled && !known->enabled)
                *known = cpu;
            return;
        }
    }
    if (info->nr_cpus == ACPI_MAX_CPUS)
        full(p, "CPUs", ACPI_MAX_CPUS);
    else
        info->cpus[info->nr_cpus++] = cpu;
}

static void take_ioapic(struct acpi_parser *p, const uint8_t *e)
{
    struct acpi_info *info = p->info;
    struct acpi_ioapic io = {
        .id = e[2], .address = _hpa(acpi_le(e + 4, 4)), .gsi_base = (uint32_t)acpi_le(e + 8, 4)};
    if (!io.address.v) {
        acpi_note(p, "MADT: IO-APIC %u has no address", io.id);
        return;
    }
    for (unsigned int i = 0; i < info->nr_ioapics; i++)
        if (info->ioapics[i].address.v == io.address.v || info->ioapics[i].gsi_base == io.gsi_base)
            return;
    if (info->nr_ioapics == ACPI_MAX_IOAPICS)
        full(p, "IO-APICs", ACPI_MAX_IOAPICS);
    else
        info->ioapics[info->nr_ioapics++] = io;
}

static void take_override(struct acpi_parser *p, const uint8_t *e)
{
    struct acpi_info *info = p->info;
    struct acpi_override o = {
        .isa_irq = e[3], .gsi = (uint32_t)acpi_le(e + 4, 4), .flags = (uint16_t)acpi_le(e + 8, 2)};
    if (e[2] != 0 || o.isa_irq > 15) { /* bus 0 is ISA, the only one there is */
        acpi_note(p, "MADT: override of bus %u interrupt %u", e[2], o.isa_irq);
        return;
    }
    for (unsigned int i = 0; i < info->nr_overrides; i++)
        if (info->overrides[i].isa_irq == o.isa_irq)
            return;
    if (info->nr_overrides == ACPI_MAX_OVERRIDES)
        full(p, "overrides", ACPI_MAX_OVERRIDES);
    else
        info->overrides[info->nr_overrides++] = o;
}

static void take_lapic_nmi(struct acpi_parser *p, uint32_t uid, uint16_t flags, uint8_t lint)
{
    struct acpi_info *info = p->info;
    if (lint > 1) {
        acpi_note(p, "MADT: NMI on LINT%u", lint);
        return;
    }
    if (info->nr_lapic_nmis == ACPI_MAX_NMIS)
        full(p, "APIC NMIs", ACPI_MAX_NMIS);
    else
        info->lapic_nmis[info->nr_lapic_nmis++] =
            (struct acpi_lapic_nmi){.uid = uid, .flags = flags, .lint = lint};
}

static void take_nmi_source(struct acpi_parser *p, const uint8_t *e)
{
    struct acpi_info *info = p->info;
    if (info->nr_nmi_sources == ACPI_MAX_NMIS)
        full(p, "NMI sources", ACPI_MAX_NMIS);
    else
        info->nmi_sources[info->nr_nmi_sources++] = (struct acpi_nmi_source){
            .flags = (uint16_t)acpi_le(e + 2, 2), .gsi = (uint32_t)acpi_le(e + 4, 4)};
}

static const uint8_t entry_length[] = {
    [MADT_LAPIC] = 8,     [MADT_IOAPIC] = 12,        [MADT_OVERRIDE] = 10, [MADT_NMI_SOURCE] = 8,
    [MADT_LAPIC_NMI] = 6, [MADT_LAPIC_ADDRESS] = 12, [MADT_X2APIC] = 16,   [MADT_X2APIC_NMI] = 12,
};

/* `e` holds at least entry_length[type] bytes, and is not called for types with none. */
static void take_entry(struct acpi_parser *p, const uint8_t *e)
{
    switch (e[0]) {
    case MADT_LAPIC:
        /* Id 0xff addresses all CPUs; firmware fills absent ones with it. */
        take_cpu(p, e[3], e[2], e[3] == 0xff ? 0 : (uint32_t)acpi_le(e + 4, 4));
        break;
    case MADT_X2APIC: {
        uint32_t id = (uint32_t)acpi_le(e + 4, 4);
        uint32_t flags = id == UINT32_MAX ? 0 : (uint32_t)acpi_le(e + 8, 4);
        take_cpu(p, id, (uint32_t)acpi_le(e + 12, 4), flags);
        break;
    }
    case MADT_IOAPIC:
        take_ioapic(p, e);
        break;
    case MADT_OVERRIDE:
        take_override(p, e);
        break;
    case MADT_NMI_SOURCE:
        take_nmi_source(p, e);
        break;
    case MADT_LAPIC_NMI:
        take_lapic_nmi(p, e[2] == 0xff ? ACPI_ALL_CPUS : e[2], (uint16_t)acpi_le(e + 3, 2), e[5]);
        break;
    case MADT_X2APIC_NMI:
        take_lapic_nmi(p, (uint32_t)acpi_le(e + 4, 4), (uint16_t)acpi_le(e + 2, 2), e[8]);
        break;
    case MADT_LAPIC_ADDRESS:
        p->info->lapic_address = _hpa(acpi_le(e + 4, 8));
        break;
    default:
        break;
    }
}

void acpi_madt(struct acpi_parser *p, const struct acpi_table *t)
{
    uint8_t head[8], e[LONGEST_ENTRY];
    if (!acpi_get(p, t, ACPI_HEADER_SIZE, head, sizeof(head))) {
        acpi_note(p, "MADT: too short");
        return;
    }
    p->info->has_madt = true;
    p->info->lapic_address = _hpa(acpi_le(head, 4));
    p->info->has_pic = acpi_le(head + 4, 4) & MADT_PCAT_COMPAT;
    for (uint32_t offset = MADT_ENTRIES; offset < t->length; offset += e[1]) {
        if (!acpi_get(p, t, offset, e, 2) || e[1] < 2 || e[1] > t->length - offset) {
            acpi_note(p, "MADT: bad entry at offset %u", offset);
            return;
        }
        uint8_t least = e[0] < ARRAY_SIZE(entry_length) ? entry_length[e[0]] : 0;
        if (!least)
            continue;
        if (e[1] < least)
            acpi_note(p, "MADT: entry of type %u too short", e[0]);
        else if (acpi_get(p, t, offset, e, least))
            take_entry(p, e);
        else
            return;
    }
}

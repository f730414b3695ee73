/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI: the small tables of fixed layout: FADT (ACPI 6.4, 5.2.9), HPET (IA-PC HPET specification
 * 1.0a, 3.2.4) and MCFG (PCI Firmware Specification 3.0, 4.1.2).
 */
#include "host/acpi_table.h"

/* Offsets in the FADT, table 5.9. A field behind the end of an old, short table reads as 0. */
enum fadt {
    FADT_DSDT = 40,
    FADT_SCI = 46,
    FADT_SMI_CMD = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_PM1A_EVT = 56,
    FADT_PM1B_EVT = 60,
    FADT_PM1A_CNT = 64,
    FADT_PM1B_CNT = 68,
    FADT_PM_TMR = 76,
    FADT_PM1_EVT_LEN = 88,
    FADT_PM1_CNT_LEN = 89,
    FADT_PM_TMR_LEN = 91,
    FADT_BOOT_ARCH = 109,
    FADT_FLAGS = 112,
    FADT_RESET_REG = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_DSDT = 140,
    FADT_X_PM1A_EVT = 148,
    FADT_X_PM1B_EVT = 160,
    FADT_X_PM1A_CNT = 172,
    FADT_X_PM1B_CNT = 184,
    FADT_X_PM_TMR = 208,
    FADT_SLEEP_CONTROL = 244,
    FADT_SLEEP_STATUS = 256,
};

#define FADT_TMR_VAL_EXT (1u << 8)
#define FADT_RESET_SUP   (1u << 10)
#define FADT_HW_REDUCED  (1u << 20)
#define FADT_LEAST       116 /* ACPI 1.0 */

static uint64_t field(struct acpi_parser *p, const struct acpi_table *t, uint32_t offset, size_t n)
{
    uint8_t b[8];
    return acpi_get(p, t, offset, b, n) ? acpi_le(b, n) : 0;
}

/*
 * A generic address (5.2.3.2): space, width in bits, offset, access size, address. Nothing but
 * memory and ports can be reached; the width is often nonsense and the caller knows better.
 */
static struct acpi_reg generic(struct acpi_parser *p, const struct acpi_table *t, uint32_t offset,
                               uint8_t bytes)
{
    uint8_t g[12];
    struct acpi_reg none = {.bytes = 0};
    if (!acpi_get(p, t, offset, g, sizeof(g)) || !acpi_le(g + 4, 8) || g[0] > 1)
        return none;
    struct acpi_reg r = {.io = g[0] == 1, .bytes = bytes, .address = acpi_le(g + 4, 8)};
    if (r.io && r.address > 0x10000u - bytes) {
        acpi_note(p, "FADT: port %#lx", r.address);
        return none;
    }
    return r;
}

/* The 64-bit form where it is usable, else the port of the old one. */
static struct acpi_reg block(struct acpi_parser *p, const struct acpi_table *t, uint32_t x_offset,
                             uint32_t offset, uint8_t bytes)
{
    struct acpi_reg r = {.bytes = 0};
    if (!bytes)
        return r;
    r = generic(p, t, x_offset, bytes);
    uint64_t port = field(p, t, offset, 4);
    if (!r.bytes && port && port <= 0x10000u - bytes)
        r = (struct acpi_reg){.io = true, .bytes = bytes, .address = port};
    return r;
}

void acpi_fadt(struct acpi_parser *p, const struct acpi_table *t, hpa_t *dsdt)
{
    struct acpi_info *info = p->info;
    if (t->length < FADT_LEAST) {
        acpi_note(p, "FADT: too short");
        return;
    }
    uint32_t flags = (uint32_t)field(p, t, FADT_FLAGS, 4);
    uint8_t event_bytes = (uint8_t)field(p, t, FADT_PM1_EVT_LEN, 1);
    uint8_t control_bytes = (uint8_t)field(p, t, FADT_PM1_CNT_LEN, 1);
    uint8_t timer_bytes = (uint8_t)field(p, t, FADT_PM_TMR_LEN, 1);

    info->has_fadt = true;
    *dsdt = _hpa(field(p, t, FADT_X_DSDT, 8));
    if (!dsdt->v)
        *dsdt = _hpa(field(p, t, FADT_DSDT, 4));
    info->hw_reduced = flags & FADT_HW_REDUCED;
    info->boot_arch = (uint16_t)field(p, t, FADT_BOOT_ARCH, 2);
    info->sci = (uint16_t)field(p, t, FADT_SCI, 2);
    if (flags & FADT_RESET_SUP)
        info->reset = generic(p, t, FADT_RESET_REG, 1);
    info->reset_value = (uint8_t)field(p, t, FADT_RESET_VALUE, 1);
    if (info->hw_reduced) {
        info->sleep_control = generic(p, t, FADT_SLEEP_CONTROL, 1);
        info->sleep_status = generic(p, t, FADT_SLEEP_STATUS, 1);
        return;
    }
    uint64_t smi = field(p, t, FADT_SMI_CMD, 4);
    info->smi_command = smi <= UINT16_MAX ? (uint16_t)smi : 0;
    info->acpi_enable = (uint8_t)field(p, t, FADT_ACPI_ENABLE, 1);
    info->pm1a_event = block(p, t, FADT_X_PM1A_EVT, FADT_PM1A_EVT, event_bytes);
    info->pm1b_event = block(p, t, FADT_X_PM1B_EVT, FADT_PM1B_EVT, event_bytes);
    info->pm1a_control = block(p, t, FADT_X_PM1A_CNT, FADT_PM1A_CNT, control_bytes);
    info->pm1b_control = block(p, t, FADT_X_PM1B_CNT, FADT_PM1B_CNT, control_bytes);
    if (timer_bytes == 4)
        info->pm_timer = block(p, t, FADT_X_PM_TMR, FADT_PM_TMR, timer_bytes);
    info->pm_timer_bits = flags & FADT_TMR_VAL_EXT ? 32 : 24;
}

void acpi_hpet(struct acpi_parser *p, const struct acpi_table *t)
{
    uint8_t b[16]; /* block id, then a generic address */
    if (!acpi_get(p, t, ACPI_HEADER_SIZE, b, sizeof(b)) || b[4] != 0 || !acpi_le(b + 8, 8)) {
        acpi_note(p, "HPET: no address in memory");
        return;
    }
    p->info->has_hpet = true;
    p->info->hpet_id = (uint32_t)acpi_le(b, 4);
    p->info->hpet_address = _hpa(acpi_le(b + 8, 8));
}

void acpi_mcfg(struct acpi_parser *p, const struct acpi_table *t)
{
    struct acpi_info *info = p->info;
    uint8_t b[16];
    for (uint32_t offset = ACPI_HEADER_SIZE + 8; acpi_get(p, t, offset, b, sizeof(b));
         offset += sizeof(b)) {
        struct acpi_mcfg m = {.base = _hpa(acpi_le(b, 8)),
                              .segment = (uint16_t)acpi_le(b + 8, 2),
                              .first_bus = b[10],
                              .last_bus = b[11]};
        if (!m.base.v || m.base.v & 0xfffff || m.first_bus > m.last_bus) {
            acpi_note(p, "MCFG: base %#lx, buses %u-%u", m.base.v, m.first_bus, m.last_bus);
            continue;
        }
        if (info->nr_mcfg == ACPI_MAX_MCFG) {
            acpi_note(p, "MCFG: more than %u windows", ACPI_MAX_MCFG);
            return;
        }
        info->mcfg[info->nr_mcfg++] = m;
    }
}

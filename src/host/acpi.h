/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Krypton needs of the machine's ACPI tables, as plain data: RSDP, XSDT or RSDT, MADT, FADT,
 * HPET, MCFG, and the sleep type of S5 (ACPI Specification 6.4, chapters 5 and 7). Tables are read
 * by copying; nothing stays mapped. Every length and count is bounded, every table's checksum
 * verified; what is refused leaves a note. There is no AML interpreter here.
 */
#ifndef KR_HOST_ACPI_H
#define KR_HOST_ACPI_H

#include "lib/types.h"

#define ACPI_MAX_CPUS      256
#define ACPI_MAX_IOAPICS   16
#define ACPI_MAX_OVERRIDES 32
#define ACPI_MAX_NMIS      32
#define ACPI_MAX_MCFG      8
#define ACPI_MAX_TABLES    128
#define ACPI_MAX_NOTES     8

#define ACPI_ALL_CPUS      UINT32_MAX /* processor uid that means each of them */

struct acpi_cpu {
    uint32_t apic_id, uid;
    bool enabled;        /* else it may be brought online later, where online_capable says so */
    bool online_capable; /* only tables of ACPI 6.3 and later have it */
};

struct acpi_ioapic {
    uint8_t id;
    uint32_t gsi_base;
    hpa_t address;
};

/* Interrupt flags of the MADT: polarity in bits 1:0, trigger in bits 3:2. */
#define ACPI_POLARITY(flags) ((flags)&3) /* 0 as the bus has it, 1 active high, 3 active low */
#define ACPI_TRIGGER(flags)  ((flags) >> 2 & 3) /* 0 as the bus has it, 1 edge, 3 level */

struct acpi_override {
    uint8_t isa_irq;
    uint16_t flags;
    uint32_t gsi;
};

struct acpi_lapic_nmi {
    uint32_t uid; /* or ACPI_ALL_CPUS */
    uint16_t flags;
    uint8_t lint; /* 0 or 1 */
};

struct acpi_nmi_source {
    uint16_t flags;
    uint32_t gsi;
};

/* A register block; `bytes` is 0 where there is none. */
struct acpi_reg {
    bool io; /* a port, else memory */
    uint8_t bytes;
    uint64_t address;
};

struct acpi_mcfg {
    hpa_t base; /* of bus 0, also where first_bus is not 0 */
    uint16_t segment;
    uint8_t first_bus, last_bus;
};

struct acpi_table {
    char signature[4];
    uint8_t revision;
    uint32_t length;
    hpa_t address;
};

#define ACPI_BOOT_8042    (1u << 1)
#define ACPI_BOOT_NO_VGA  (1u << 2)
#define ACPI_BOOT_NO_MSI  (1u << 3)
#define ACPI_BOOT_NO_CMOS (1u << 5)

struct acpi_info {
    hpa_t rsdp;

    bool has_madt;
    bool has_pic; /* two 8259 to be masked */
    hpa_t lapic_address;
    unsigned int nr_cpus, nr_ioapics, nr_overrides, nr_lapic_nmis, nr_nmi_sources;
    unsigned int nr_disabled_cpus;       /* neither enabled nor online-capable: not in cpus[] */
    struct acpi_cpu cpus[ACPI_MAX_CPUS]; /* in the table's order, each APIC id once */
    struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
    struct acpi_override overrides[ACPI_MAX_OVERRIDES];
    struct acpi_lapic_nmi lapic_nmis[ACPI_MAX_NMIS];
    struct acpi_nmi_source nmi_sources[ACPI_MAX_NMIS];

    bool has_fadt;
    bool hw_reduced;
    uint16_t boot_arch; /* ACPI_BOOT_*; bits are only as true as the firmware */
    uint16_t sci;
    uint16_t smi_command; /* port for acpi_enable; 0: ACPI mode is always on */
    uint8_t acpi_enable;
    struct acpi_reg pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm_timer, reset;
    struct acpi_reg sleep_control, sleep_status; /* of hw_reduced machines */
    uint8_t pm_timer_bits;                       /* 24 or 32 */
    uint8_t reset_value;

    bool has_s5;
    uint8_t s5_type_a, s5_type_b; /* SLP_TYP for PM1a and PM1b control */

    bool has_hpet;
    uint32_t hpet_id; /* event timer block id */
    hpa_t hpet_address;

    unsigned int nr_mcfg;
    struct acpi_mcfg mcfg[ACPI_MAX_MCFG];

    unsigned int nr_tables; /* all tables that the root table names, whatever their checksum */
    struct acpi_table tables[ACPI_MAX_TABLES];

    unsigned int nr_notes; /* also those that found no room */
    char notes[ACPI_MAX_NOTES][80];
};

/*
 * Copies len bytes of physical memory at `from` into buf, 0 or a negative errno. Called with
 * addresses that firmware chose: it refuses what must not be read.
 */
typedef int acpi_read_fn(hpa_t from, void *buf, size_t len);

/*
 * Fills *info. rsdp points to the boot loader's copy of the RSDP (rsdp_size bytes), or is NULL;
 * then it is at rsdp_at, or where that is 0 found by a scan of the EBDA and the BIOS area. Returns
 * 0 when a root table was found, else -XEN_ENODEV; *info is consistent either way. Once, at boot:
 * uses a static buffer.
 */
int acpi_parse(struct acpi_info *info, acpi_read_fn *read, const void *rsdp, size_t rsdp_size,
               hpa_t rsdp_at) must_check;

/* The first table of that signature after `after` (NULL: the first of all); NULL: no more. */
const struct acpi_table *acpi_find(const struct acpi_info *info, const char *signature,
                                   const struct acpi_table *after);

#endif

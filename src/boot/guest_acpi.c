/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds a PVH guest's ACPI tables. What a stock guest expects of them: processor uid = vCPU
 * number, APIC id = twice that, no VGA and no CMOS clock, no PM timer, no IO-APIC.
 */
#include "boot/guest_acpi.h"

#include "lib/string.h"

#define HEADER_SIZE   36
#define RSDP_SIZE     36
#define XSDT_SIZE     (HEADER_SIZE + 2 * 8)
#define FADT_SIZE     268 /* revision 5: ACPI 5.0, table 5-34 */
#define FACS_SIZE     64
#define MADT_HEAD     44
#define LAPIC_SIZE    8
#define X2APIC_SIZE   16
#define SCOPE_SIZE    9  /* DSDT: Scope (\_PR_) up to its contents */
#define CPU_SIZE      13 /* one Processor object */

#define LAPIC_BASE    0xfee00000u
#define PM1A_EVENT    0xb000u
#define PM1A_CONTROL  0xb004u
#define GPE0          0xafe0u
#define BOOT_NO_VGA   (1u << 2)
#define BOOT_NO_CMOS  (1u << 5)
#define FADT_WBINVD   (1u << 0)
#define FADT_PROC_C1  (1u << 2)
#define FADT_NO_POWER (1u << 4) /* no power button in the PM1 registers, */
#define FADT_NO_SLEEP (1u << 5) /* no sleep button, */
#define FADT_NO_RTC   (1u << 6) /* no wake-up by the clock */
#define PCAT_COMPAT   1u
#define ENTRY_ENABLED 1u

static void put(uint8_t *p, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint8_t negative_sum(const uint8_t *p, size_t n)
{
    uint8_t s = 0;
    for (size_t i = 0; i < n; i++)
        s = (uint8_t)(s - p[i]);
    return s;
}

/* Last thing for each table: its header, the checksum included. */
static void finish(uint8_t *t, const char *signature, uint8_t revision, size_t size)
{
    memcpy(t, signature, 4);
    put(t + 4, size, 4);
    t[8] = revision;
    t[9] = 0;
    memcpy(t + 10, "KRYPTN", 6);
    memcpy(t + 16, "KRYPTON ", 8);
    put(t + 24, 1, 4);
    memcpy(t + 28, "KRPT", 4);
    put(t + 32, 1, 4);
    t[9] = negative_sum(t, size);
}

static void build_rsdp(uint8_t *t, uint64_t xsdt)
{
    memcpy(t, "RSD PTR ", 8);
    memcpy(t + 9, "KRYPTN", 6);
    t[15] = 2;
    put(t + 20, RSDP_SIZE, 4);
    put(t + 24, xsdt, 8);
    t[8] = negative_sum(t, 20);
    t[32] = negative_sum(t, RSDP_SIZE);
}

/* A register block in both forms: 32-bit port at `old`, generic address at `generic` (5.2.3.1). */
static void put_block(uint8_t *t, size_t old, size_t generic, uint32_t port, uint8_t bytes)
{
    put(t + old, port, 4);
    t[generic] = 1;
    t[generic + 1] = (uint8_t)(bytes * 8);
    put(t + generic + 4, port, 8);
}

static void build_fadt(uint8_t *t, uint64_t facs, uint64_t dsdt)
{
    put(t + 36, facs, 4);
    put(t + 40, dsdt, 4);
    put(t + 140, dsdt, 8);
    put(t + 46, 9, 2); /* SCI */
    put_block(t, 56, 148, PM1A_EVENT, 4);
    put_block(t, 64, 172, PM1A_CONTROL, 2);
    put_block(t, 80, 220, GPE0, 4);
    t[88] = 4;
    t[89] = 2;
    t[92] = 4;
    put(t + 96, 0xfff, 2); /* C2 and C3 latencies that say: none */
    put(t + 98, 0xfff, 2);
    put(t + 109, BOOT_NO_VGA | BOOT_NO_CMOS, 2);
    put(t + 112, FADT_WBINVD | FADT_PROC_C1 | FADT_NO_POWER | FADT_NO_SLEEP | FADT_NO_RTC, 4);
    finish(t, "FACP", 5, FADT_SIZE);
}

static void build_facs(uint8_t *t)
{
    memcpy(t, "FACS", 4);
    put(t + 4, FACS_SIZE, 4);
    t[32] = 2; /* version */
}

/* Ids from 255 on do not fit a local APIC entry. */
static bool wants_x2apic(unsigned int vcpu)
{
    return 2 * vcpu >= 255;
}

static size_t madt_size(unsigned int vcpus)
{
    size_t size = MADT_HEAD;
    for (unsigned int i = 0; i < vcpus; i++)
        size += wants_x2apic(i) ? X2APIC_SIZE : LAPIC_SIZE;
    return size;
}

static void build_madt(uint8_t *t, unsigned int vcpus)
{
    uint8_t *e = t + MADT_HEAD;
    put(t + 36, LAPIC_BASE, 4);
    put(t + 40, PCAT_COMPAT, 4);
    for (unsigned int i = 0; i < vcpus; i++) {
        if (wants_x2apic(i)) {
            e[0] = 9;
            e[1] = X2APIC_SIZE;
            put(e + 4, 2 * i, 4);
            put(e + 8, ENTRY_ENABLED, 4);
            put(e + 12, i, 4);
        } else {
            e[0] = 0;
            e[1] = LAPIC_SIZE;
            e[2] = (uint8_t)i;
            e[3] = (uint8_t)(2 * i);
            put(e + 4, ENTRY_ENABLED, 4);
        }
        e += e[1];
    }
    finish(t, "APIC", 3, madt_size(vcpus));
}

static size_t dsdt_size(unsigned int vcpus)
{
    return HEADER_SIZE + SCOPE_SIZE + (size_t)vcpus * CPU_SIZE;
}

/* AML (20.2): Scope (\_PR_) { Processor (P000, 0, 0, 0) {} ... } */
static void build_dsdt(uint8_t *t, unsigned int vcpus)
{
    static const char hex[] = "0123456789ABCDEF";
    uint8_t *aml = t + HEADER_SIZE;
    size_t length = dsdt_size(vcpus) - HEADER_SIZE - 1; /* itself included, not the opcode */
    aml[0] = 0x10;
    aml[1] = (uint8_t)(0x80 | (length & 15)); /* PkgLength of three bytes */
    put(aml + 2, length >> 4, 2);
    memcpy(aml + 4, "\\_PR_", 5);
    aml += SCOPE_SIZE;
    for (unsigned int i = 0; i < vcpus; i++, aml += CPU_SIZE) {
        aml[0] = 0x5b;
        aml[1] = 0x83;
        aml[2] = CPU_SIZE - 2;
        aml[3] = 'P';
        aml[4] = '0';
        aml[5] = (uint8_t)hex[i >> 4 & 15];
        aml[6] = (uint8_t)hex[i & 15];
        aml[7] = (uint8_t)i; /* then a register block: address 0, length 0 */
    }
    finish(t, "DSDT", 2, dsdt_size(vcpus));
}

size_t guest_acpi_build(void *buf, size_t size, gpa_t base, unsigned int vcpus)
{
    uint8_t *out = buf;
    size_t xsdt = ALIGN_UP(RSDP_SIZE, 64);
    size_t facs = ALIGN_UP(xsdt + XSDT_SIZE, 64);
    size_t fadt = facs + FACS_SIZE;
    size_t madt = ALIGN_UP(fadt + FADT_SIZE, 64);
    size_t dsdt = ALIGN_UP(madt + madt_size(vcpus), 64);
    size_t end = dsdt + dsdt_size(vcpus);

    if (!vcpus || vcpus > 256 || end > size)
        return 0;
    memset(out, 0, end);
    build_rsdp(out, base.v + xsdt);
    put(out + xsdt + HEADER_SIZE, base.v + fadt, 8);
    put(out + xsdt + HEADER_SIZE + 8, base.v + madt, 8);
    finish(out + xsdt, "XSDT", 1, XSDT_SIZE);
    build_facs(out + facs);
    build_fadt(out + fadt, base.v + facs, base.v + dsdt);
    build_madt(out + madt, vcpus);
    build_dsdt(out + dsdt, vcpus);
    return end;
}

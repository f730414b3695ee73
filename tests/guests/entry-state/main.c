/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: a guest starts in exactly the state that the PVH entry promises (registers, control
 * registers, FPU, XCR0, PAT, MTRR and other MSRs, local APIC), whatever the loader did before, and
 * with start_info, memory map and ACPI tables that agree with each other. Public header:
 * xen/arch-x86/hvm/start_info.h; ACPI 6.3, 5.2.
 *
 * RUN: memory=32M vcpus=2 -- a=1 b=two
 */
#include "apic.h"
#include "entry.h"
#include "guest.h"

#define HEX(expr, want)                                                            \
    do {                                                                           \
        uint64_t e_ = (expr), w_ = (want);                                         \
        CHECK(e_ == w_, "%s = 0x%llx, want 0x%llx", #expr, (unsigned long long)e_, \
              (unsigned long long)w_);                                             \
    } while (0)

static void check_registers(void)
{
    const struct entry_pushed *e = &entry_pushed;
    print("cr0 %x cr3 %x cr4 %x efer %llx eflags %x dr6 %x dr7 %x", e->cr0, e->cr3, e->cr4,
          (unsigned long long)entry_efer, e->eflags, e->dr6, e->dr7);
    print("cs %x ds %x es %x fs %x gs %x ss %x tr %x ldt %x gdt limit %x idt limit %x", e->cs,
          e->ds, e->es, e->fs, e->gs, e->ss, e->tr, e->ldt, entry_gdtr[0], entry_idtr[0]);
    print("eax %x ecx %x edx %x esp %x ebp %x esi %x edi %x", e->eax, e->ecx, e->edx, entry_esp,
          e->ebp, e->esi, e->edi);
    HEX(e->cr0, 0x11);
    HEX(e->cr4, 0);
    HEX(entry_efer, 0);
    HEX(e->eflags, 2);
    HEX(e->dr6, 0xffff0ff0);
    HEX(e->dr7, 0x400);
    HEX(e->ldt, 0);
    HEX(e->eax | e->ecx | e->edx | entry_esp | e->ebp | e->esi | e->edi, 0);
}

static void check_fpu(void)
{
    uint64_t v;
    uint32_t mxcsr;
    print("fpu control %x status %x tag %x", entry_fpu.control, entry_fpu.status, entry_fpu.tag);
    HEX(entry_fpu.status & 0xffff, 0);
    HEX(entry_fpu.control & 0xffff, 0x40); /* reset, not FNINIT */
    HEX(entry_fpu.tag & 0xffff, 0xffff);
    write_cr4(read_cr4() | 1 << 9); /* OSFXSR */
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    HEX(mxcsr, 0x1f80);
    if (!(cpuid(1, 0).c >> 26 & 1))
        return;
    write_cr4(read_cr4() | 1 << 18); /* OSXSAVE */
    HEX(xgetbv_probe(0, &v), 0);
    HEX(v, on_xen ? 3 : 1); /* QEMU lets Xen's own value through */
}

static void check_msr(const char *name, uint32_t msr, uint64_t want)
{
    uint64_t v;
    unsigned int fault = rdmsr_probe(msr, &v);
    CHECK(!fault, "MSR %s (%x): fault %x", name, msr, fault);
    CHECK(v == want, "MSR %s (%x) = 0x%llx, want 0x%llx", name, msr, (unsigned long long)v,
          (unsigned long long)want);
}

static void check_msrs(void)
{
    static const struct {
        const char *name;
        uint32_t msr;
        uint64_t want;
    } msrs[] = {
        {"APIC_BASE", 0x1b, 0xfee00900},   {"MTRRcap", 0xfe, 0x508},
        {"MTRRdefType", 0x2ff, 0x806},     {"SYSENTER_CS", 0x174, 0},
        {"SYSENTER_ESP", 0x175, 0},        {"SYSENTER_EIP", 0x176, 0},
        {"STAR", 0xc0000081, 0},           {"LSTAR", 0xc0000082, 0},
        {"CSTAR", 0xc0000083, 0},          {"SFMASK", 0xc0000084, 0},
        {"FS_BASE", 0xc0000100, 0},        {"GS_BASE", 0xc0000101, 0},
        {"KERNEL_GS_BASE", 0xc0000102, 0}, {"DEBUGCTL", 0x1d9, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
        check_msr(msrs[i].name, msrs[i].msr, msrs[i].want);
    if (!on_xen) /* QEMU lets Xen's own value through */
        check_msr("PAT", MSR_PAT, 0x0007040600070406);
    for (uint32_t m = 0; m < 16; m++)
        check_msr("variable MTRR", 0x200 + m, 0);
    if (cpuid(0x80000001, 0).d >> 27 & 1)
        check_msr("TSC_AUX", 0xc0000103, 0);
    if (cpuid(7, 0).b >> 1 & 1)
        check_msr("TSC_ADJUST", 0x3b, 0);
    print("TSC after start: %llu kHz %u", (unsigned long long)rdtsc(), tsc_khz());
}

static void check_apic(void)
{
    print("apic version %x svr %x lvt0 %x lvt1 %x timer %x dfr %x ldr %x", apic_read(APIC_VERSION),
          apic_read(APIC_SVR), apic_read(APIC_LVT_LINT0), apic_read(APIC_LVT_LINT1),
          apic_read(APIC_LVT_TIMER), apic_read(APIC_DFR), apic_read(APIC_LDR));
    HEX(apic_read(APIC_ID), 0);
    HEX(apic_read(APIC_SVR), 0xff);
    HEX(apic_read(APIC_TPR), 0);
    HEX(apic_read(APIC_DFR), 0xffffffff);
    HEX(apic_read(APIC_LVT_TIMER), APIC_LVT_MASKED);
    HEX(apic_read(APIC_LVT_LINT1), APIC_LVT_MASKED);
    HEX(apic_read(APIC_LVT_ERROR), APIC_LVT_MASKED);
    for (unsigned int bank = APIC_ISR; bank < APIC_ESR; bank += 16)
        HEX(apic_read(bank), 0);
}

static bool in_ram(uint64_t addr, uint64_t size, uint32_t type)
{
    const struct hvm_memmap_table_entry *m = (const void *)start_info.memmap_paddr;
    for (uint32_t i = 0; i < start_info.memmap_entries; i++)
        if (m[i].type == type && addr >= m[i].addr && addr + size <= m[i].addr + m[i].size)
            return true;
    return false;
}

static void check_memory_map(void)
{
    const struct hvm_memmap_table_entry *m = (const void *)start_info.memmap_paddr;
    uint64_t end = 0, ram = 0;
    HEX(start_info.magic, XEN_HVM_START_MAGIC_VALUE);
    HEX(start_info.version, 1);
    HEX(start_info.flags, 0);
    CHECK(start_info.memmap_entries, "no memory map");
    for (uint32_t i = 0; i < start_info.memmap_entries; i++) {
        print("memory %llx + %llx type %u", (unsigned long long)m[i].addr,
              (unsigned long long)m[i].size, m[i].type);
        CHECK(on_xen || m[i].addr >= end, "memory map entry %u overlaps or is out of order", i);
        CHECK(m[i].size, "memory map entry %u is empty", i);
        end = m[i].addr + m[i].size;
        if (m[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
            ram += m[i].size;
    }
    print("%llu KiB of RAM", (unsigned long long)ram >> 10);
    CHECK(in_ram(0, 0x9f000, 1), "no RAM below 640 KiB for a trampoline");
    CHECK(in_ram((uint64_t)guest_image_start, (uint64_t)(guest_image_end - guest_image_start), 1),
          "the image is outside RAM");
    CHECK(in_ram(entry_pushed.ebx, sizeof(start_info), 1), "start_info is outside RAM");
    CHECK(in_ram(start_info.cmdline_paddr, 1, 1), "command line is outside RAM");
    CHECK(!in_ram(APIC_PAGE, 1, 1), "the local APIC page is said to be RAM");
    CHECK(param_is("a", "1") && param_is("b", "two"), "the command line was not passed on");
    HEX(start_info.nr_modules, 0);

    struct e820 {
        uint64_t addr, size;
        uint32_t type;
    } packed_struct e820[32];
    struct xen_memory_map map = {.nr_entries = 32};
    set_xen_guest_handle(map.buffer, e820);
    EXPECT(memory_op(XENMEM_memory_map, &map), 0);
    EXPECT(map.nr_entries, start_info.memmap_entries);
    for (uint32_t i = 0; i < map.nr_entries && i < start_info.memmap_entries; i++)
        CHECK(e820[i].addr == m[i].addr && e820[i].size == m[i].size && e820[i].type == m[i].type,
              "entry %u of XENMEM_memory_map differs from start_info's", i);
}

struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], table[8];
    uint32_t oem_revision, creator, creator_revision;
} packed_struct;

static bool checksum_ok(const void *p, uint32_t length)
{
    uint8_t sum = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)p)[i]);
    return sum == 0;
}

static void check_madt(const struct acpi_header *t)
{
    const uint8_t *p = (const uint8_t *)t + 44, *end = (const uint8_t *)t + t->length;
    unsigned int cpus = 0;
    HEX(*(const uint32_t *)(const void *)((const uint8_t *)t + 36), APIC_PAGE);
    for (; p + 2 <= end && p[1]; p += p[1]) {
        if (p[0] != 0)
            continue;
        EXPECT(p[2], cpus);     /* ACPI processor uid = vCPU number */
        EXPECT(p[3], cpus * 2); /* APIC id */
        EXPECT(p[4] & 1, 1);    /* enabled */
        cpus++;
    }
    EXPECT(cpus, cpu_count());
}

static void check_acpi(void)
{
    const uint8_t *rsdp = (const uint8_t *)start_info.rsdp_paddr;
    bool madt = false, fadt = false;
    if (!rsdp || memcmp(rsdp, "RSD PTR ", 8)) {
        fail("no RSDP at %llx", (unsigned long long)start_info.rsdp_paddr);
        return;
    }
    CHECK(checksum_ok(rsdp, 20) && checksum_ok(rsdp, 36), "RSDP checksum");
    const struct acpi_header *xsdt = *(const struct acpi_header *const *)(const void *)(rsdp + 24);
    CHECK(!memcmp(xsdt->signature, "XSDT", 4) && checksum_ok(xsdt, xsdt->length), "XSDT");
    for (uint32_t at = 36; at + 8 <= xsdt->length; at += 8) {
        const struct acpi_header *t =
            *(const struct acpi_header *const *)(const void *)((const uint8_t *)xsdt + at);
        print("table %c%c%c%c revision %u length %u", t->signature[0], t->signature[1],
              t->signature[2], t->signature[3], t->revision, t->length);
        CHECK(checksum_ok(t, t->length), "checksum of table %u", at);
        if (!memcmp(t->signature, "APIC", 4)) {
            madt = true;
            check_madt(t);
        } else if (!memcmp(t->signature, "FACP", 4)) {
            const uint8_t *f = (const uint8_t *)t;
            const struct acpi_header *dsdt =
                *(const struct acpi_header *const *)(const void *)(f + 140);
            fadt = true;
            EXPECT(t->revision, 5);
            /* iapc_boot_arch: no VGA, no CMOS clock, no 8042 */
            EXPECT(*(const uint16_t *)(const void *)(f + 109) & 0x26, 0x24);
            CHECK(dsdt && !memcmp(dsdt->signature, "DSDT", 4) && checksum_ok(dsdt, dsdt->length),
                  "DSDT");
        }
    }
    CHECK(madt, "no MADT");
    CHECK(fadt, "no FADT");
}

GUEST_MAIN
{
    check_registers();
    check_fpu();
    check_msrs();
    check_apic();
    check_memory_map();
    check_acpi();
}

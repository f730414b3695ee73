/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot/bootinfo*.c: what QEMU and GRUB hand over arrives complete by each protocol; cut, wild and
 * endless structures are left out with a note and never read past the reachable memory.
 */
#include "unit/unit.h"

#include "abi/xen.h"
#include "boot/bootinfo.h"

#define BASE 0x9000u
static uint8_t ram[0x8000];
static struct boot_info bi;

static const void *memory(hpa_t at, size_t len)
{
    if (at.v < BASE || at.v - BASE > sizeof(ram) || len > sizeof(ram) - (at.v - BASE))
        return NULL;
    return ram + (at.v - BASE);
}

static void put(uint32_t at, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        ram[at - BASE + i] = (uint8_t)(v >> 8 * i);
}

static uint32_t text(uint32_t at, const char *s)
{
    memcpy(ram + (at - BASE), s, strlen(s) + 1);
    return at;
}

static int setup(void **state)
{
    memset(ram, 0, sizeof(ram));
    return 0;
}

static bool noted(const char *what)
{
    for (unsigned int i = 0; i < bi.nr_notes && i < BOOT_MAX_NOTES; i++)
        if (!strcmp(bi.notes[i], what))
            return true;
    return false;
}

/* As QEMU's -kernel builds it. */
static void build_mb1(void)
{
    put(0x9500, 0x24f | 1u << 12, 4);
    put(0x9504, 639, 4);
    put(0x9508, 0x1fb80, 4);
    put(0x9510, text(0xa000, "krypton loglvl=all"), 4);
    put(0x9514, 2, 4);
    put(0x9518, 0xb000, 4);
    put(0x9540, text(0xa100, "qemu"), 4);
    put(0x952c, 3 * 24, 4);
    put(0x9530, 0xc000, 4);
    put(0xb000, 0x1000000, 4);
    put(0xb004, 0x1234567, 4);
    put(0xb008, text(0xa200, "vmlinuz domain=web -- quiet"), 4);
    put(0xb010, 0x2000000, 4);
    put(0xb014, 0x2000000, 4);
    static const struct memmap_range map[] = {
        {0, 0x9fc00, 1}, {0x9fc00, 0x400, 2}, {0x100000, 0x1fee0000, 1}};
    for (unsigned int i = 0; i < 3; i++) {
        put(0xc000 + i * 24, 20, 4);
        put(0xc004 + i * 24, map[i].base, 8);
        put(0xc00c + i * 24, map[i].size, 8);
        put(0xc014 + i * 24, map[i].type, 4);
    }
    put(0x9558, 0xfd000000, 8);
    put(0x9560, 4096, 4);
    put(0x9564, 1024, 4);
    put(0x9568, 768, 4);
    put(0x956c, 32, 1);
    put(0x956d, 1, 1);
    put(0x956e, 0x0810, 2);
}

static void mb1(void **state)
{
    build_mb1();
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_string_equal(bi.protocol, "multiboot1");
    assert_string_equal(bi.cmdline, "krypton loglvl=all");
    assert_string_equal(bi.loader, "qemu");
    assert_int_equal(bi.nr_ranges, 3);
    assert_int_equal(bi.ranges[2].base, 0x100000);
    assert_int_equal(bi.ranges[2].size, 0x1fee0000);
    assert_int_equal(bi.ranges[1].type, MEMMAP_RESERVED);
    assert_int_equal(bi.nr_modules, 2);
    assert_int_equal(bi.modules[0].start.v, 0x1000000);
    assert_int_equal(bi.modules[0].size, 0x234567);
    assert_string_equal(bi.modules[0].cmdline, "vmlinuz domain=web -- quiet");
    assert_int_equal(bi.modules[1].size, 0);
    assert_string_equal(bi.modules[1].cmdline, "");
    assert_int_equal(bi.framebuffer.base.v, 0xfd000000);
    assert_int_equal(bi.framebuffer.width, 1024);
    assert_int_equal(bi.framebuffer.red.shift, 0x10);
    assert_int_equal(bi.framebuffer.red.bits, 8);
    assert_false(bi.has_load_base);
    assert_int_equal(bi.nr_notes, 0);
    /* Nothing points into the loader's memory. */
    memset(ram, 0xee, sizeof(ram));
    assert_string_equal(bi.cmdline, "krypton loglvl=all");
    assert_string_equal(bi.modules[0].cmdline, "vmlinuz domain=web -- quiet");
}

static void mb1_bad(void **state)
{
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x100), memory), -XEN_EINVAL);
    assert_int_equal(bootinfo_mb1(&bi, _hpa(BASE + sizeof(ram) - 87), memory), -XEN_EINVAL);
    assert_int_equal(bootinfo_mb1(&bi, _hpa(BASE + sizeof(ram) - 88), memory), 0);
    build_mb1();
    put(0xc018, 8, 4); /* an entry shorter than an entry */
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_int_equal(bi.nr_ranges, 1);
    assert_true(noted("the memory map is cut"));
    put(0xc000, 0xffffffff, 4); /* an entry that leads away */
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_int_equal(bi.nr_ranges, 1);
    put(0x9530, 0x100, 4); /* out of reach: what mem_lower and mem_upper say remains */
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_int_equal(bi.nr_ranges, 2);
    assert_int_equal(bi.ranges[0].size, 639 * 1024);
    put(0x9530, 0xc000, 4);
    put(0x952c, 0xffffffff, 4);
    for (uint32_t at = 0xc000; at < BASE + sizeof(ram) - 24; at += 24)
        put(at, 20, 4);
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_int_equal(bi.nr_ranges, MEMMAP_MAX_RAW);
    assert_true(noted("too many memory ranges"));

    put(0x9514, 0xffffffff, 4); /* modules without end */
    put(0xb000, 5, 4);
    put(0xb004, 4, 4);
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_int_equal(bi.nr_modules, BOOT_MAX_MODULES);
    assert_true(noted("a module ends before it starts"));
    assert_true(noted("too many modules") || noted("the list of modules is cut"));
}

static void strings(void **state)
{
    put(0x9500, 4, 4);
    put(0x9510, 0xa000, 4);
    memset(ram + 0x1000, 'x', sizeof(ram) - 0x1000); /* longer than any string may be */
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_int_equal(strlen(bi.cmdline), BOOT_MAX_STRING - 1);
    put(0x9510, BASE + sizeof(ram) - 10, 4); /* ends with the memory */
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_string_equal(bi.cmdline, "xxxxxxxxxx");
    assert_true(noted("a string without end"));
    put(0x9510, 0x10, 4);
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_string_equal(bi.cmdline, "");

    /* More text than the arena holds: what fits is right, the rest is empty. */
    build_mb1();
    put(0x9514, 20, 4);
    memset(ram + 0x4000, 'y', 0x1000);
    for (uint32_t i = 0; i < 20; i++)
        put(0xb008 + 16 * i, 0xd000 + i, 4);
    put(0xd000 + 2000, 0, 1);
    assert_int_equal(bootinfo_mb1(&bi, _hpa(0x9500), memory), 0);
    assert_int_equal(bi.nr_modules, 20);
    assert_int_equal(strlen(bi.modules[0].cmdline), 2000);
    assert_int_equal(strlen(bi.modules[1].cmdline), 1999);
    assert_string_equal(bi.modules[19].cmdline, "");
    assert_true(noted("no room for a string"));
}

static uint32_t tag(uint32_t at, uint32_t type, uint32_t size)
{
    put(at, type, 4);
    put(at + 4, size, 4);
    return at + 8;
}

/* As GRUB builds it under UEFI; returns the address behind the last tag. */
static uint32_t build_mb2(void)
{
    uint32_t at = 0x9008;
    text(tag(at, 1, 8 + 7), "loglvl");
    at += 16;
    text(tag(at, 2, 8 + 10), "GRUB 2.06");
    at += 24;
    put(tag(at, 3, 16 + 6), 0x3000000, 4);
    put(at + 12, 0x3000800, 4);
    text(at + 16, "a b=1");
    at += 24;
    put(tag(at, 6, 16 + 2 * 24), 24, 4);
    put(at + 16, 0, 8);
    put(at + 24, 0x9f000, 8);
    put(at + 32, 1, 4);
    put(at + 40, 0x100000, 8);
    put(at + 48, 0x700000, 8);
    put(at + 56, 1, 4);
    at += 64;
    put(tag(at, 8, 38), 0x80000000, 8);
    put(at + 16, 5120, 4);
    put(at + 20, 1280, 4);
    put(at + 24, 800, 4);
    put(at + 28, 0x0120, 2);
    put(at + 32, 0x0810, 2);
    put(at + 34, 0x0808, 2);
    put(at + 36, 0x0800, 2);
    at += 40;
    put(tag(at, 15, 44), 0x2052545020445352, 8);
    put(at + 8 + 15, 2, 1);
    at += 48;
    put(tag(at, 14, 28), 0x1111111111111111, 8);
    at += 32;
    put(tag(at, 12, 16), 0x7f9ee018, 8);
    at += 16;
    put(tag(at, 17, 16 + 3 * 48), 48, 4);
    static const struct memmap_range efi[] = {
        {0x100000, 0x700, 7}, {0x7f000000, 0x10, 6}, {~0xfffULL, ~0ULL, 5}};
    for (uint32_t i = 0; i < 3; i++) {
        put(at + 16 + 48 * i, efi[i].type, 4);
        put(at + 24 + 48 * i, efi[i].base, 8);
        put(at + 40 + 48 * i, efi[i].size, 8);
    }
    at += 160;
    put(tag(at, 21, 12), 0x1400000, 4);
    at += 16;
    tag(at, 0, 8);
    put(0x9000, at + 8 - 0x9000, 4);
    return at + 8;
}

static void mb2(void **state)
{
    build_mb2();
    assert_int_equal(bootinfo_mb2(&bi, _hpa(0x9000), memory), 0);
    assert_string_equal(bi.protocol, "multiboot2");
    assert_string_equal(bi.cmdline, "loglvl");
    assert_string_equal(bi.loader, "GRUB 2.06");
    assert_int_equal(bi.nr_modules, 1);
    assert_int_equal(bi.modules[0].start.v, 0x3000000);
    assert_int_equal(bi.modules[0].size, 0x800);
    assert_string_equal(bi.modules[0].cmdline, "a b=1");
    assert_int_equal(bi.nr_ranges, 4); /* two of the map, two of the firmware's runtime */
    assert_int_equal(bi.ranges[1].size, 0x700000);
    assert_int_equal(bi.ranges[2].base, 0x7f000000);
    assert_int_equal(bi.ranges[2].size, 0x10000);
    assert_int_equal(bi.ranges[2].type, MEMMAP_RESERVED);
    assert_int_equal(bi.ranges[3].base, ~0xfffULL);
    assert_int_equal(bi.ranges[3].size, 0); /* would wrap */
    assert_int_equal(bi.framebuffer.base.v, 0x80000000);
    assert_int_equal(bi.framebuffer.pitch, 5120);
    assert_int_equal(bi.framebuffer.bpp, 32);
    assert_int_equal(bi.framebuffer.green.shift, 8);
    assert_int_equal(bi.rsdp_size, 36); /* the old one does not replace it */
    assert_memory_equal(bi.rsdp, "RSD PTR ", 8);
    assert_true(bi.efi);
    assert_int_equal(bi.efi_system_table.v, 0x7f9ee018);
    assert_int_equal(bi.efi_memory_map_size, 144);
    assert_int_equal(bi.efi_descriptor_size, 48);
    assert_true(bi.has_load_base);
    assert_int_equal(bi.load_base, 0x1400000);
    assert_int_equal(bi.nr_notes, 0);
}

static void mb2_bad(void **state)
{
    /* Cut anywhere: nothing is read behind the end, and what was there stays. */
    uint32_t end = build_mb2();
    for (uint32_t total = 0; total < end - 0x9000; total++) {
        put(0x9000, total, 4);
        int rc = bootinfo_mb2(&bi, _hpa(0x9000), memory);
        assert_int_equal(rc, total < 16 ? -XEN_EINVAL : 0);
    }
    put(0x9000, 0xffffffff, 4);
    assert_int_equal(bootinfo_mb2(&bi, _hpa(0x9000), memory), -XEN_EINVAL);
    put(0x9000, 0x100000, 4); /* longer than the memory, but it ends before */
    assert_int_equal(bootinfo_mb2(&bi, _hpa(0x9000), memory), 0);
    assert_int_equal(bi.nr_modules, 1);
    put(end - 8, 99, 4); /* does not end */
    memset(ram + (end - 0x9000), 0x55, 8);
    assert_int_equal(bootinfo_mb2(&bi, _hpa(0x9000), memory), 0);
    assert_true(noted("the list of tags is cut"));
    /* A tag of size 0 would be an endless loop. */
    put(0x900c, 0, 4);
    assert_int_equal(bootinfo_mb2(&bi, _hpa(0x9000), memory), 0);
    assert_true(noted("the list of tags is cut"));
    /* Without a map the EFI map is the map. */
    end = build_mb2();
    put(0x9048, 98, 4);
    assert_int_equal(bootinfo_mb2(&bi, _hpa(0x9000), memory), 0);
    assert_int_equal(bi.nr_ranges, 3);
    assert_int_equal(bi.ranges[0].type, MEMMAP_RAM);
    assert_int_equal(bi.ranges[0].size, 0x700000);
}

static void build_pvh(void)
{
    struct hvm_start_info info = {.magic = XEN_HVM_START_MAGIC_VALUE,
                                  .version = 1,
                                  .nr_modules = 1,
                                  .modlist_paddr = 0xa000,
                                  .cmdline_paddr = text(0xb000, "sync_console"),
                                  .rsdp_paddr = 0xf5ab0,
                                  .memmap_paddr = 0xc000,
                                  .memmap_entries = 2};
    memcpy(ram, &info, sizeof(info));
    put(0xa000, 0x140000000, 8);
    put(0xa008, 0x5000, 8);
    put(0xa010, text(0xb100, "domain=x"), 8);
    put(0xc000, 0, 8);
    put(0xc008, 0xa0000, 8);
    put(0xc010, 1, 4);
    put(0xc018, 0x100000000, 8);
    put(0xc020, 0x40000000, 8);
    put(0xc028, 1, 4);
}

static void pvh(void **state)
{
    build_pvh();
    assert_int_equal(bootinfo_pvh(&bi, _hpa(BASE), memory), 0);
    assert_string_equal(bi.cmdline, "sync_console");
    assert_string_equal(bi.loader, "");
    assert_int_equal(bi.nr_modules, 1);
    assert_int_equal(bi.modules[0].start.v, 0x140000000);
    assert_string_equal(bi.modules[0].cmdline, "domain=x");
    assert_int_equal(bi.nr_ranges, 2);
    assert_int_equal(bi.ranges[1].size, 0x40000000);
    assert_int_equal(bi.rsdp_at.v, 0xf5ab0);
    assert_int_equal(bi.rsdp_size, 0);
    /* Version 0 ends before the map. */
    put(BASE + 4, 0, 4);
    assert_int_equal(bootinfo_pvh(&bi, _hpa(BASE), memory), 0);
    assert_int_equal(bi.nr_ranges, 0);

    put(BASE + 4, 1, 4);
    put(BASE + 12, 0xffffffff, 4);
    put(BASE + 48, 0xffffffff, 4);
    put(0xa000, ~0ULL, 8);
    assert_int_equal(bootinfo_pvh(&bi, _hpa(BASE), memory), 0);
    assert_true(bi.nr_modules <= BOOT_MAX_MODULES && bi.nr_ranges <= MEMMAP_MAX_RAW);
    assert_true(noted("a module lies nowhere"));
    put(BASE + 16, ~0ULL, 8);
    put(BASE + 40, ~0ULL, 8);
    assert_int_equal(bootinfo_pvh(&bi, _hpa(BASE), memory), 0);
    assert_int_equal(bi.nr_modules, 0);
    assert_int_equal(bi.nr_ranges, 0);
    put(BASE, 0, 4);
    assert_int_equal(bootinfo_pvh(&bi, _hpa(BASE), memory), -XEN_EINVAL);
    assert_int_equal(bootinfo_pvh(&bi, _hpa(BASE + sizeof(ram) - 39), memory), -XEN_EINVAL);
}

UNIT_MAIN(cmocka_unit_test_setup(mb1, setup), cmocka_unit_test_setup(mb1_bad, setup),
          cmocka_unit_test_setup(strings, setup), cmocka_unit_test_setup(mb2, setup),
          cmocka_unit_test_setup(mb2_bad, setup), cmocka_unit_test_setup(pvh, setup))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot information of multiboot 1 (specification 0.6.96, 3.3), as QEMU's -kernel and GRUB's
 * `multiboot` give it.
 */
#include "boot/bootinfo.h"

#include "abi/xen.h"
#include "lib/string.h"

#define MB1_MEMORY      (1u << 0)
#define MB1_CMDLINE     (1u << 2)
#define MB1_MODULES     (1u << 3)
#define MB1_MMAP        (1u << 6)
#define MB1_LOADER      (1u << 9)
#define MB1_FRAMEBUFFER (1u << 12)

#define MB1_RGB         1 /* framebuffer_type: direct colours */

struct mb1_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
    uint32_t syms[4], mmap_length, mmap_addr, drives_length, drives_addr, config_table;
    uint32_t loader_name, apm_table, vbe[4];
    uint64_t fb_address;
    uint32_t fb_pitch, fb_width, fb_height;
    uint8_t fb_bpp, fb_type;
    struct boot_colour red, green, blue;
} packed_struct;
BUILD_BUG_ON(offsetof(struct mb1_info, fb_address) != 88);
BUILD_BUG_ON(sizeof(struct mb1_info) != 116);

#define MB1_OLD_SIZE 88 /* before the framebuffer fields, which a loader may not have */

struct mb1_module {
    uint32_t start, end, string, reserved;
};

struct mb1_mmap {
    uint32_t size; /* of what follows, which is 20 bytes or more */
    uint64_t base, length;
    uint32_t type;
} packed_struct;
BUILD_BUG_ON(sizeof(struct mb1_mmap) != 24);

static void take_mmap(struct boot_info *bi, const struct mb1_info *info, boot_memory_fn *memory)
{
    struct mb1_mmap e;
    uint64_t at = info->mmap_addr, end = at + info->mmap_length;
    for (; at + sizeof(e) <= end; at += (uint64_t)e.size + sizeof(e.size)) {
        const void *p = memory(_hpa(at), sizeof(e));
        if (p)
            memcpy(&e, p, sizeof(e));
        if (!p || e.size < sizeof(e) - sizeof(e.size)) {
            bootinfo_note(bi, "the memory map is cut");
            return;
        }
        if (!bootinfo_range(bi, e.base, e.length, e.type))
            return;
    }
}

static void take_modules(struct boot_info *bi, const struct mb1_info *info, boot_memory_fn *memory)
{
    struct mb1_module m;
    for (uint32_t i = 0; i < info->mods_count; i++) {
        const void *p = memory(_hpa(info->mods_addr + (uint64_t)i * sizeof(m)), sizeof(m));
        if (!p || i > BOOT_MAX_MODULES) {
            bootinfo_note(bi, "the list of modules is cut");
            return;
        }
        memcpy(&m, p, sizeof(m));
        if (m.end < m.start)
            bootinfo_note(bi, "a module ends before it starts");
        else
            bootinfo_module(bi, m.start, m.end - m.start,
                            m.string ? bootinfo_string(bi, _hpa(m.string), BOOT_MAX_STRING, memory)
                                     : "");
    }
}

static void take_framebuffer(struct boot_info *bi, const struct mb1_info *info)
{
    if (info->fb_type == MB1_RGB)
        bi->framebuffer = (struct boot_framebuffer){.base = _hpa(info->fb_address),
                                                    .pitch = info->fb_pitch,
                                                    .width = info->fb_width,
                                                    .height = info->fb_height,
                                                    .bpp = info->fb_bpp,
                                                    .red = info->red,
                                                    .green = info->green,
                                                    .blue = info->blue};
}

int bootinfo_mb1(struct boot_info *bi, hpa_t at, boot_memory_fn *memory)
{
    struct mb1_info info = {.flags = 0};
    bootinfo_init(bi, "multiboot1");
    const void *p = memory(at, sizeof(info));
    size_t size = sizeof(info);
    if (!p) {
        size = MB1_OLD_SIZE;
        p = memory(at, size);
    }
    if (!p)
        return -XEN_EINVAL;
    memcpy(&info, p, size);

    if (info.flags & MB1_CMDLINE)
        bi->cmdline = bootinfo_string(bi, _hpa(info.cmdline), BOOT_MAX_STRING, memory);
    if (info.flags & MB1_LOADER)
        bi->loader = bootinfo_string(bi, _hpa(info.loader_name), BOOT_MAX_STRING, memory);
    if (info.flags & MB1_MMAP)
        take_mmap(bi, &info, memory);
    if (!bi->nr_ranges && info.flags & MB1_MEMORY) {
        bootinfo_range(bi, 0, KIB(info.mem_lower), MEMMAP_RAM);
        bootinfo_range(bi, MIB(1), KIB(info.mem_upper), MEMMAP_RAM);
    }
    if (info.flags & MB1_MODULES)
        take_modules(bi, &info, memory);
    if (info.flags & MB1_FRAMEBUFFER && size == sizeof(info))
        take_framebuffer(bi, &info);
    return 0;
}

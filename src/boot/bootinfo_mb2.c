/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot information of multiboot 2 (specification 2.0, 3.6): a list of tags, as GRUB's `multiboot2`
 * gives it under BIOS and UEFI.
 */
#include "boot/bootinfo.h"

#include "abi/xen.h"
#include "lib/string.h"

enum mb2_tag_type {
    MB2_END = 0,
    MB2_CMDLINE = 1,
    MB2_LOADER = 2,
    MB2_MODULE = 3,
    MB2_MMAP = 6,
    MB2_FRAMEBUFFER = 8,
    MB2_EFI64 = 12,
    MB2_ACPI_OLD = 14,
    MB2_ACPI_NEW = 15,
    MB2_EFI_MMAP = 17,
    MB2_EFI_SERVICES = 18,
    MB2_EFI64_IMAGE = 20,
    MB2_LOAD_BASE = 21,
};

#define MB2_LARGEST (16u << 20) /* total size; modules are outside */
#define MB2_RGB     1

struct mb2_tag {
    uint32_t type, size; /* size without the padding to 8 bytes */
};

/* EFI_MEMORY_DESCRIPTOR (UEFI 2.10, 7.2.3); the map's entries may be longer. */
struct efi_descriptor {
    uint32_t type, pad;
    uint64_t physical, virtual, pages, attribute;
};

enum efi_type {
    EFI_LOADER_CODE = 1,
    EFI_LOADER_DATA = 2,
    EFI_BOOT_CODE = 3,
    EFI_BOOT_DATA = 4,
    EFI_RUNTIME_CODE = 5,
    EFI_RUNTIME_DATA = 6,
    EFI_CONVENTIONAL = 7,
    EFI_UNUSABLE = 8,
    EFI_ACPI_RECLAIM = 9,
    EFI_ACPI_NVS = 10,
};

struct mb2 {
    struct boot_info *bi;
    boot_memory_fn *memory;
};

/* Copies the part of a tag at `offset`; false when it is not all inside the tag. */
static bool get(const struct mb2 *m, hpa_t at, const struct mb2_tag *tag, uint32_t offset,
                void *buf, size_t len)
{
    if (tag->size < len || offset > tag->size - len)
        return false;
    const void *p = m->memory(_hpa(at.v + offset), len);
    if (p)
        memcpy(buf, p, len);
    return p;
}

static const char *get_string(const struct mb2 *m, hpa_t at, const struct mb2_tag *tag,
                              uint32_t offset)
{
    if (tag->size <= offset)
        return "";
    return bootinfo_string(m->bi, _hpa(at.v + offset), tag->size - offset, m->memory);
}

static void take_module(struct mb2 *m, hpa_t at, const struct mb2_tag *tag)
{
    uint32_t range[2];
    if (!get(m, at, tag, 8, range, sizeof(range)) || range[1] < range[0])
        bootinfo_note(m->bi, "a module ends before it starts");
    else
        bootinfo_module(m->bi, range[0], range[1] - range[0], get_string(m, at, tag, 16));
}

static void take_mmap(struct mb2 *m, hpa_t at, const struct mb2_tag *tag)
{
    struct {
        uint32_t entry_size, version;
    } head;
    struct {
        uint64_t base, length;
        uint32_t type;
    } packed_struct e;
    if (!get(m, at, tag, 8, &head, sizeof(head)) || head.entry_size < sizeof(e)) {
        bootinfo_note(m->bi, "the memory map is bad");
        return;
    }
    for (uint64_t offset = 16; offset <= tag->size; offset += head.entry_size) {
        if (!get(m, at, tag, (uint32_t)offset, &e, sizeof(e)) ||
            !bootinfo_range(m->bi, e.base, e.length, e.type))
            return;
    }
}

static void take_framebuffer(struct mb2 *m, hpa_t at, const struct mb2_tag *tag)
{
    struct {
        uint64_t address;
        uint32_t pitch, width, height;
        uint8_t bpp, type;
        uint16_t reserved;
        struct boot_colour red, green, blue;
    } packed_struct f;
    if (get(m, at, tag, 8, &f, sizeof(f)) && f.type == MB2_RGB)
        m->bi->framebuffer = (struct boot_framebuffer){.base = _hpa(f.address),
                                                       .pitch = f.pitch,
                                                       .width = f.width,
                                                       .height = f.height,
                                                       .bpp = f.bpp,
                                                       .red = f.red,
                                                       .green = f.green,
                                                       .blue = f.blue};
}

/* The new form (36 bytes) is better than the old one (20), whichever comes first. */
static void take_rsdp(struct mb2 *m, hpa_t at, const struct mb2_tag *tag, size_t size)
{
    if (size > m->bi->rsdp_size && get(m, at, tag, 8, m->bi->rsdp, size))
        m->bi->rsdp_size = size;
}

static void take_efi_mmap(struct mb2 *m, hpa_t at, const struct mb2_tag *tag)
{
    uint32_t head[2]; /* descriptor size, version */
    m->bi->efi = true;
    if (!get(m, at, tag, 8, head, sizeof(head)) || head[0] < sizeof(struct efi_descriptor) ||
        head[0] % 8) {
        bootinfo_note(m->bi, "the EFI memory map is bad");
        return;
    }
    m->bi->efi_memory_map = _hpa(at.v + 16);
    m->bi->efi_memory_map_size = tag->size - 16;
    m->bi->efi_descriptor_size = head[0];
}

static uint32_t type_of_efi(uint32_t type)
{
    switch (type) {
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
    case EFI_BOOT_CODE:
    case EFI_BOOT_DATA:
    case EFI_CONVENTIONAL:
        return MEMMAP_RAM;
    case EFI_UNUSABLE:
        return MEMMAP_UNUSABLE;
    case EFI_ACPI_RECLAIM:
        return MEMMAP_ACPI;
    case EFI_ACPI_NVS:
        return MEMMAP_NVS;
    default:
        return MEMMAP_RESERVED;
    }
}

/* Beside the loader's own map only what it might have missed: the runtime services' memory. */
static void merge_efi_mmap(struct mb2 *m)
{
    struct boot_info *bi = m->bi;
    bool all = !bi->nr_ranges;
    struct efi_descriptor d;
    for (uint64_t o = 0; o + sizeof(d) <= bi->efi_memory_map_size; o += bi->efi_descriptor_size) {
        const void *p = m->memory(_hpa(bi->efi_memory_map.v + o), sizeof(d));
        if (!p)
            return;
        memcpy(&d, p, sizeof(d));
        bool runtime = d.type == EFI_RUNTIME_CODE || d.type == EFI_RUNTIME_DATA;
        uint64_t most = (UINT64_MAX - d.physical) / PAGE_SIZE;
        if ((all || runtime) &&
            !bootinfo_range(bi, d.physical, min(d.pages, most) * PAGE_SIZE, type_of_efi(d.type)))
            return;
    }
}

static void take_tag(struct mb2 *m, hpa_t at, const struct mb2_tag *tag)
{
    struct boot_info *bi = m->bi;
    switch (tag->type) {
    case MB2_CMDLINE:
        bi->cmdline = get_string(m, at, tag, 8);
        break;
    case MB2_LOADER:
        bi->loader = get_string(m, at, tag, 8);
        break;
    case MB2_MODULE:
        take_module(m, at, tag);
        break;
    case MB2_MMAP:
        take_mmap(m, at, tag);
        break;
    case MB2_FRAMEBUFFER:
        take_framebuffer(m, at, tag);
        break;
    case MB2_ACPI_OLD:
        take_rsdp(m, at, tag, 20);
        break;
    case MB2_ACPI_NEW:
        take_rsdp(m, at, tag, 36);
        break;
    case MB2_EFI64:
        bi->efi = true;
        if (!get(m, at, tag, 8, &bi->efi_system_table.v, 8))
            bootinfo_note(bi, "the EFI tag is cut");
        break;
    case MB2_EFI64_IMAGE:
        bi->efi = true;
        break;
    case MB2_EFI_MMAP:
        take_efi_mmap(m, at, tag);
        break;
    case MB2_EFI_SERVICES:
        bootinfo_note(bi, "EFI boot services still run");
        break;
    case MB2_LOAD_BASE:
        bi->has_load_base = get(m, at, tag, 8, &bi->load_base, sizeof(bi->load_base));
        break;
    default:
        break;
    }
}

int bootinfo_mb2(struct boot_info *bi, hpa_t at, boot_memory_fn *memory)
{
    struct mb2 m = {.bi = bi, .memory = memory};
    struct mb2_tag tag;
    uint32_t total = 0;
    bootinfo_init(bi, "multiboot2");
    const void *p = memory(at, 8);
    if (p)
        memcpy(&total, p, sizeof(total));
    if (total < 16 || total > MB2_LARGEST)
        return -XEN_EINVAL;
    for (uint64_t offset = 8; offset + sizeof(tag) <= total;
         offset += ALIGN_UP((uint64_t)tag.size, 8)) {
        p = memory(_hpa(at.v + offset), sizeof(tag));
        if (!p)
            return -XEN_EINVAL;
        memcpy(&tag, p, sizeof(tag));
        if (tag.type == MB2_END)
            break;
        if (tag.size < sizeof(tag) || tag.size > total - offset) {
            bootinfo_note(bi, "the list of tags is cut");
            break;
        }
        take_tag(&m, _hpa(at.v + offset), &tag);
    }
    merge_efi_mmap(&m);
    return 0;
}

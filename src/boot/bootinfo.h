/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the boot loader handed over, in one form for its three protocols: multiboot 1
 * (specification 0.6.96), multiboot 2 (specification 2.0) and PVH (public
 * arch-x86/hvm/start_info.h). Strings are copied, so that nothing here points into memory that will
 * be reused; modules stay where they are. Parsing is pure and runs on the host; it trusts no
 * address and no length.
 */
#ifndef KR_BOOT_BOOTINFO_H
#define KR_BOOT_BOOTINFO_H

#include "boot/memmap.h"
#include "lib/types.h"

#define BOOT_MAX_MODULES 32
#define BOOT_MAX_NOTES   8
#define BOOT_MAX_STRING  4096 /* longer ones are cut, with a note */

struct boot_module {
    hpa_t start;
    uint64_t size; /* may be 0 */
    const char *cmdline;
};

/* A colour's bits in a pixel. */
struct boot_colour {
    uint8_t shift, bits;
};

/* A linear framebuffer of direct colours; `bpp` is 0 when there is none. */
struct boot_framebuffer {
    hpa_t base;
    uint32_t pitch, width, height; /* bytes, pixels, pixels */
    uint8_t bpp;                   /* bits of a pixel: 15, 16, 24 or 32 */
    struct boot_colour red, green, blue;
};

struct boot_info {
    const char *protocol; /* "multiboot1", "multiboot2", "PVH" */
    const char *loader;   /* its name, "" when it has none */
    const char *cmdline;

    bool has_load_base;
    uint32_t load_base; /* where the image was put, when the loader says so */

    unsigned int nr_ranges; /* as given: unsorted, overlapping */
    struct memmap_range ranges[MEMMAP_MAX_RAW];
    unsigned int nr_modules;
    struct boot_module modules[BOOT_MAX_MODULES];

    uint8_t rsdp[36]; /* the loader's copy: rsdp_size bytes, 0 when it gave none */
    size_t rsdp_size;
    hpa_t rsdp_at; /* or where it is; 0: not known */

    bool efi;
    hpa_t efi_system_table, efi_memory_map; /* each 0 when not given */
    uint32_t efi_memory_map_size, efi_descriptor_size;

    struct boot_framebuffer framebuffer;

    unsigned int nr_notes; /* what was refused or cut, for the log; also those without room */
    const char *notes[BOOT_MAX_NOTES];

    size_t arena_used;
    char arena[16384];
};

/*
 * The memory that the loader left: a pointer to len bytes at `at`, NULL when they are not all
 * reachable. On metal the identity map of the boot page tables, below 4 GiB.
 */
typedef const void *boot_memory_fn(hpa_t at, size_t len);

/*
 * Each fills *bi from the structure at `at`. 0, or -XEN_EINVAL when that structure itself cannot
 * be read; parts that cannot are left out with a note. cmdline and loader are never NULL then.
 */
int bootinfo_mb1(struct boot_info *bi, hpa_t at, boot_memory_fn *memory) must_check;
int bootinfo_mb2(struct boot_info *bi, hpa_t at, boot_memory_fn *memory) must_check;
int bootinfo_pvh(struct boot_info *bi, hpa_t at, boot_memory_fn *memory) must_check;

/* Between the parsers. */
void bootinfo_init(struct boot_info *bi, const char *protocol);
void bootinfo_note(struct boot_info *bi, const char *text); /* text lives for ever */
/* Copies a string that ends at a zero byte or after `limit` bytes; "" when it cannot be read. */
const char *bootinfo_string(struct boot_info *bi, hpa_t at, uint64_t limit, boot_memory_fn *memory);
/* False, with a note, when there is no room. */
bool bootinfo_range(struct boot_info *bi, uint64_t base, uint64_t size, uint32_t type);
void bootinfo_module(struct boot_info *bi, uint64_t start, uint64_t size, const char *cmdline);

#endif

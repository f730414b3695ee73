/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot information of a PVH start (struct hvm_start_info, version 0 and 1, of the public
 * arch-x86/hvm/start_info.h), as QEMU's -kernel and Xen give it.
 */
#include "boot/bootinfo.h"

#include "abi/xen.h"
#include "lib/string.h"

#define PVH_SIZE_V0 offsetof(struct hvm_start_info, memmap_paddr)

static void take_modules(struct boot_info *bi, const struct hvm_start_info *info,
                         boot_memory_fn *memory)
{
    struct hvm_modlist_entry m;
    for (uint32_t i = 0; i < info->nr_modules; i++) {
        const void *p = NULL;
        if (info->modlist_paddr <= UINT32_MAX && i <= BOOT_MAX_MODULES)
            p = memory(_hpa(info->modlist_paddr + (uint64_t)i * sizeof(m)), sizeof(m));
        if (!p) {
            bootinfo_note(bi, "the list of modules is cut");
            return;
        }
        memcpy(&m, p, sizeof(m));
        const char *cmdline = "";
        if (m.cmdline_paddr)
            cmdline = bootinfo_string(bi, _hpa(m.cmdline_paddr), BOOT_MAX_STRING, memory);
        bootinfo_module(bi, m.paddr, m.size, cmdline);
    }
}

static void take_memmap(struct boot_info *bi, const struct hvm_start_info *info,
                        boot_memory_fn *memory)
{
    struct hvm_memmap_table_entry e;
    for (uint32_t i = 0; i < info->memmap_entries; i++) {
        const void *p = NULL;
        if (info->memmap_paddr <= UINT32_MAX)
            p = memory(_hpa(info->memmap_paddr + (uint64_t)i * sizeof(e)), sizeof(e));
        if (!p) {
            bootinfo_note(bi, "the memory map is cut");
            return;
        }
        memcpy(&e, p, sizeof(e));
        if (!bootinfo_range(bi, e.addr, e.size, e.type))
            return;
    }
}

int bootinfo_pvh(struct boot_info *bi, hpa_t at, boot_memory_fn *memory)
{
    struct hvm_start_info info = {.magic = 0};
    bootinfo_init(bi, "PVH");
    const void *p = memory(at, PVH_SIZE_V0);
    if (!p)
        return -XEN_EINVAL;
    memcpy(&info, p, PVH_SIZE_V0);
    if (info.magic != XEN_HVM_START_MAGIC_VALUE)
        return -XEN_EINVAL;
    if (info.version >= 1) {
        p = memory(at, sizeof(info));
        if (!p)
            return -XEN_EINVAL;
        memcpy(&info, p, sizeof(info));
        take_memmap(bi, &info, memory);
    }
    if (info.cmdline_paddr)
        bi->cmdline = bootinfo_string(bi, _hpa(info.cmdline_paddr), BOOT_MAX_STRING, memory);
    take_modules(bi, &info, memory);
    bi->rsdp_at = _hpa(info.rsdp_paddr);
    return 0;
}

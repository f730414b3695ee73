/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Krypton's address space, for C and assembly. One top-level slot is 512 GiB. Every CPU has its own
 * top-level table; slots marked P differ per CPU, slot D per served domain, all others are shared.
 *
 *   256   P  the CPU's own page tables (the table maps itself)        TABLES_VIRT
 *   288.. S  linear map of Krypton-owned frames, up to 16 TiB         KVA_VIRT       port/mmu.h
 *   320   S  frame table                                              FRAME_TABLE_VIRT   "
 *   509   D  the served domain's part                                 DOMAIN_VIRT        "
 *   510   P  per-CPU area, stacks; at +1 GiB map windows              PCPU_VIRT, WINDOW_VIRT
 *   511   S  the image (top - 2 GiB), device registers (top - 1 GiB)  IMAGE_VIRT, DEVICE_VIRT
 *
 * There is no identity map after boot and no map of guest frames.
 */
#ifndef KR_ARCH_X86_CPU_LAYOUT_H
#define KR_ARCH_X86_CPU_LAYOUT_H

#define IMAGE_VIRT  0xffffffff80200000
#define IMAGE_MAX   0x800000 /* bytes; checked by the linker script */
#define DEVICE_VIRT 0xffffffffc0000000
#define TABLES_VIRT 0xffff800000000000

#define SLOT_TABLES 256
#define SLOT_DOMAIN 509
#define SLOT_PCPU   510
#define SLOT_IMAGE  511

/* Pages of the per-CPU area, from PCPU_VIRT; what is not named is a guard. */
#define PCPU_AREA_PAGES     4  /* struct pcpu */
#define PCPU_DESC_PAGE      6  /* GDT and TSS */
#define PCPU_STACK_PAGES    4  /* each stack */
#define PCPU_STACK_STEP     8  /* distance of stacks */
#define PCPU_STACK_FIRST    10 /* main, NMI, double fault, machine check */
#define PCPU_STACKS         4

#define PCPU_MAIN_STACK_END (0xffffff0000000000 + (PCPU_STACK_FIRST + PCPU_STACK_PAGES) * 4096)

/* Window slots of the boot code and of early mappings lie behind those of mem/window.h. */
#define WINDOW_TEMP_FIRST 256

/* Segments of every CPU's GDT. SYSRET order does not matter: Krypton has no user mode. */
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS  0x18

/* Values of EAX at the entry point (the multiboot and PVH specifications). */
#define MAGIC_MULTIBOOT1 0x2badb002
#define MAGIC_MULTIBOOT2 0x36d76289
#define MAGIC_PVH        0x336ec578

#endif

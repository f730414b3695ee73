/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptor tables. AMD APM vol. 2 ch. 4 and 12.2.5, section 8.9 (long-mode interrupts). */
#include "arch/x86/cpu/desc.h"
#include "arch/x86/cpu/layout.h"
#include "arch/x86/cpu/trap.h"
#include "lib/string.h"
#include "port/cpu.h"

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} packed_struct;
BUILD_BUG_ON(sizeof(struct tss) != 104);

struct cpu_desc {
    uint64_t gdt[5];
    struct tss tss;
};

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} packed_struct;

static struct gate idt[256] aligned_to(4096);

extern const char trap_stubs[]; /* entry.S: TRAP_STUB_SIZE bytes for each vector */

static uint64_t stack_end(unsigned int n)
{
    return PCPU_VIRT + (PCPU_STACK_FIRST + n * PCPU_STACK_STEP + PCPU_STACK_PAGES) * PAGE_SIZE;
}

static void idt_load(void)
{
    struct table_pointer p = {sizeof(idt) - 1, (uint64_t)idt};

    __asm__ volatile("lidt %0" : : "m"(p));
}

void desc_idt_init(void)
{
    for (unsigned int i = 0; i < 256; i++) {
        uint64_t entry = (uint64_t)trap_stubs + i * TRAP_STUB_SIZE;

        idt[i] = (struct gate){
            .offset_low = (uint16_t)entry,
            .offset_middle = (uint16_t)(entry >> 16),
            .offset_high = (uint32_t)(entry >> 32),
            .selector = SEL_CODE,
            .type = 0x8e, /* present interrupt gate, DPL 0 */
            .ist = i == TRAP_NMI  ? 1
                   : i == TRAP_DF ? 2
                   : i == TRAP_MC ? 3
                                  : 0,
        };
    }
    idt_load();
}

void desc_cpu_init(void)
{
    struct cpu_desc *d = (struct cpu_desc *)(PCPU_VIRT + PCPU_DESC_PAGE * PAGE_SIZE);
    uint64_t base = (uint64_t)&d->tss;
    struct table_pointer p = {sizeof(d->gdt) - 1, (uint64_t)d->gdt};

    memset(d, 0, sizeof(*d));
    d->tss.io_map = sizeof(struct tss);
    d->tss.rsp[0] = stack_end(0);
    for (unsigned int i = 0; i + 1 < PCPU_STACKS; i++)
        d->tss.ist[i] = stack_end(i + 1);
    d->gdt[SEL_CODE / 8] = 0x00af9b000000ffffULL;
    d->gdt[SEL_DATA / 8] = 0x00cf93000000ffffULL;
    d->gdt[SEL_TSS / 8] = (sizeof(struct tss) - 1) | ((base & 0xffffff) << 16) | (0x89ULL << 40) |
                          (((base >> 24) & 0xff) << 56);
    d->gdt[SEL_TSS / 8 + 1] = base >> 32;
    __asm__ volatile("lgdt %0\n"
                     "pushq %1\n"
                     "leaq 1f(%%rip), %%rax\n"
                     "pushq %%rax\n"
                     "lretq\n"
                     "1: mov %2, %%ds\n"
                     "mov %2, %%es\n"
                     "mov %2, %%ss\n"
                     "lldt %w3\n"
                     "ltr %w4\n"
                     :
                     : "m"(p), "i"(SEL_CODE), "r"(SEL_DATA), "r"(0), "r"(SEL_TSS)
                     : "rax", "memory");
    idt_load();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The IDT of 64-bit guests, and the TSS that user_call needs. AMD APM vol. 2, 4.8 and 12.2. */
#include "guest.h"

extern uint64_t boot_gdt_tss[2];
extern uint8_t boot_tss[104];
void user_return(void);

static struct {
    uint64_t low, high;
} idt[256];

void idt_set(unsigned int vector, unsigned long target, unsigned int dpl)
{
    idt[vector].low = (target & 0xffff) | 0x08ull << 16 | (0x8eull | dpl << 5) << 40 |
                      (uint64_t)(target >> 16 & 0xffff) << 48;
    idt[vector].high = target >> 32;
}

void idt_load(void)
{
    struct packed_struct {
        uint16_t limit;
        uint64_t base;
    } r = {sizeof(idt) - 1, (uint64_t)idt};
    __asm__ volatile("lidt %0" ::"m"(r));
}

void trap_init_cpu(void)
{
    idt_load();
    if (this_cpu()->id)
        return;
    uint64_t base = (uint64_t)boot_tss;
    idt_set(0x80, (unsigned long)user_return, 3);
    boot_gdt_tss[0] = 103 | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    boot_gdt_tss[1] = base >> 32;
    *(uint16_t *)(void *)&boot_tss[102] = 104; /* no I/O bitmap */
    __asm__ volatile("ltr %w0" ::"r"(0x38));
}

void shared_width_init(void)
{
    /* 64-bit is what a domain starts with */
}

void trap_own_stack(void *end)
{
    uint64_t at = (uint64_t)end;
    memcpy(&boot_tss[36], &at, sizeof(at)); /* IST1 */
    for (unsigned int v = 0; v < 32; v++)
        idt[v].low |= 1ull << 32;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The IDT of 32-bit guests, and the 64-bit division that the compiler calls for. */
#include "guest.h"

static uint64_t idt[256];

void idt_set(unsigned int vector, unsigned long target, unsigned int dpl)
{
    idt[vector] = (target & 0xffff) | 0x08ull << 16 | (0x8eull | dpl << 5) << 40 |
                  (uint64_t)(target >> 16) << 48;
}

void idt_load(void)
{
    struct packed_struct {
        uint16_t limit;
        uint32_t base;
    } r = {sizeof(idt) - 1, (uint32_t)idt};
    __asm__ volatile("lidt %0" ::"m"(r));
}

void trap_init_cpu(void)
{
    idt_load();
}

/* The layout of shared pages is that of the mode in which the hypercall page is asked for. */
void shared_width_init(void)
{
    static uint8_t page[PAGE_SIZE] aligned_to(4096);
    wrmsr(cpuid(0x40000002, 0).b, (unsigned long)page);
}

uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __udivdi3(uint64_t a, uint64_t b)
{
    uint64_t quotient = 0, rest = 0;
    for (int i = 63; i >= 0; i--) {
        rest = rest << 1 | (a >> i & 1);
        if (rest < b)
            continue;
        rest -= b;
        quotient |= 1ull << i;
    }
    return quotient;
}

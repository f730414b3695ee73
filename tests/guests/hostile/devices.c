/* SPDX-License-Identifier: Apache-2.0 */
/* MSRs, ports, the local APIC and memory with nothing behind it, at random and in sweeps. */
#include "apic.h"
#include "attacks.h"

static bool harmless_msr(uint32_t msr)
{
    /* What this guest itself stands on: EFER, FS/GS bases, APIC base, SYSCALL's. */
    return msr != MSR_EFER && msr != MSR_APIC_BASE;
}

void attack_msrs(void)
{
    static const uint64_t bases[] = {0,          0x200,      0x400,      0x800,      0xc00,
                                     0x40000000, 0x40000100, 0x4b564d00, 0xc0000000, 0xc0000100,
                                     0xc0010000, 0xc0010100, 0xc0010200, 0xc0011000, 0xffffff00};
    static const uint64_t values[] = {0, 1, ~0ull, 0x8000000000000000, 0xfee00900, 0xfff, 6};
    uint32_t base = (uint32_t)random_pick(bases, ARRAY_SIZE(bases));
    for (uint32_t i = 0; i < 0x200 && !attack_over(); i++) {
        uint64_t v;
        uint32_t msr = random() % 32 ? base + i : (uint32_t)random();
        rdmsr_probe(msr, &v);
        if (harmless_msr(msr))
            wrmsr_probe(msr, random() % 2 ? random_pick(values, ARRAY_SIZE(values))
                                          : v ^ 1ull << random() % 64);
        attack_count();
    }
    apic_enable();
}

void attack_ports(void)
{
    for (uint32_t port = 0; port < 0x10000 && !attack_over(); port++) {
        uint16_t p = random() % 2 ? (uint16_t)port : (uint16_t)random();
        if (p == 0xe9)
            continue; /* that is the console flood's */
        uint32_t b = inb(p), w = inw(p), l = inl(p);
        if (b != 0xff || w != 0xffff || l != 0xffffffff)
            fail("port %x answers: %x %x %x", p, b, w, l);
        outb(p, (uint8_t)random());
        outw(p, (uint16_t)random());
        outl(p, (uint32_t)random());
        attack_count();
    }
    static uint8_t page[PAGE_SIZE];
    void *to = page;
    const void *from = page;
    unsigned long n = 4096;
    __asm__ volatile("rep insb" : "+D"(to), "+c"(n) : "d"(random()) : "memory");
    n = 1024;
    __asm__ volatile("rep outsl" : "+S"(from), "+c"(n) : "d"(0x70) : "memory");
    to = (void *)0xfee00000; /* from a port to a device */
    n = 64;
    __asm__ volatile("rep insl" : "+D"(to), "+c"(n) : "d"(0x60) : "memory");
}

void attack_apic(void)
{
    static const uint64_t vectors[] = {0, 1, 2, 15, 32, 0x50, 0xef, 0xfe, 0xff};
    for (unsigned int i = 0; i < 2000; i++) {
        /* Not a vector that this guest's stubs take for an exception with an error code. */
        uint32_t any = (uint32_t)random() | 0x20,
                 vector = (uint32_t)random_pick(vectors, ARRAY_SIZE(vectors));
        /* Not INIT and SIPI to itself or its fellow: that would only end the attack. */
        uint32_t modes[] = {0x000, 0x100, 0x200, 0x300, 0x700}, mode = modes[random() % 5];
        uint32_t low = vector | mode | (any & 0xd8e0);
        switch (random() % 8) {
        case 0:
            apic_icr((uint32_t)random(), low);
            break;
        case 1:
            apic_icr((uint32_t)random(), (low & 0xffu) | ICR_NMI | (uint32_t)(random() & 3) << 18);
            break;
        case 2:
            apic_write(APIC_LVT_TIMER + (uint32_t)(random() % 6) * 16, any);
            break;
        case 3:
            apic_write(APIC_TIMER_DIVIDE, (uint32_t)random());
            apic_write(APIC_TIMER_INITIAL, random() % 2 ? 1 : (uint32_t)random());
            break;
        case 4:
            *(volatile uint32_t *)(APIC_PAGE + (random() & 0xfff & ~0x30ull)) = any;
            break;
        case 5:
            (void)*(volatile uint64_t *)(APIC_PAGE + (random() & 0xfff));
            break;
        case 6:
            wrmsr_probe(0x800 + (uint32_t)(random() % 256), any);
            break;
        default:
            __asm__ volatile("sti\n nop\n nop\n cli" ::: "memory");
            apic_eoi();
        }
        attack_count();
        if (apic_is_x2())
            break;
    }
    apic_enable();
}

/* All kinds of accesses to all of the 4 GiB that are not RAM. */
void attack_mmio(void)
{
    for (unsigned int i = 0; i < 2000; i++) {
        uint64_t at = 0x40000000 + random() % 0xb8000000;
        if (random() % 4 == 0)
            at = 0xfec00000 + random() % 0x100000;
        if ((at & ~0xfffull) == APIC_PAGE)
            continue;
        volatile uint64_t *p = (volatile uint64_t *)at;
        *p = random();
        if (*p != ~0ull)
            fail("something answers at %llx: %llx", (unsigned long long)at, (unsigned long long)*p);
        *(volatile uint8_t *)p = 0;
        void *to = (void *)(unsigned long)at;
        unsigned long n = 16;
        __asm__ volatile("rep stosq" : "+D"(to), "+c"(n) : "a"(0) : "memory");
        __asm__ volatile("lock xaddl %%eax, (%0)" ::"r"(p), "a"(1) : "memory", "cc");
        attack_count();
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: a hypercall's pointer is the caller's linear address, walked in the caller's own tables:
 * pages of 4 KiB, 2 MiB and 1 GiB, buffers over two unrelated pages, rights, reserved bits, stale
 * translations, and 32-bit code of long mode. AMD APM vol. 2, 5.3.
 *
 * RUN: memory=32M vcpus=1
 */
#include "map.h"

#define VA  (MAP_BASE + 0x40000000)
#define VA2 (MAP_BASE + 0x80000000) /* 2 MiB pages */
#define VA3 (MAP_BASE + 0xc0000000) /* a 1 GiB page */

static uint8_t first[PAGE_SIZE] aligned_to(4096), second[PAGE_SIZE] aligned_to(4096);
static char truth[16]; /* what extraversion is */

/* extraversion (16 bytes) written through `va`. */
static long ask(uint64_t va)
{
    memset(first, 0x55, PAGE_SIZE);
    memset(second, 0x55, PAGE_SIZE);
    return xen_version(XENVER_extraversion, va);
}

static void check_sizes(void)
{
    map_set(VA, 1, (uint64_t)first | PTE_P | PTE_RW);
    EXPECT(ask(VA + 100), 0);
    EXPECT(memcmp(first + 100, truth, 16), 0);
    EXPECT(first[99], 0x55);
    EXPECT(first[116], 0x55);
    EXPECT(*map_entry(VA, 1) & (PTE_A | PTE_D), PTE_A | PTE_D);

    map_set(VA2, 2, ((uint64_t)first & ~0x1fffffull) | PTE_P | PTE_RW);
    EXPECT(ask(VA2 + ((uint64_t)first & 0x1fffff)), 0);
    EXPECT(memcmp(first, truth, 16), 0);
    if (cpuid(0x80000001, 0).d >> 26 & 1) {
        map_set(VA3, 3, 0 | PTE_P | PTE_RW);
        EXPECT(ask(VA3 + (uint64_t)first), 0);
        EXPECT(memcmp(first, truth, 16), 0);
    }
}

/* The two pages lie in the opposite order in memory. */
static void check_two_pages(void)
{
    map_set(VA, 1, (uint64_t)second | PTE_P | PTE_RW);
    map_set(VA + PAGE_SIZE, 1, (uint64_t)first | PTE_P | PTE_RW);
    EXPECT(ask(VA + PAGE_SIZE - 7), 0);
    EXPECT(memcmp(second + PAGE_SIZE - 7, truth, 7), 0);
    EXPECT(memcmp(first, truth + 7, 9), 0);
    map_set(VA + PAGE_SIZE, 1, 0);
    EXPECT(ask(VA + PAGE_SIZE - 7), -XEN_EFAULT);
    EXPECT(first[0], 0x55);
    EXPECT(ask(VA + PAGE_SIZE - 16), 0); /* fits in the first */
}

static void check_rights(void)
{
    map_set(VA, 1, (uint64_t)first | PTE_P);
    EXPECT(ask(VA), -XEN_EFAULT); /* read-only, CR0.WP is on */
    EXPECT(first[0], 0x55);
    struct xen_feature_info f = {0}, *in = (void *)first;
    memcpy(first, &f, sizeof(f));
    EXPECT(xen_version(XENVER_get_features, VA), -XEN_EFAULT); /* read yes, write no */
    EXPECT(in->submap, 0);
    map_set(VA, 1, (uint64_t)first | PTE_P | PTE_RW | PTE_US);
    EXPECT(ask(VA), 0);
    *map_entry(VA, 2) &= ~PTE_RW; /* at a higher level */
    invlpg((const void *)VA);
    EXPECT(ask(VA), -XEN_EFAULT);
    *map_entry(VA, 2) |= PTE_RW;
    invlpg((const void *)VA);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1u << 11);
    map_set(VA, 1, (uint64_t)first | PTE_P | PTE_RW | PTE_NX);
    EXPECT(ask(VA), 0); /* data may be where code may not */
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(1ull << 11));
}

static void check_bad_tables(void)
{
    map_set(VA, 1, (uint64_t)first | PTE_P | PTE_RW | PTE_NX); /* reserved without EFER.NXE */
    EXPECT(ask(VA), -XEN_EFAULT);
    map_set(VA, 1, 0xfee00000 | PTE_P | PTE_RW); /* no RAM behind it */
    EXPECT(ask(VA), -XEN_EFAULT);
    map_set(VA, 1, 1ull << 35 | PTE_P | PTE_RW); /* far above RAM */
    EXPECT(ask(VA), -XEN_EFAULT);
    uint64_t table = *map_entry(VA, 2);
    *map_entry(VA, 2) = 0xe0000000 | PTE_P | PTE_RW; /* a table where nothing is */
    invlpg((const void *)VA);
    EXPECT(ask(VA), -XEN_EFAULT);
    *map_entry(VA, 2) = table;
    invlpg((const void *)VA);
}

/* A changed entry takes effect at once: whatever was remembered of the walk must not be used. */
static void check_changes(void)
{
    for (unsigned int i = 0; i < 64; i++) {
        uint8_t *now = i % 2 ? second : first;
        map_set(VA, 1, (uint64_t)now | PTE_P | PTE_RW);
        EXPECT(ask(VA), 0);
        CHECK(!memcmp(now, truth, 16), "round %u went to the page mapped before", i);
    }
}

/* vmmcall from 32-bit code: arguments in ebx, ecx, ..., upper halves are not looked at. */
extern uint8_t compat_version[];
__asm__(".pushsection .text\n.code32\n"
        "compat_version:\n"
        "mov %edi, %ecx\n" /* pointer */
        "mov $1, %ebx\n"   /* XENVER_extraversion */
        "mov $17, %eax\n"
        "vmmcall\n"
        "lret\n" ASM_CODE_BACK ".popsection\n");

static void check_compat(void)
{
    memset(first, 0x55, PAGE_SIZE);
    if (cpuid(0, 0).c == 0x6c65746e)
        return; /* the code above is AMD's */
    EXPECT(compat_call((uint32_t)(unsigned long)compat_version, (uint32_t)(unsigned long)first), 0);
    EXPECT(memcmp(first, truth, 16), 0);
    EXPECT((int32_t)compat_call((uint32_t)(unsigned long)compat_version, 0xe0000000), -XEN_EFAULT);
}

GUEST_MAIN
{
    EXPECT(xen_version(XENVER_extraversion, truth), 0);
    check_sizes();
    check_two_pages();
    check_rights();
    check_bad_tables();
    check_changes();
    check_compat();
}

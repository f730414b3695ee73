/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: what the guest paging does, in the three older kinds of page tables: 32-bit with 4 KiB
 * and 4 MiB pages, PAE with 4 KiB and 2 MiB pages; and without paging. AMD APM vol. 2, 5.1 and 5.2.
 *
 * RUN: memory=32M vcpus=1
 */
#include "guest.h"

#define VA  0x80000000ul
#define TOP 0xfec00000ul
#define P   1u
#define RW  2u
#define PS  0x80u

static uint32_t directory[1024] aligned_to(4096), table[1024] aligned_to(4096);
static uint64_t pae_top[4] aligned_to(32),
    pae_directory[4][512] aligned_to(4096), pae_table[512] aligned_to(4096);
static uint8_t first[PAGE_SIZE] aligned_to(4096), second[PAGE_SIZE] aligned_to(4096);
static char truth[16];

static long ask(unsigned long va)
{
    memset(first, 0x55, PAGE_SIZE);
    memset(second, 0x55, PAGE_SIZE);
    return xen_version(XENVER_extraversion, va);
}

static void paging(void *top, unsigned long cr4)
{
    write_cr0(read_cr0() & 0x7fffffff);
    write_cr4(cr4);
    write_cr3((unsigned long)top);
    write_cr0(read_cr0() | 0x80010000); /* with WP */
}

static void paging_off(void)
{
    write_cr0(read_cr0() & 0x7fffffff);
    write_cr4(0);
}

/* VA and the page after it are `second`, `first`; then the first alone, then read-only. */
static void check_small(const char *kind, void (*set)(unsigned int index, unsigned long bits))
{
    set(0, (unsigned long)second | P | RW);
    set(1, (unsigned long)first | P | RW);
    EXPECT(ask(VA + PAGE_SIZE - 7), 0);
    CHECK(!memcmp(second + PAGE_SIZE - 7, truth, 7) && !memcmp(first, truth + 7, 9),
          "%s: went elsewhere", kind);
    set(1, 0);
    EXPECT(ask(VA + PAGE_SIZE - 7), -XEN_EFAULT);
    set(0, (unsigned long)second | P);
    EXPECT(ask(VA), -XEN_EFAULT);
    EXPECT(ask(VA + 0x1000000), -XEN_EFAULT); /* no table there */
}

static void set32(unsigned int index, unsigned long bits)
{
    table[index] = bits;
    invlpg((const void *)(VA + index * PAGE_SIZE));
}

static void check_32bit(void)
{
    static uint32_t identity[8][1024] aligned_to(4096), top[1024] aligned_to(4096);
    for (unsigned int i = 0; i < 8 * 1024; i++)
        identity[i / 1024][i % 1024] = i << 12 | P | RW;
    for (unsigned int i = 0; i < 1024; i++) /* where the console ring may be */
        top[i] = TOP + i * PAGE_SIZE + (P | RW);
    directory[TOP >> 22] = (unsigned long)top | P | RW;
    for (unsigned int i = 0; i < 8; i++)
        directory[i] = (unsigned long)identity[i] | P | RW;
    directory[VA >> 22] = (unsigned long)table | P | RW;
    paging(directory, 0);
    check_small("32-bit", set32);

    /* Without CR4.PSE the size bit means nothing; with it this is one page of 4 MiB. */
    directory[(VA >> 22) + 1] = ((unsigned long)first & 0xffc00000) | P | RW | PS;
    paging(directory, 0x10);
    EXPECT(ask(VA + 0x400000 + ((unsigned long)first & 0x3fffff)), 0);
    EXPECT(memcmp(first, truth, 16), 0);
    paging_off();
}

static void set_pae(unsigned int index, unsigned long bits)
{
    pae_table[index] = bits;
    invlpg((const void *)(VA + index * PAGE_SIZE));
}

static void check_pae(void)
{
    for (unsigned int i = 0; i < 4; i++)
        pae_top[i] = (unsigned long)pae_directory[i] | P;
    for (unsigned int i = 0; i < 16; i++)
        pae_directory[0][i] = i << 21 | P | RW | PS;
    for (unsigned int i = 0; i < 2; i++)
        pae_directory[3][(TOP >> 21 & 511) + i] = (TOP + i * 0x200000) | P | RW | PS;
    pae_directory[VA >> 30][0] = (unsigned long)pae_table | P | RW;
    pae_directory[VA >> 30][1] = ((unsigned long)first & 0xffe00000) | P | RW | PS;
    paging(pae_top, 0x20);
    check_small("PAE", set_pae);
    EXPECT(ask(VA + 0x200000 + ((unsigned long)first & 0x1fffff)), 0);
    EXPECT(memcmp(first, truth, 16), 0);
    pae_table[0] = (unsigned long)first | P | RW | 1ull << 62; /* reserved */
    invlpg((const void *)VA);
    EXPECT(ask(VA), -XEN_EFAULT);
    pae_table[0] = 1ull << 35 | P | RW; /* above 4 GiB, nothing there */
    invlpg((const void *)VA);
    EXPECT(ask(VA), -XEN_EFAULT);
    paging_off();
}

GUEST_MAIN
{
    EXPECT(xen_version(XENVER_extraversion, truth), 0);
    EXPECT(ask((unsigned long)first), 0);
    EXPECT(memcmp(first, truth, 16), 0);
    check_32bit();
    check_pae();
    EXPECT(ask((unsigned long)first), 0);
    EXPECT(ask(VA), -XEN_EFAULT);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* memory_op for a guest about itself. Public header: xen/memory.h. */
#include "checks.h"

#define SPARE_PAGES 1024u
static uint8_t page[PAGE_SIZE] aligned_to(4096);
static xen_pfn_t list[SPARE_PAGES];

static xen_pfn_t pfn_of(const void *p)
{
    return (unsigned long)p >> 12;
}

static void check_sizes(void)
{
    domid_t self = DOMID_SELF, other = 0x123;
    long now = memory_op(XENMEM_current_reservation, &self);
    long most = memory_op(XENMEM_maximum_reservation, &self);
    print("reservation %ld of %ld pages", now, most);
    CHECK(now >= 15 * 1024 && now <= 17 * 1024, "current_reservation %ld", now);
    CHECK(most >= now, "maximum_reservation %ld below the current", most);
    EXPECT(memory_op(XENMEM_current_reservation, &other), -XEN_ESRCH);
    EXPECT_EFAULT(memory_op(XENMEM_current_reservation, bad));
    CHECK(memory_op(XENMEM_maximum_gpfn, &self) >= 16383, "maximum_gpfn");
    EXPECT_EFAULT(memory_op(XENMEM_maximum_gpfn, bad));

    struct xen_memory_map map = {.nr_entries = 1};
    static uint8_t entries[20 * 16];
    set_xen_guest_handle(map.buffer, (void *)entries);
    EXPECT(memory_op(XENMEM_memory_map, &map), 0);
    EXPECT(map.nr_entries, 1);
    map.nr_entries = 16;
    EXPECT(memory_op(XENMEM_memory_map, &map), 0);
    CHECK(map.nr_entries >= 1 && map.nr_entries <= 16, "memory map of %u entries", map.nr_entries);
    EXPECT_EFAULT(memory_op(XENMEM_memory_map, bad));
    set_xen_guest_handle(map.buffer, (void *)bad_pointers[0]);
    EXPECT(memory_op(XENMEM_memory_map, &map), -XEN_EFAULT);
    EXPECT(memory_op(XENMEM_machine_memory_map, &map), -XEN_ENOSYS);
    EXPECT(memory_op(XENMEM_machphys_mapping, &map), -XEN_ENOSYS);
    EXPECT(memory_op(29, &map), -XEN_ENOSYS);
    EXPECT(memory_op(62, &map), -XEN_ENOSYS);
}

static long reservation(unsigned int op, xen_pfn_t *pfns, unsigned long n, unsigned int order)
{
    struct xen_memory_reservation r = {.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};
    set_xen_guest_handle(r.extent_start, pfns);
    return memory_op(op, &r);
}

/* One page given back and taken again: reads as all ones in between, as zero after. */
static void check_one_page(void)
{
    volatile uint32_t *p = (void *)page;
    xen_pfn_t pfn = pfn_of(page);
    *p = 0x12345678;
    EXPECT(reservation(XENMEM_decrease_reservation, &pfn, 1, 0), 1);
    EXPECT(*p, 0xffffffff);
    *p = 1;
    EXPECT(*p, 0xffffffff);
    EXPECT(reservation(XENMEM_decrease_reservation, &pfn, 1, 0), 0); /* a hole already */
    EXPECT(reservation(XENMEM_populate_physmap, &pfn, 1, 0), 1);
    if (!on_xen) /* Xen may give back a page of this guest as it was */
        EXPECT(*p, 0);
    *p = 0x12345678;
    EXPECT(*p, 0x12345678);
}

static void check_reservation_errors(void)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    xen_pfn_t pfn = pfn_of(page);
    for (unsigned int i = 0; i < bad_pointer_count; i++) { /* a count, never an error */
        EXPECT(memory_op(XENMEM_decrease_reservation, bad_pointers[i]), 0);
        EXPECT(memory_op(XENMEM_populate_physmap, bad_pointers[i]), 0);
    }
    set_xen_guest_handle(r.extent_start, (xen_pfn_t *)bad_pointers[0]);
    EXPECT(memory_op(XENMEM_decrease_reservation, &r), 0);
    EXPECT(memory_op(XENMEM_populate_physmap, &r), 0);
    EXPECT(reservation(XENMEM_populate_physmap, &pfn, 1, 10), 0); /* order above 9 */
    EXPECT(reservation(XENMEM_populate_physmap, &pfn, 0, 0), 0);
    set_xen_guest_handle(r.extent_start, &pfn);
    r.domid = 0x123;
    EXPECT(memory_op(XENMEM_populate_physmap, &r), 0);
    r.domid = 0;
    EXPECT(memory_op(XENMEM_populate_physmap, &r), 0);
    pfn = 0xfee00;
    EXPECT(reservation(XENMEM_decrease_reservation, &pfn, 1, 0), 0); /* no RAM */
}

/* Long enough to be interrupted: the counts must come out right all the same. */
static void check_long(void)
{
    uint8_t *spare = (uint8_t *)0x2000000; /* 32 MiB: nothing there */
    for (unsigned int i = 0; i < SPARE_PAGES; i++)
        list[i] = pfn_of(spare) + i;
    spare[5 * PAGE_SIZE] = 1;
    EXPECT(reservation(XENMEM_decrease_reservation, list, SPARE_PAGES, 0), SPARE_PAGES);
    EXPECT(reservation(XENMEM_populate_physmap, list, SPARE_PAGES, 0), SPARE_PAGES);
    for (unsigned int i = 0; i < SPARE_PAGES; i++)
        CHECK(on_xen || spare[i * PAGE_SIZE] == 0, "page %u not zero after populate", i);
    list[700] = 0xfee00; /* stops there */
    EXPECT(reservation(XENMEM_decrease_reservation, list, SPARE_PAGES, 0), 700);
    EXPECT(reservation(XENMEM_populate_physmap, list, 700, 0), 700);
    list[0] = pfn_of(spare);
    EXPECT(reservation(XENMEM_decrease_reservation, list, 1, 9), 1); /* one 2 MiB extent */
    EXPECT(reservation(XENMEM_populate_physmap, list, 1, 9), 1);
    spare[0x1ff000] = 7;
    EXPECT(spare[0x1ff000], 7);
}

static long add(unsigned int space, unsigned long idx, unsigned long gpfn)
{
    struct xen_add_to_physmap x = {.domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = gpfn};
    return memory_op(XENMEM_add_to_physmap, &x);
}

static void check_physmap(void)
{
    static uint8_t from[PAGE_SIZE] aligned_to(4096), to[PAGE_SIZE] aligned_to(4096);
    struct xen_remove_from_physmap rm = {.domid = DOMID_SELF, .gpfn = 0x30000};
    EXPECT_EFAULT(memory_op(XENMEM_add_to_physmap, bad));
    EXPECT(add(XENMAPSPACE_shared_info, 1, pfn_of(page)), -XEN_EINVAL);
    if (GUEST_BITS == 64)
        EXPECT(add(XENMAPSPACE_shared_info, 0, ~0ul), -XEN_EINVAL);
    EXPECT(add(XENMAPSPACE_grant_table, 1u << 20, pfn_of(page)), -XEN_EINVAL);
    EXPECT(add(XENMAPSPACE_gmfn, 0xfee00, pfn_of(page)), -XEN_EINVAL);
    EXPECT(add(17, 0, pfn_of(page)), -XEN_EINVAL);

    /* Space 2 moves a page: what was at `to` is gone, `from` is a hole. */
    *(volatile uint32_t *)(void *)from = 0xabcd;
    EXPECT(add(XENMAPSPACE_gmfn, pfn_of(from), pfn_of(to)), 0);
    EXPECT(*(volatile uint32_t *)(void *)to, 0xabcd);
    EXPECT(*(volatile uint32_t *)(void *)from, 0xffffffff);
    rm.gpfn = pfn_of(from);
    EXPECT(memory_op(XENMEM_remove_from_physmap, &rm), -XEN_ENOENT);
    rm.gpfn = pfn_of(to);
    EXPECT(memory_op(XENMEM_remove_from_physmap, &rm), 0);
    EXPECT(*(volatile uint32_t *)(void *)to, 0xffffffff);
    EXPECT_EFAULT(memory_op(XENMEM_remove_from_physmap, bad));

    /* The shared info page is at one place at a time, and RAM can be put back under it. */
    struct shared_info *shared = shared_info_map();
    CHECK(READ_ONCE(shared->wc_sec) != 0, "no wall clock in the shared info page");
    EXPECT(add(XENMAPSPACE_shared_info, 0, pfn_of(page)), 0);
    CHECK(READ_ONCE(((struct shared_info *)(void *)page)->wc_sec) != 0, "shared info did not move");
    EXPECT(READ_ONCE(shared->wc_sec), 0xffffffff);
    EXPECT(add(XENMAPSPACE_shared_info, 0, pfn_of(shared)), 0);
    CHECK(READ_ONCE(shared->wc_sec) != 0, "shared info did not move back");
    xen_pfn_t pfn = pfn_of(page);
    EXPECT(reservation(XENMEM_populate_physmap, &pfn, 1, 0), 1);
    pfn = pfn_of(from);
    EXPECT(reservation(XENMEM_populate_physmap, &pfn, 1, 0), 1);
}

void check_memory(void)
{
    check_sizes();
    check_one_page();
    check_reservation_errors();
    check_long();
    check_physmap();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: no guest is ever shown what another one left in memory. Each life scans all its RAM for
 * the pattern, gives back and populates pages and scans those, then fills its RAM with the pattern
 * and asks for a reboot; the last one (domain id >= `lives`) reports.
 *
 * RUN: memory=64M vcpus=1 -- lives=4
 */
#include "pattern.h"

#define BALLOON 1024u /* pages given back and taken again */

static xen_pfn_t pfns[BALLOON];

static uint64_t scan(const uint64_t *from, const uint64_t *to)
{
    uint64_t found = 0;
    for (const uint64_t *p = from; p < to; p++)
        if (pattern_foreign(*p) && !found++)
            fail("another guest's word at %p: %llx", (const void *)p, (unsigned long long)*p);
    return found;
}

static long reservation(unsigned int op)
{
    struct xen_memory_reservation r = {.nr_extents = BALLOON, .domid = DOMID_SELF};
    set_xen_guest_handle(r.extent_start, pfns);
    return memory_op(op, &r);
}

static uint64_t *image(void)
{
    return (uint64_t *)guest_image_start;
}

GUEST_MAIN
{
    uint64_t *ram = (uint64_t *)guest_image_end, *end = NULL, seed = own_domid();
    const struct hvm_memmap_table_entry *m = (const void *)start_info.memmap_paddr;
    uint64_t lives = param_num("lives", 1), found = 0;
    for (uint32_t i = 0; i < start_info.memmap_entries; i++) {
        uint64_t *from = (uint64_t *)m[i].addr, *to = (uint64_t *)(m[i].addr + m[i].size);
        if (m[i].type != XEN_HVM_MEMMAP_TYPE_RAM || m[i].addr + m[i].size > 1ull << 32)
            continue;
        if (from <= image() && image() < to) {
            found += scan(from, image());
            from = ram;
            end = to;
        }
        found += scan(from, to);
    }
    if (!end || (uint64_t)(end - ram) < BALLOON * 512)
        test_error("not enough memory");
    for (unsigned int i = 0; i < BALLOON; i++)
        pfns[i] = ((unsigned long)end >> 12) - BALLOON + i;
    EXPECT(reservation(XENMEM_decrease_reservation), BALLOON);
    EXPECT(reservation(XENMEM_populate_physmap), BALLOON);
    found += scan(end - BALLOON * 512, end);
    for (uint64_t *p = ram; p < end; p++)
        *p = pattern_word(p, seed);
    print("life %llu: %llu foreign words", (unsigned long long)seed, (unsigned long long)found);
    if (!fail_count && seed < lives)
        shutdown(SHUTDOWN_reboot);
}

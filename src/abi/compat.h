/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layouts of 32-bit callers (i386: 4-byte pointers and longs, 64-bit integers aligned to 4) for
 * the public structures whose layout differs from that of 64-bit callers. Names are the public
 * ones with compat_ in front.
 */
#ifndef KR_ABI_COMPAT_H
#define KR_ABI_COMPAT_H

#include "abi/xen.h"
#include "lib/types.h"

struct compat_memory_reservation {
    uint32_t extent_start, nr_extents, extent_order, mem_flags;
    uint16_t domid, pad;
};
struct compat_add_to_physmap {
    uint16_t domid, size;
    uint32_t space, idx, gpfn;
};
struct compat_remove_from_physmap {
    uint16_t domid, pad;
    uint32_t gpfn;
};
struct compat_memory_map {
    uint32_t nr_entries, buffer;
};
struct compat_sched_poll {
    uint32_t ports, nr_ports;
    uint64_t timeout;
} packed_struct;
struct compat_set_singleshot_timer {
    uint64_t timeout_abs_ns;
    uint32_t flags;
} packed_struct;
struct compat_multicall_entry {
    uint32_t op, result, args[6];
};
struct compat_gnttab_unmap_grant_ref {
    uint64_t host_addr, dev_bus_addr;
    uint32_t handle;
    int16_t status;
    uint16_t pad;
} packed_struct;
struct compat_gnttab_copy {
    struct {
        uint32_t ref_or_gmfn;
        uint16_t domid, offset;
    } source, dest;
    uint16_t len, flags;
    int16_t status;
    uint16_t pad;
};
struct compat_gnttab_setup_table {
    uint16_t dom, pad;
    uint32_t nr_frames;
    int16_t status;
    uint16_t pad2;
    uint32_t frame_list;
};
struct compat_runstate_info {
    uint32_t state;
    uint64_t state_entry_time;
    uint64_t time[4];
} packed_struct;

BUILD_BUG_ON(sizeof(struct compat_memory_reservation) != 20);
BUILD_BUG_ON(sizeof(struct compat_sched_poll) != 16);
BUILD_BUG_ON(sizeof(struct compat_multicall_entry) != 32);
BUILD_BUG_ON(sizeof(struct compat_gnttab_unmap_grant_ref) != 24);
BUILD_BUG_ON(sizeof(struct compat_gnttab_copy) != 24);
BUILD_BUG_ON(sizeof(struct compat_gnttab_setup_table) != 16);
BUILD_BUG_ON(sizeof(struct compat_runstate_info) != 44);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the arguments of each call look like, so that a fuzzer's bytes become calls that get past
 * the first check. A shape is a string with a letter for each field:
 *   d domain id   h u16   b u8   w small u32   q u64   g gfn (u64)   n gfn or small number as wide
 *   as a pointer   a guest-physical address (u64)   t a time (u64)   l pointer to the list
 */
#ifndef TESTS_FUZZ_HYPERCALL_SHAPES_H
#define TESTS_FUZZ_HYPERCALL_SHAPES_H

#include "abi/xen.h"

struct call_shape {
    uint8_t nr, op;
    const char *fields; /* of the structure; NULL: none */
    uint8_t pointer;    /* which argument points to it */
    const char *list;   /* of an element of the list that `l` points to */
};

#define EV(op, fields)                                     \
    {                                                      \
        __HYPERVISOR_event_channel_op, op, fields, 1, NULL \
    }
#define MEM(op, fields, list)                       \
    {                                               \
        __HYPERVISOR_memory_op, op, fields, 1, list \
    }
#define SCHED(op, fields, list)                    \
    {                                              \
        __HYPERVISOR_sched_op, op, fields, 1, list \
    }
#define VCPU(op, fields)                          \
    {                                             \
        __HYPERVISOR_vcpu_op, op, fields, 2, NULL \
    }
#define HVM(op, fields)                          \
    {                                            \
        __HYPERVISOR_hvm_op, op, fields, 1, NULL \
    }
/* The pointer leads to an array: the third argument is its length. */
#define GNT(op, fields, list)                            \
    {                                                    \
        __HYPERVISOR_grant_table_op, op, fields, 1, list \
    }
#define VER(op)                                    \
    {                                              \
        __HYPERVISOR_xen_version, op, "w", 1, NULL \
    }

static const struct call_shape shapes[] = {
    EV(0, "dww"),
    EV(1, "www"),
    EV(2, "www"),
    EV(3, "w"),
    EV(4, "w"),
    EV(5, "dw"),
    EV(6, "ddw"),
    EV(7, "ww"),
    EV(8, "ww"),
    EV(9, "w"),
    EV(10, "d"),
    EV(11, "gww"),
    EV(12, "g"),
    EV(13, "ww"),
    MEM(0, "lnwwd", "n"),
    MEM(1, "lnwwd", "n"),
    MEM(6, "lnwwd", "n"),
    MEM(3, "d", NULL),
    MEM(4, "d", NULL),
    MEM(14, "d", NULL),
    MEM(7, "dhwnn", NULL),
    MEM(9, "wl", NULL),
    MEM(15, "dn", NULL),
    SCHED(0, NULL, NULL),
    SCHED(1, NULL, NULL),
    SCHED(2, "w", NULL),
    SCHED(3, "lwt", "w"),
    SCHED(4, "dw", NULL),
    SCHED(5, "w", NULL),
    SCHED(6, "ww", NULL),
    SCHED(7, "w", NULL),
    VCPU(0, "wwqqqqqqqqqqqqqqqq"),
    VCPU(1, NULL),
    VCPU(2, NULL),
    VCPU(3, NULL),
    VCPU(4, "w"),
    VCPU(5, "l"),
    VCPU(6, "t"),
    VCPU(7, NULL),
    VCPU(8, "tw"),
    VCPU(9, NULL),
    VCPU(10, "gww"),
    VCPU(11, NULL),
    VCPU(12, "w"),
    VCPU(13, "l"),
    HVM(0, "dwq"),
    HVM(1, "dwq"),
    HVM(9, "dq"),
    HVM(15, "dhhhg"),
    HVM(23, "wb"),
    GNT(0, "awwdhwq", NULL),
    GNT(1, "aqwh", NULL),
    GNT(2, "dwhl", "n"),
    GNT(5, "ndhndhhhh", NULL),
    GNT(6, "dwwh", NULL),
    GNT(8, "w", NULL),
    GNT(10, "dhw", NULL),
    GNT(11, "wwh", NULL),
    VER(0),
    VER(1),
    VER(2),
    VER(3),
    VER(4),
    VER(5),
    VER(6),
    VER(7),
    VER(8),
    VER(9),
    VER(10),
    {__HYPERVISOR_set_timer_op, 0, NULL, 0, NULL},
    {__HYPERVISOR_vm_assist, 0, NULL, 0, NULL},
    {__HYPERVISOR_console_io, 0, "q", 2, NULL},
};

#endif

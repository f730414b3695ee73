/* SPDX-License-Identifier: Apache-2.0 */
/* Hypercalls with wild pointers and with random arguments. Public header: xen.h. */
#include "attacks.h"

static uint8_t page[2 * PAGE_SIZE] aligned_to(4096);

/* Where pointers are aimed: unmapped, non-canonical, hypervisor, page ends, MMIO, wrap-around,
 * self. */
static unsigned long wild(void)
{
    static const unsigned long places[] = {
        0,
        1,
        0xfff,
        0xe0000000,
        0xfee00000,
        0xfee00ffc,
        0xffffffff,
        0xfffffffc,
        0x100000000,
        0x00007fffffffffff,
        0x00007ffffffffff8,
        0x0000800000000000,
        0x8000000000000000,
        0xffff800000000000,
        0xffff830000000000,
        0xffffffff80000000,
        0xffffffff80200000,
        0xffffffff80208000,
        0xfffffffffffffff0,
        0xffffffffffffffff,
        0xffffffffffffff00,
    };
    unsigned int i = (unsigned int)(random() % (ARRAY_SIZE(places) + 3));
    if (i < ARRAY_SIZE(places))
        return places[i];
    switch (i - ARRAY_SIZE(places)) {
    case 0:
        return (unsigned long)page + PAGE_SIZE - 1 - random() % 64;
    case 1:
        return random();
    default:
        return (unsigned long)page;
    }
}

/* Not these: they would only end the attack, put it to sleep or give its end a name. */
static bool ends_it(unsigned long nr, unsigned long cmd)
{
    return nr == __HYPERVISOR_sched_op && (uint32_t)cmd != SCHEDOP_yield &&
           (uint32_t)cmd != SCHEDOP_remote_shutdown && (uint32_t)cmd <= SCHEDOP_watchdog;
}

/* Endless text is the console flood's. */
static unsigned long text_length(unsigned long nr, unsigned long n)
{
    return nr == __HYPERVISOR_console_io ? n % 300 : n;
}

static bool downs_vcpu(unsigned long nr, unsigned long cmd)
{
    return nr == __HYPERVISOR_vcpu_op && (cmd == VCPUOP_down || cmd == VCPUOP_initialise);
}

void attack_pointers(void)
{
    for (unsigned long nr = 0; nr < 64 && !attack_over(); nr++)
        for (unsigned long cmd = 0; cmd < 100; cmd++) {
            unsigned long count = random() % 4 ? 1 : random();
            if (ends_it(nr, cmd) || downs_vcpu(nr, cmd))
                continue;
            if (nr == __HYPERVISOR_multicall) { /* long ones would only overwrite this guest */
                hypercall(nr, wild(), cmd % 64, wild(), wild(), wild());
                continue;
            }
            /* The pointer is the second, third or first argument, by call. */
            hypercall(nr, cmd, text_length(nr, wild()), count, wild(), wild());
            hypercall(nr, cmd, text_length(nr, count), wild(), wild(), wild());
            if (nr != __HYPERVISOR_sched_op)
                hypercall(nr, wild(), text_length(nr, cmd), count, wild(), wild());
            attack_count();
        }
}

static unsigned long small(void)
{
    static const uint64_t edges[] = {0,      1,      2,          3,          4,          15,
                                     16,     31,     63,         64,         127,        128,
                                     255,    1023,   4095,       4096,       0x7fef,     0x7ff0,
                                     0x7ff1, 0x7ff2, 0x7fffffff, 0x80000000, 0xffffffff, ~0ull};
    return random_pick(edges, ARRAY_SIZE(edges));
}

/* Arguments in memory: plausible words, so that some get past the first checks. */
static void fill(void)
{
    uint64_t *p = (uint64_t *)(void *)page;
    for (unsigned int i = 0; i < 32; i++)
        switch (random() % 5) {
        case 0:
            p[i] = small();
            break;
        case 1:
            p[i] = small() | small() << 32;
            break;
        case 2:
            p[i] = (unsigned long)page + random() % 4096;
            break;
        case 3:
            p[i] = random() & 0xffff;
            break;
        default:
            p[i] = DOMID_SELF | (uint64_t)(uint32_t)small() << 32;
        }
}

void attack_storm(void)
{
    static const uint64_t calls[] = {
        __HYPERVISOR_memory_op,    __HYPERVISOR_multicall,
        __HYPERVISOR_set_timer_op, __HYPERVISOR_xen_version,
        __HYPERVISOR_console_io,   __HYPERVISOR_grant_table_op,
        __HYPERVISOR_vm_assist,    __HYPERVISOR_vcpu_op,
        __HYPERVISOR_mmuext_op,    __HYPERVISOR_xsm_op,
        __HYPERVISOR_sched_op,     __HYPERVISOR_event_channel_op,
        __HYPERVISOR_physdev_op,   __HYPERVISOR_hvm_op,
        __HYPERVISOR_sysctl,       __HYPERVISOR_domctl,
        __HYPERVISOR_platform_op,  __HYPERVISOR_argo_op,
        __HYPERVISOR_dm_op,        49,
    };
    for (unsigned int i = 0; i < 1000; i++) {
        unsigned long nr = random() % 16 ? random_pick(calls, ARRAY_SIZE(calls)) : random();
        unsigned long cmd = random() % 8 ? random() % 32 : small();
        unsigned long at = random() % 8 ? (unsigned long)page + random() % 64 * 8 : wild();
        fill();
        if (ends_it(nr, cmd) || downs_vcpu(nr, cmd))
            continue;
        if (nr == __HYPERVISOR_multicall)
            hypercall(nr, wild(), random() % 64, 0, 0, 0);
        else if (nr == __HYPERVISOR_grant_table_op || nr == __HYPERVISOR_console_io)
            hypercall(nr, cmd, text_length(nr, random() % 2 ? at : small()),
                      random() % 2 ? at : random() % 8, at, at);
        else
            hypercall(nr, cmd, random() % 2 ? at : small(), at, small(), at);
        attack_count();
    }
}

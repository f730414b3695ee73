/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: a triple fault ends its guest like a request for a reboot, and nothing else.
 *
 * RUN: memory=32M vcpus=1 restart=never
 * END: reboot
 */
#include "guest.h"

GUEST_MAIN
{
    struct {
        uint16_t limit;
        uint64_t base;
    } packed_struct none = {0, 0};
    print("TEST %s: SUCCESS", guest_name);
    __asm__ volatile("lidt %0\n ud2" ::"m"(none));
}

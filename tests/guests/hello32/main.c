/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: the smallest guest starts, its first hypercall answers, its text reaches the console and
 * its shutdown powers it off. If this one fails, look no further.
 * The same as hello, as a 32-bit ELF linked at 16 MiB that never leaves protected mode.
 *
 * LINK: 0x1000000
 * RUN: memory=32M vcpus=1
 */
#include "guest.h"

GUEST_MAIN
{
    print("hello from a %d-bit guest", GUEST_BITS);
    EXPECT(start_info.magic, XEN_HVM_START_MAGIC_VALUE);
    EXPECT(xen_version(XENVER_version, 0), 0x40011);
    const char *echo = param("echo");
    if (echo)
        print("echo: %s", echo);
}

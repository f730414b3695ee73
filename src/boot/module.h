/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot modules: where they are once they have been moved out of the way. Their frames have no
 * owner (FRAME_OWNER_NONE) and no linear address; the last page is zero behind the end.
 */
#ifndef KR_BOOT_MODULE_H
#define KR_BOOT_MODULE_H

#include "boot/bootinfo.h"

struct module {
    mfn_t first;
    uint64_t size; /* bytes, may be 0 */
    const char *cmdline;
};

extern struct module modules[BOOT_MAX_MODULES];
extern unsigned int nr_modules;

#endif

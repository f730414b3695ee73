/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guests of the boot modules as a whole: starting them, starting them again, and the end of
 * the machine when the last one is gone.
 */
#ifndef KR_BOOT_SUPERVISE_H
#define KR_BOOT_SUPERVISE_H

#include "boot/bootinfo.h"

/* Boot CPU, everything initialised, before the loop: reads the modules' lines and queues the
 * building of every guest that is all right. Powers the machine off when there is none. */
void boot_domains(const struct boot_module *modules, unsigned int nr);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PVH start information of a boot-time guest (public arch-x86/hvm/start_info.h): start_info,
 * module list, memory map and command line in two pages of its RAM.
 */
#ifndef KR_BOOT_START_INFO_H
#define KR_BOOT_START_INFO_H

#include "boot/layout.h"
#include "domain/domain.h"

/* Makes d->memory_map. -XEN_ENOMEM. */
int must_check start_info_map(struct domain *d, const struct guest_layout *l);
/* Writes it all at LAYOUT_START_INFO. -XEN_E2BIG: the command line does not fit. */
int must_check start_info_write(struct domain *d, const struct guest_layout *l,
                                const char *cmdline);

#endif

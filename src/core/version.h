/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Krypton says of itself. Numbers that tools compare are Xen 4.17's (guest/hypercall).
 */
#ifndef KR_CORE_VERSION_H
#define KR_CORE_VERSION_H

#include "lib/types.h"

#define KRYPTON_VERSION      "0.1"
#define KRYPTON_EXTRAVERSION ".7-krypton-0.1" /* 15 characters at most */
#define KRYPTON_COMPILER     __VERSION__

/* The linker's build id of the running image; *size 0 when it has none. Filled by boot. */
extern const uint8_t *version_build_id;
extern size_t version_build_id_size;
/* The command line as the boot loader gave it; filled by boot. */
extern const char *version_command_line;

#endif

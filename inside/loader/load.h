/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of the loader's work without its surroundings: from the payload in memory to a kernel
 * in its place. Compiles and runs on the host as well.
 */
#ifndef LOADER_LOAD_H
#define LOADER_LOAD_H

#include "failure.h"
#include "unpack.h"

struct loaded {
    const struct unpack_format *format;
    uint64_t unpacked;         /* bytes that came out of the decompressor */
    uint64_t entry, low, high; /* guest-physical; [low, high) was written */
};

/*
 * pointer = ram + guest-physical address for RAM; info->payload is used as a pointer as it is.
 * False: f says why, and RAM inside the kernel's own segments may have been written.
 */
bool load_kernel(const struct loader_info *info, uintptr_t ram, struct loaded *l,
                 struct failure *f);

#endif

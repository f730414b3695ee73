/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much scratch memory the loader needs, for Krypton, which cannot know the format without
 * parsing what the guest's owner supplied. Measured with tests/unit/loader_image_test on Debian
 * 12's kernel (65.9 MB unpacked), in KiB: xz as shipped 32,864 (window 32 MiB), lzma 1,120 (1 MiB),
 * zstd 2,397 (2 MiB), gzip 103, lz4 8,192; an ELF that is not compressed needs none. The deepest
 * stack was 1,776 bytes (zstd), against LOADER_STACK_SIZE in abi/loader.h.
 *
 * xz and zstd need the window that the compressor chose, or the size of the unpacked kernel if that
 * is smaller. Linux's own build takes 128 MiB for zstd, and for xz since 6.12; 32 MiB for xz
 * before.
 */
#ifndef LOADER_HEAP_NEED_H
#define LOADER_HEAP_NEED_H

#include "lib/types.h"

#define LOADER_HEAP_GZIP      KIB(128)
#define LOADER_HEAP_LZ4       (MIB(8) + KIB(4))
#define LOADER_HEAP_WINDOW(w) ((w) + KIB(512)) /* lzma, xz, zstd with window w */
#define LOADER_HEAP_XZ        LOADER_HEAP_WINDOW(MIB(32))

/* What Debian's kernels take; every window that Linux's build uses. */
#define LOADER_HEAP_DEFAULT MIB(33)
#define LOADER_HEAP_MOST    LOADER_HEAP_WINDOW(MIB(128))

/* What a kernel may occupy before a larger window is worth anything. */
#define LOADER_HEAP_SPARE MIB(128)

/*
 * The heap for a guest with so many bytes of RAM below 4 GiB that nothing else occupies. Debian
 * 12's kernel (74 MiB) and its window fit from 107 MiB on.
 */
static inline uint64_t loader_heap_size(uint64_t available)
{
    uint64_t beside = available > LOADER_HEAP_SPARE ? available - LOADER_HEAP_SPARE : 0;
    uint64_t small = min(available / 3, LOADER_HEAP_DEFAULT), large = max(beside, small);

    return min(large, LOADER_HEAP_MOST);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which decompressor for which magic number, and the allocation helpers that they share. The magic
 * numbers are those of the formats' own specifications; lz4 is the "legacy" frame, lzma the old
 * .lzma file with lc=3 lp=0 pb=2: what Linux puts into a bzImage.
 */
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "unpack.h"

static const struct unpack_format formats[] = {
    {LOADER_FORMAT_PLAIN, "plain", 4, {0x7f, 'E', 'L', 'F'}, NULL},
    {LOADER_FORMAT_GZIP, "gzip", 3, {0x1f, 0x8b, 8}, unpack_gzip},
    {LOADER_FORMAT_XZ, "xz", 6, {0xfd, '7', 'z', 'X', 'Z', 0}, unpack_xz},
    {LOADER_FORMAT_LZMA, "lzma", 3, {0x5d, 0, 0}, unpack_lzma},
    {LOADER_FORMAT_ZSTD, "zstd", 4, {0x28, 0xb5, 0x2f, 0xfd}, unpack_zstd},
    {LOADER_FORMAT_LZ4, "lz4", 4, {0x02, 0x21, 0x4c, 0x18}, unpack_lz4},
};

const struct unpack_format *unpack_detect(const uint8_t *src, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        const struct unpack_format *f = &formats[i];
        if (size >= f->magic_size && !memcmp(src, f->magic, f->magic_size))
            return f;
    }
    return NULL;
}

bool unpack_no_memory(struct failure *f)
{
    return failure_set(f, LOADER_ERR_NO_MEMORY, 0, 0);
}

void *unpack_alloc(uint64_t size, struct failure *f)
{
    void *p = malloc(size);

    if (!p)
        unpack_no_memory(f);
    return p;
}

uint64_t unpack_window(uint64_t wanted, uint64_t beside)
{
    uint64_t room = heap_room(), fits = min(wanted, room > beside ? room - beside : 0);

    if (fits < wanted) {
        fits = ALIGN_DOWN(fits, KIB(4));
        heap.lacking += wanted - fits;
    }
    room = min(room, fits + beside);
    heap.low = min(heap.low, heap.next - room);
    return fits;
}

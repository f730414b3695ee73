/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lz4's "legacy" frame (LZ4 frame format, section "Legacy frame"): a magic number, then blocks of
 * {le32 compressed size, data}, each of at most 8 MiB when unpacked. The end is not marked; Linux
 * adds le32 of the unpacked size, too short to be a block. No checksum in the format.
 */
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "unpack.h"

#define LZ4_BLOCK MIB(8)

static uint32_t lz4_word(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

bool unpack_lz4(const uint8_t *src, size_t size, struct sink *sink, struct failure *f)
{
    uint8_t *out = unpack_alloc(LZ4_BLOCK, f);
    size_t at = 4;
    bool ok = true, more = true;

    if (!out)
        return false;
    while (ok && more && size - at > 4) {
        uint32_t packed = lz4_word(src + at);
        int n = -1;
        at += 4;
        if (packed && packed <= LZ4_COMPRESSBOUND(LZ4_BLOCK) && packed <= size - at)
            n = LZ4_decompress_safe((const char *)src + at, (char *)out, (int)packed,
                                    (int)LZ4_BLOCK);
        at += n < 0 ? 0 : packed;
        if (n < 0)
            ok = failure_set(f, LOADER_ERR_CORRUPT, LOADER_FORMAT_LZ4, at);
        else
            more = sink->write(sink, out, (size_t)n);
    }
    free(out);
    return ok;
}

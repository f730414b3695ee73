/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lz4's "legacy" frame (LZ4 frame format, section "Legacy frame"): a magic number, then blocks of
 * {le32 compressed size, data}, each of at most 8 MiB when unpacked. The end is not marked; Linux
 * adds le32 of the unpacked size, too short to be a block. No checksum in the format. The block
 * decoder (LZ4 block format) is here because liblz4 keeps it in one section with its compressor,
 * which would be a fifth of the loader image.
 */
#include <stdlib.h>
#include <string.h>

#include "unpack.h"

#define LZ4_BLOCK     MIB(8)
#define LZ4_LONG      15u /* in a token: the length goes on in the bytes that follow */
#define LZ4_MIN_MATCH 4u

static bool lz4_length(const uint8_t **in, const uint8_t *end, size_t *length)
{
    uint8_t more = 255;

    while (*length >= LZ4_LONG && more == 255) {
        if (*in == end)
            return false;
        more = *(*in)++;
        *length += more;
    }
    return true;
}

/* Returns the end of the output, NULL when the block is corrupt. */
static uint8_t *lz4_block(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    const uint8_t *end = in + size;
    uint8_t *at = out;

    while (in < end) {
        size_t literals = *in >> 4, match = *in & 15u;
        in++;
        if (!lz4_length(&in, end, &literals) || literals > (size_t)(end - in) || literals > room)
            return NULL;
        memcpy(at, in, literals);
        at += literals;
        in += literals;
        room -= literals;
        if (in == end) /* the last sequence ends here */
            return at;
        if (end - in < 2)
            return NULL;
        size_t offset = in[0] | (size_t)in[1] << 8;
        in += 2;
        if (!lz4_length(&in, end, &match))
            return NULL;
        match += LZ4_MIN_MATCH;
        if (!offset || offset > (size_t)(at - out) || match > room)
            return NULL;
        room -= match;
        for (; match; match--, at++) /* they may overlap: this repeats a pattern */
            *at = *(at - offset);
    }
    return NULL;
}

bool unpack_lz4(const uint8_t *src, size_t size, uint64_t content, struct sink *sink,
                struct failure *f)
{
    size_t block = (size_t)min(content, (uint64_t)LZ4_BLOCK);
    uint8_t *out = unpack_alloc(block, f), *end;
    size_t at = 4;
    uint32_t packed;
    bool ok = true, more = true;

    if (!out)
        return false;
    while (ok && more && size - at > sizeof(packed)) {
        memcpy(&packed, src + at, sizeof(packed));
        at += sizeof(packed);
        end = packed <= size - at ? lz4_block(src + at, packed, out, block) : NULL;
        if (end)
            more = sink->write(sink, out, (size_t)(end - out));
        else
            ok = failure_set(f, LOADER_ERR_CORRUPT, LOADER_FORMAT_LZ4, at);
        at += packed;
    }
    free(out);
    return ok;
}

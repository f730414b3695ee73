/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip (RFC 1952) through zlib's inflate, which checks the CRC and the length at the end. One
 * member; what follows it is not read.
 */
#define ZLIB_CONST
#include <stdlib.h>
#include <zlib.h>

#include "unpack.h"

static bool gzip_run(z_stream *z, uint8_t *out, struct sink *sink, struct failure *f)
{
    int r;

    do {
        z->next_out = out;
        z->avail_out = UNPACK_CHUNK;
        r = inflate(z, Z_NO_FLUSH);
        size_t n = UNPACK_CHUNK - z->avail_out;
        if (n && !sink->write(sink, out, n))
            return true;
    } while (r == Z_OK);
    if (r == Z_MEM_ERROR)
        return unpack_no_memory(f);
    return r == Z_STREAM_END || failure_set(f, LOADER_ERR_CORRUPT, LOADER_FORMAT_GZIP, (uint64_t)r);
}

bool unpack_gzip(const uint8_t *src, size_t size, uint64_t content, struct sink *sink,
                 struct failure *f)
{
    (void)content; /* the window is 32 KiB whatever comes */
    /* avail_in is 32 bits wide; modules lie below 4 GiB. */
    z_stream z = {.next_in = src, .avail_in = (uInt)min(size, (size_t)UINT32_MAX)};
    uint8_t *out = unpack_alloc(UNPACK_CHUNK, f);

    if (!out)
        return false;
    int r = inflateInit2(&z, 16 + MAX_WBITS); /* 16: gzip header, not zlib's */
    bool ok = r == Z_OK ? gzip_run(&z, out, sink, f) : unpack_no_memory(f);
    inflateEnd(&z);
    free(out);
    return ok;
}

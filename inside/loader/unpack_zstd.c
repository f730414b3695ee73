/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One zstd frame (RFC 8878) through libzstd's buffer-less calls, straight from the source into a
 * ring of our own: the library's stream object would allocate the whole window that the header asks
 * for, 128 MiB for a Linux kernel of half that size. The ring is no larger than the data; where
 * even that does not fit, it is smaller and does not wrap, which does until it is full. The frame's
 * checksum, if it has one, is verified by the library.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "heap.h"
#include "unpack.h"

struct zstd_ring {
    uint8_t *base;
    size_t size, at;
    size_t block; /* largest block of the frame */
    bool cut;     /* smaller than was wanted */
    bool wraps;   /* large enough to start over; else all of the data must fit */
};

static bool zstd_error(size_t r, const struct zstd_ring *ring, struct failure *f)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(r);

    if (code == ZSTD_error_dstSize_tooSmall && ring->cut)
        return unpack_no_memory(f);
    return failure_set(f, LOADER_ERR_CORRUPT, LOADER_FORMAT_ZSTD, code);
}

static bool zstd_run(ZSTD_DCtx *ctx, struct zstd_ring *ring, const uint8_t *src, size_t size,
                     struct sink *sink, struct failure *f)
{
    size_t r = ZSTD_decompressBegin(ctx), need;

    while (!ZSTD_isError(r) && (need = ZSTD_nextSrcSizeToDecompress(ctx)) != 0) {
        if (need > size)
            return failure_set(f, LOADER_ERR_CORRUPT, LOADER_FORMAT_ZSTD, ZSTD_error_srcSize_wrong);
        if (ring->wraps && ring->size - ring->at < ring->block)
            ring->at = 0;
        uint8_t *out = ring->base + ring->at;
        r = ZSTD_decompressContinue(ctx, out, ring->size - ring->at, src, need);
        if (ZSTD_isError(r))
            break;
        src += need;
        size -= need;
        ring->at += r;
        if (r && !sink->write(sink, out, r))
            return true;
    }
    return !ZSTD_isError(r) || zstd_error(r, ring, f);
}

/* Allocates the ring for the frame at src. */
static bool zstd_ring_init(struct zstd_ring *ring, const uint8_t *src, size_t size,
                           uint64_t content, struct failure *f)
{
    ZSTD_frameHeader head;
    size_t r = ZSTD_getFrameHeader(&head, src, size);

    if (!r) {
        content = min(content, (uint64_t)head.frameContentSize);
        r = ZSTD_decodingBufferSize_min(head.windowSize, content);
    } else if (!ZSTD_isError(r)) {
        return failure_set(f, LOADER_ERR_TRUNCATED, r, size);
    }
    if (ZSTD_isError(r))
        return failure_set(f, LOADER_ERR_CORRUPT, LOADER_FORMAT_ZSTD, ZSTD_getErrorCode(r));
    ring->block = head.blockSizeMax;
    ring->size = (size_t)unpack_window(r, 0);
    ring->cut = ring->size < r;
    ring->wraps = !ring->cut && ring->size < content;
    ring->base = unpack_alloc(ring->size, f);
    return ring->base != NULL;
}

bool unpack_zstd(const uint8_t *src, size_t size, uint64_t content, struct sink *sink,
                 struct failure *f)
{
    struct zstd_ring ring = {0};
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    bool ok = false;

    if (!ctx)
        return unpack_no_memory(f);
    if (zstd_ring_init(&ring, src, size, content, f))
        ok = zstd_run(ctx, &ring, src, size, sink, f);
    free(ring.base);
    ZSTD_freeDCtx(ctx);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One zstd frame (RFC 8878) through libzstd's buffer-less calls, straight from the source into a
 * ring of our own: the library's stream object would allocate the whole window that the header asks
 * for, 128 MiB for a Linux kernel of half that size. Where the ring for that window does not fit, a
 * smaller buffer is used without ever wrapping, which is enough as long as the data is not larger.
 * The frame's checksum, if it has one, is verified by the library.
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
    size_t block;  /* largest block of the frame */
    uint64_t full; /* the size that was wanted */
    bool wraps;    /* large enough to start over; else all of the data must fit */
};

static bool zstd_error(size_t r, const struct zstd_ring *ring, struct failure *f)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(r);

    if (code == ZSTD_error_dstSize_tooSmall && ring->size < ring->full)
        return failure_set(f, LOADER_ERR_NO_MEMORY, ring->full, heap.end - heap.start);
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
                           struct failure *f)
{
    ZSTD_frameHeader head;
    size_t r = ZSTD_getFrameHeader(&head, src, size);

    if (!r)
        r = ZSTD_decodingBufferSize_min(head.windowSize, head.frameContentSize);
    else if (!ZSTD_isError(r))
        return failure_set(f, LOADER_ERR_TRUNCATED, r, size);
    if (ZSTD_isError(r))
        return failure_set(f, LOADER_ERR_CORRUPT, LOADER_FORMAT_ZSTD, ZSTD_getErrorCode(r));
    ring->full = r;
    ring->block = head.blockSizeMax;
    ring->size = (size_t)min(ring->full, heap_room());
    ring->wraps = ring->size == ring->full && ring->size < head.frameContentSize;
    ring->base = unpack_alloc(ring->size, f);
    return ring->base != NULL;
}

bool unpack_zstd(const uint8_t *src, size_t size, struct sink *sink, struct failure *f)
{
    struct zstd_ring ring = {0};
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    bool ok = false;

    if (!ctx)
        return unpack_no_memory(f);
    if (zstd_ring_init(&ring, src, size, f))
        ok = zstd_run(ctx, &ring, src, size, sink, f);
    free(ring.base);
    ZSTD_freeDCtx(ctx);
    return ok;
}

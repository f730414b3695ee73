/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompressors behind one small interface: the whole source lies in memory, the output leaves in
 * order through a sink, chunk by chunk, and is never held as a whole. One file per library; nothing
 * here knows what the bytes mean. Everything allocated is freed again on every path.
 */
#ifndef LOADER_UNPACK_H
#define LOADER_UNPACK_H

#include "failure.h"

#define UNPACK_CHUNK KIB(64)

struct sink {
    /* Takes the next n bytes. False ends the unpacking, which then counts as successful. */
    bool (*write)(struct sink *sink, const uint8_t *data, size_t n);
};

/* `content`: the size of what will come out as far as that is known, else UINT64_MAX; no window is
 * made larger, and output beyond it may count as corrupt. */
typedef bool unpack_fn(const uint8_t *src, size_t size, uint64_t content, struct sink *sink,
                       struct failure *f);

unpack_fn unpack_gzip, unpack_xz, unpack_lzma, unpack_zstd, unpack_lz4;

struct unpack_format {
    enum loader_format id;
    const char *name;
    uint8_t magic_size, magic[6];
    unpack_fn *unpack; /* NULL: not compressed, use the bytes as they are */
};

/* The format whose magic number the source begins with, or NULL. */
const struct unpack_format *unpack_detect(const uint8_t *src, size_t size);

/* malloc that fills f when it fails. */
void *unpack_alloc(uint64_t size, struct failure *f);

/* The part of a window of `wanted` bytes for which there is memory beside `beside` further bytes,
 * which count as used; what is cut off counts as lacking. The caller allocates both. */
uint64_t unpack_window(uint64_t wanted, uint64_t beside);

/* Memory ran out; heap.h knows how much is lacking. Returns false. */
bool unpack_no_memory(struct failure *f);

#endif

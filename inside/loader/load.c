/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload -> bzImage or not -> format -> decompressor -> elf_stream, twice (see elf_stream.h). The
 * first pass is short: it stops after the program headers.
 */
#include "bzimage.h"
#include "elf_stream.h"
#include "heap.h"
#include "load.h"

struct source {
    const uint8_t *data;
    size_t size;
    const struct unpack_format *format;
};

static bool load_source(struct source *src, const struct loader_info *info, struct failure *f)
{
    src->data = (const uint8_t *)(uintptr_t)info->payload;
    src->size = info->payload_size;
    if (!src->size)
        return failure_set(f, LOADER_ERR_EMPTY, 0, 0);
    bool packed = bzimage_is(src->data, src->size);
    if (packed && !bzimage_payload(&src->data, &src->size, f))
        return false;
    src->format = unpack_detect(src->data, src->size);
    if (src->format)
        return true;
    uint64_t magic = 0;
    for (size_t i = 0; i < 4 && i < src->size; i++)
        magic |= (uint64_t)src->data[i] << (8 * i);
    return failure_set(f, packed ? LOADER_ERR_UNKNOWN_FORMAT : LOADER_ERR_NOT_KERNEL, magic, 0);
}

/* Feeds at most `limit` bytes of an ELF that is not compressed, all of one that is. */
static bool load_pass(const struct source *src, struct sink *sink, uint64_t limit,
                      struct failure *f)
{
    heap.next = heap.start;
    if (src->format->unpack)
        return src->format->unpack(src->data, src->size, sink, f);
    sink->write(sink, src->data, (size_t)min((uint64_t)src->size, limit));
    return true;
}

bool load_kernel(const struct loader_info *info, uintptr_t ram, struct loaded *l, struct failure *f)
{
    static struct elf_stream s;
    struct source src;

    elf_stream_init(&s, info, ram);
    if (!load_source(&src, info, f) || !load_pass(&src, &s.sink, UINT64_MAX, f))
        return false;
    if (elf_stream_rewind(&s)) {
        if (!load_pass(&src, &s.sink, s.needed, f))
            return false;
        elf_stream_finish(&s);
    }
    *f = s.failure;
    *l = (struct loaded){src.format, s.pos, s.entry, s.low, s.high};
    return !f->code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload -> bzImage or not -> format -> decompressor -> elf_stream, twice (see elf_stream.h). The
 * first pass is short: it stops after the program headers.
 */
#include <string.h>

#include "bzimage.h"
#include "elf_stream.h"
#include "heap.h"
#include "load.h"

struct source {
    const uint8_t *data;
    size_t size;
    uint64_t content; /* size of the unpacked kernel, UINT64_MAX when that is not said */
    const struct unpack_format *format;
};

/* Linux lets the payload of a bzImage end with le32 of the unpacked size. */
static uint64_t load_content(const struct source *src)
{
    uint32_t size = 0;

    if (src->size >= sizeof(size))
        memcpy(&size, src->data + src->size - sizeof(size), sizeof(size));
    return size ? size : UINT64_MAX;
}

static bool load_source(struct source *src, const struct loader_info *info, struct failure *f)
{
    src->data = (const uint8_t *)(uintptr_t)info->payload;
    src->size = info->payload_size;
    if (!src->size)
        return failure_set(f, LOADER_ERR_EMPTY, 0, 0);
    bool packed = bzimage_is(src->data, src->size);
    if (packed && !bzimage_payload(&src->data, &src->size, f))
        return false;
    src->content = packed ? load_content(src) : UINT64_MAX;
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
    heap_reset();
    if (src->format->unpack)
        return src->format->unpack(src->data, src->size, src->content, sink, f);
    sink->write(sink, src->data, (size_t)min((uint64_t)src->size, limit));
    return true;
}

/* The end of RAM: the ramdisk and the loader's own region lie between the heap and it. */
static uint64_t load_ram_end(const struct loader_info *info)
{
    uint64_t end = heap.end;

    for (unsigned int i = 0; i < info->nr_ram && i < LOADER_MAX_RANGES; i++)
        end = max(end, info->ram[i].end);
    return end;
}

/* Below this the kernel goes, from this on the heap. */
static uint64_t load_border(const struct elf_stream *s)
{
    return max(heap.start, ALIGN_UP(s->high, PAGE_SIZE));
}

static bool load_passes(const struct source *src, struct elf_stream *s, struct failure *f)
{
    if (!load_pass(src, &s->sink, UINT64_MAX, f))
        return false;
    if (s->headers_done && load_border(s) + heap_need() > heap.end)
        return unpack_no_memory(f);
    if (elf_stream_rewind(s)) {
        heap.start = load_border(s);
        if (!load_pass(src, &s->sink, s->needed, f))
            return false;
        elf_stream_finish(s);
    }
    *f = s->failure;
    return !f->code;
}

bool load_kernel(const struct loader_info *info, uintptr_t ram, struct loaded *l, struct failure *f)
{
    static struct elf_stream s;
    struct source src;

    heap.start = ALIGN_UP(info->heap, HEAP_UNIT);
    heap.end = heap.low = ALIGN_DOWN(info->heap + info->heap_size, HEAP_UNIT);
    elf_stream_init(&s, info, ram);
    if (!load_source(&src, info, f))
        return false;
    if (load_passes(&src, &s, f)) {
        *l = (struct loaded){src.format, s.pos, s.entry, s.low, s.high};
        return true;
    }
    uint64_t end = load_ram_end(info);
    if (f->code == LOADER_ERR_NO_MEMORY || f->least)
        f->least = ALIGN_UP(load_border(&s) + heap_need() + (end - heap.end), PAGE_SIZE);
    if (f->code == LOADER_ERR_NO_MEMORY) {
        f->a = f->least;
        f->b = end;
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * .xz and .lzma through liblzma, one thread. An .xz stream is taken block by block instead of by
 * the library's stream decoder, because the dictionary is allocated as a whole at the size that the
 * block header asks for (128 MiB in kernels since Linux 6.12): where that does not fit, a smaller
 * one is used, which is enough as long as the unpacked data is not larger. Each block's check is
 * verified by the library; the index after the blocks is not read.
 */
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "unpack.h"

/* What the decoder needs beside the dictionary: its state, probabilities, our chunk. */
#define XZ_OVERHEAD        KIB(256)

#define LZMA_ALONE_HEADER  13 /* {properties, le32 dictionary size, le64 size} */
#define LZMA_DICT_SMALLEST KIB(4)

static uint32_t xz_dictionary(uint32_t wanted)
{
    uint64_t room = heap_room(), fits = room > XZ_OVERHEAD ? room - XZ_OVERHEAD : 0;

    return (uint32_t)max(min((uint64_t)wanted, ALIGN_DOWN(fits, KIB(4))), LZMA_DICT_SMALLEST);
}

/* `cut`: the dictionary is smaller than asked for, so "corrupt" can also mean "too small". */
static bool xz_error(lzma_ret r, enum loader_format id, uint64_t cut, struct failure *f)
{
    if (r == LZMA_MEM_ERROR)
        return unpack_no_memory(f);
    if (cut && r == LZMA_DATA_ERROR)
        return failure_set(f, LOADER_ERR_NO_MEMORY, cut + XZ_OVERHEAD, heap.end - heap.start);
    return failure_set(f, LOADER_ERR_CORRUPT, id, r);
}

/* LZMA_STREAM_END, an error, or LZMA_OK when the sink has had enough. */
static lzma_ret xz_run(lzma_stream *z, uint8_t *out, struct sink *sink)
{
    lzma_ret r;

    do {
        z->next_out = out;
        z->avail_out = UNPACK_CHUNK;
        r = lzma_code(z, LZMA_RUN);
        size_t n = UNPACK_CHUNK - z->avail_out;
        if (n && !sink->write(sink, out, n))
            return LZMA_OK;
        if (r == LZMA_OK && !n && !z->avail_in)
            r = LZMA_BUF_ERROR;
    } while (r == LZMA_OK);
    return r;
}

static uint64_t xz_fit_dictionary(lzma_filter *filters)
{
    uint64_t cut = 0;

    for (; filters->id != LZMA_VLI_UNKNOWN; filters++) {
        if (filters->id != LZMA_FILTER_LZMA2)
            continue;
        lzma_options_lzma *o = filters->options;
        uint32_t dict = xz_dictionary(o->dict_size);
        if (dict < o->dict_size)
            cut = o->dict_size;
        o->dict_size = dict;
    }
    return cut;
}

/* One block at z->next_in. Returns like xz_run; sets *cut. */
static lzma_ret xz_block(lzma_stream *z, lzma_check check, uint8_t *out, struct sink *sink,
                         uint64_t *cut)
{
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    lzma_block block = {.version = 1, .check = check, .filters = filters};

    block.header_size = lzma_block_header_size_decode(z->next_in[0]);
    if (block.header_size > z->avail_in)
        return LZMA_BUF_ERROR;
    lzma_ret r = lzma_block_header_decode(&block, NULL, z->next_in);
    if (r != LZMA_OK)
        return r;
    z->next_in += block.header_size;
    z->avail_in -= block.header_size;
    *cut = xz_fit_dictionary(filters);
    r = lzma_block_decoder(z, &block);
    if (r == LZMA_OK)
        r = xz_run(z, out, sink);
    lzma_filters_free(filters, NULL);
    return r;
}

bool unpack_xz(const uint8_t *src, size_t size, struct sink *sink, struct failure *f)
{
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_stream_flags flags;
    uint64_t cut = 0;
    lzma_ret r = LZMA_BUF_ERROR;

    if (size >= LZMA_STREAM_HEADER_SIZE)
        r = lzma_stream_header_decode(&flags, src);
    if (r != LZMA_OK)
        return xz_error(r, LOADER_FORMAT_XZ, 0, f);
    if (!lzma_check_is_supported(flags.check))
        return xz_error(LZMA_UNSUPPORTED_CHECK, LOADER_FORMAT_XZ, 0, f);
    uint8_t *out = unpack_alloc(UNPACK_CHUNK, f);
    if (!out)
        return false;
    z.next_in = src + LZMA_STREAM_HEADER_SIZE;
    z.avail_in = size - LZMA_STREAM_HEADER_SIZE;
    do {
        if (!z.avail_in)
            r = LZMA_BUF_ERROR;
        else if (!z.next_in[0]) /* the index begins: no more blocks */
            break;
        else
            r = xz_block(&z, flags.check, out, sink, &cut);
    } while (r == LZMA_STREAM_END);
    lzma_end(&z);
    free(out);
    return r == LZMA_OK || r == LZMA_STREAM_END || xz_error(r, LOADER_FORMAT_XZ, cut, f);
}

bool unpack_lzma(const uint8_t *src, size_t size, struct sink *sink, struct failure *f)
{
    lzma_stream z = LZMA_STREAM_INIT;
    uint8_t header[LZMA_ALONE_HEADER], *out;
    uint32_t wanted, dict;

    if (size < sizeof(header))
        return failure_set(f, LOADER_ERR_TRUNCATED, sizeof(header), size);
    out = unpack_alloc(UNPACK_CHUNK, f);
    if (!out)
        return false;
    memcpy(header, src, sizeof(header));
    memcpy(&wanted, header + 1, sizeof(wanted));
    dict = xz_dictionary(wanted);
    memcpy(header + 1, &dict, sizeof(dict));

    lzma_ret r = lzma_alone_decoder(&z, UINT64_MAX);
    if (r == LZMA_OK) {
        z.next_in = header;
        z.avail_in = sizeof(header);
        z.next_out = out; /* without room for output it would not read the header */
        z.avail_out = UNPACK_CHUNK;
        r = lzma_code(&z, LZMA_RUN);
    }
    if (r == LZMA_OK) {
        z.next_in = src + sizeof(header);
        z.avail_in = size - sizeof(header);
        r = xz_run(&z, out, sink);
    }
    lzma_end(&z);
    free(out);
    return r == LZMA_OK || r == LZMA_STREAM_END ||
           xz_error(r, LOADER_FORMAT_LZMA, dict < wanted ? wanted : 0, f);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * .xz and .lzma through liblzma, one thread. An .xz stream is taken block by block instead of by
 * the library's stream decoder, because the dictionary is allocated as a whole at the size that the
 * block header asks for (128 MiB in kernels since Linux 6.12), where the size of the unpacked data
 * is enough. Where even that does not fit, a smaller one is used, which carries as far as matches
 * reach no further back. Each block's check is verified by the library; the index after the blocks
 * is not read.
 */
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "unpack.h"

/* What the decoder needs beside the dictionary: its state and probabilities; 33 KiB were seen. */
#define XZ_OVERHEAD        KIB(64)

#define LZMA_ALONE_HEADER  13 /* {properties, le32 dictionary size, le64 size} */
#define LZMA_DICT_SMALLEST KIB(4)

/* Not larger than the data, nor than what fits; *cut is set when it does not fit. */
static uint32_t xz_dictionary(uint32_t wanted, uint64_t content, bool *cut)
{
    uint64_t useful = max(min((uint64_t)wanted, content), (uint64_t)LZMA_DICT_SMALLEST);
    uint64_t fits = unpack_window(useful, XZ_OVERHEAD);

    *cut |= fits < useful;
    return (uint32_t)max(fits, (uint64_t)LZMA_DICT_SMALLEST);
}

/* `cut`: the dictionary is smaller than asked for, so "corrupt" can also mean "too small". */
static bool xz_error(lzma_ret r, enum loader_format id, bool cut, struct failure *f)
{
    if (r == LZMA_MEM_ERROR || (cut && r == LZMA_DATA_ERROR))
        return unpack_no_memory(f);
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
        if (r != LZMA_OK && r != LZMA_STREAM_END)
            break; /* the filter's last bytes may be wrong */
        if (n && !sink->write(sink, out, n))
            return LZMA_OK;
        if (r == LZMA_OK && !n && !z->avail_in)
            r = LZMA_BUF_ERROR;
    } while (r == LZMA_OK);
    return r;
}

static bool xz_fit_dictionary(lzma_filter *filters, uint64_t content)
{
    bool cut = false;

    for (; filters->id != LZMA_VLI_UNKNOWN; filters++) {
        lzma_options_lzma *o = filters->options;
        if (filters->id == LZMA_FILTER_LZMA2)
            o->dict_size = xz_dictionary(o->dict_size, content, &cut);
    }
    return cut;
}

/* One block at z->next_in. Returns like xz_run; sets *cut. */
static lzma_ret xz_block(lzma_stream *z, lzma_check check, uint64_t content, uint8_t *out,
                         struct sink *sink, bool *cut)
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
    *cut = xz_fit_dictionary(filters, content);
    r = lzma_block_decoder(z, &block);
    if (r == LZMA_OK)
        r = xz_run(z, out, sink);
    lzma_filters_free(filters, NULL);
    return r;
}

bool unpack_xz(const uint8_t *src, size_t size, uint64_t content, struct sink *sink,
               struct failure *f)
{
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_stream_flags flags;
    bool cut = false;
    lzma_ret r = LZMA_BUF_ERROR;

    if (size >= LZMA_STREAM_HEADER_SIZE)
        r = lzma_stream_header_decode(&flags, src);
    if (r != LZMA_OK)
        return xz_error(r, LOADER_FORMAT_XZ, false, f);
    if (!lzma_check_is_supported(flags.check))
        return xz_error(LZMA_UNSUPPORTED_CHECK, LOADER_FORMAT_XZ, false, f);
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
            r = xz_block(&z, flags.check, content, out, sink, &cut);
    } while (r == LZMA_STREAM_END);
    lzma_end(&z);
    free(out);
    return r == LZMA_OK || r == LZMA_STREAM_END || xz_error(r, LOADER_FORMAT_XZ, cut, f);
}

bool unpack_lzma(const uint8_t *src, size_t size, uint64_t content, struct sink *sink,
                 struct failure *f)
{
    lzma_stream z = LZMA_STREAM_INIT;
    uint8_t header[LZMA_ALONE_HEADER], *out;
    uint32_t dict;
    bool cut = false;

    if (size < sizeof(header))
        return failure_set(f, LOADER_ERR_TRUNCATED, sizeof(header), size);
    out = unpack_alloc(UNPACK_CHUNK, f);
    if (!out)
        return false;
    memcpy(header, src, sizeof(header));
    memcpy(&dict, header + 1, sizeof(dict));
    dict = xz_dictionary(dict, content, &cut);
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
    return r == LZMA_OK || r == LZMA_STREAM_END || xz_error(r, LOADER_FORMAT_LZMA, cut, f);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decompressors: what the compressor took comes out again in order, at sizes around every
 * buffer's edge; a sink may stop at any point; a heap smaller than the window asked for is enough
 * exactly when the data is small; nothing leaks on any path (LeakSanitizer).
 *
 * LIBS: -llzma -lzstd -lz -llz4
 */
#include "unit.h"

#include "loader/heap.h"
#include "loader/unpack.h"
#include "loader_kernel.h"

struct heap heap = {.next = MIB(64), .end = MIB(64)};

struct collector {
    struct sink sink;
    struct bytes want;
    size_t have, stop; /* refuse once `stop` bytes are there */
    bool same;
};

static bool collect(struct sink *sink, const uint8_t *data, size_t n)
{
    struct collector *c = container_of(sink, struct collector, sink);

    if (n > c->want.size - c->have || memcmp(c->want.data + c->have, data, n))
        return c->same = false;
    c->have += n;
    return c->have < c->stop;
}

static bool unpack_known(struct bytes in, uint64_t content, struct collector *c, struct failure *f)
{
    const struct unpack_format *format = unpack_detect(in.data, in.size);

    *c = (struct collector){{collect}, c->want, 0, c->stop, true};
    assert_non_null(format);
    heap_reset();
    return format->unpack(in.data, in.size, content, &c->sink, f);
}

static bool unpack(struct bytes in, struct collector *c, struct failure *f)
{
    return unpack_known(in, UINT64_MAX, c, f);
}

static void test_sizes(void **state)
{
    static const size_t sizes[] = {0, 1, 0xffff, 0x10000, 0x10001, 3u << 20, (8u << 20) + 1};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct collector c = {.want = bytes_new(sizes[i]), .stop = SIZE_MAX};
        struct failure f;
        bytes_pattern(c.want, (uint32_t)i);
        for (const struct pack *p = packs + 1; p < packs + PACKS; p++) {
            struct bytes in = p->pack(c.want);
            assert_true(unpack(in, &c, &f) && c.same);
            assert_int_equal(c.have, sizes[i]);
            free(in.data);
        }
        free(c.want.data);
    }
}

/* What is said of the output's size saves memory, however large the window: no byte more is asked
 * for, and a size below the truth gives no wrong bytes. */
static void test_known_size(void **state)
{
    struct collector c = {.want = bytes_new(MIB(2) + 100), .stop = SIZE_MAX};
    struct failure f;

    bytes_pattern(c.want, 8);
    memcpy(c.want.data + MIB(2), c.want.data, 100);
    struct bytes in[] = {pack_zstd_window(c.want, 26), pack_lz4(c.want),
                         pack_xz_with(c.want, 64u << 20, LZMA_CHECK_CRC32)};
    for (size_t i = 0; i < ARRAY_SIZE(in); i++) {
        heap.end = c.want.size + KIB(200);
        assert_true(unpack_known(in[i], c.want.size, &c, &f) && c.same);
        assert_int_equal(c.have, c.want.size);
        assert_int_equal(heap.lacking, 0);
        if (unpack_known(in[i], MIB(1), &c, &f))
            assert_true(i == 2 && c.same); /* no match reached so far back */
        else
            assert_int_equal(f.code, LOADER_ERR_CORRUPT);
        heap.end = MIB(1);
        unpack_known(in[i], c.want.size, &c, &f);
        if (i != 1) /* lz4 leaves this to malloc, which here knows nothing of the heap */
            assert_in_range(heap_need(), c.want.size, c.want.size + KIB(200));
        free(in[i].data);
    }
    heap.end = MIB(64);
    free(c.want.data);
}

static void test_stop(void **state)
{
    struct collector c = {.want = bytes_new(MIB(1))};
    struct failure f;

    bytes_pattern(c.want, 2);
    for (const struct pack *p = packs + 1; p < packs + PACKS; p++) {
        struct bytes in = p->pack(c.want);
        for (c.stop = 0; c.stop < MIB(1); c.stop += 200000) {
            assert_true(unpack(in, &c, &f) && c.same);
            assert_in_range(c.have, c.stop, MIB(1));
        }
        free(in.data);
    }
    free(c.want.data);
}

/* Every short prefix, then sparser ones: an error or, past the data's end, all of it. */
static void test_truncated(void **state)
{
    struct collector c = {.want = bytes_new(100000), .stop = SIZE_MAX};
    struct failure f;

    heap.end = MIB(1); /* smaller windows save much of ASan's time */
    bytes_pattern(c.want, 3);
    for (const struct pack *p = packs + 1; p < packs + PACKS; p++) {
        struct bytes in = p->pack(c.want);
        for (size_t n = p->id == LOADER_FORMAT_XZ ? 6 : 4; n < in.size; n += n / 16 + 1) {
            struct bytes cut = bytes_copy(in.data, n);
            if (unpack(cut, &c, &f))
                assert_true(p->id == LOADER_FORMAT_LZ4 ? n <= 8 : c.have == c.want.size);
            else
                assert_in_range(f.code, LOADER_ERR_TRUNCATED, LOADER_ERR_CORRUPT);
            assert_true(c.same);
            free(cut.data);
        }
        free(in.data);
    }
    heap.end = MIB(64);
    free(c.want.data);
}

/* Data twice as large as the window, with matches across it: the ring goes round. */
static void test_zstd_ring(void **state)
{
    struct collector c = {.want = bytes_new(MIB(3)), .stop = SIZE_MAX};
    struct failure f;

    bytes_pattern(c.want, 4);
    for (size_t i = 300000; i < c.want.size; i++)
        if (i % 3000 < 1500)
            c.want.data[i] = c.want.data[i - 120000];
    for (int log = 10; log < 22; log++) {
        struct bytes in = pack_zstd_window(c.want, log);
        assert_true(unpack(in, &c, &f) && c.same);
        assert_int_equal(c.have, c.want.size);
        free(in.data);
    }
    free(c.want.data);
}

/* A window of 64 MiB, a heap of 2: enough for 1 MiB of data, not for 4 with far matches. */
static void test_small_heap(void **state)
{
    struct failure f;

    for (size_t mib = 1; mib <= 4; mib += 3) {
        struct collector c = {.want = bytes_new(MIB(mib)), .stop = SIZE_MAX};
        bytes_pattern(c.want, 5);
        if (mib > 1)
            memcpy(c.want.data + MIB(3), c.want.data, MIB(1));
        struct bytes in[] = {pack_zstd_window(c.want, 26),
                             pack_xz_with(c.want, 64u << 20, LZMA_CHECK_CRC32)};
        for (size_t i = 0; i < ARRAY_SIZE(in); i++) {
            heap.end = MIB(2);
            assert_int_equal(unpack(in[i], &c, &f) && c.same, mib == 1);
            if (mib > 1)
                assert_int_equal(f.code, LOADER_ERR_NO_MEMORY);
            heap.end = MIB(80);
            assert_true(unpack(in[i], &c, &f) && c.same);
            free(in[i].data);
        }
        free(c.want.data);
    }
    heap.end = MIB(64);
}

/* A frame that declares its small size, yet consists of several blocks that refer back. */
static void test_zstd_flushed(void **state)
{
    struct collector c = {.want = bytes_new(9000), .stop = SIZE_MAX};
    struct bytes in = bytes_new(20000);
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    ZSTD_outBuffer o = {in.data, in.size, 0};
    struct failure f;

    bytes_pattern(c.want, 6);
    memcpy(c.want.data + 6000, c.want.data, 3000);
    ZSTD_CCtx_setPledgedSrcSize(ctx, c.want.size);
    for (size_t at = 0; at < c.want.size; at += 3000) {
        ZSTD_inBuffer i = {c.want.data + at, 3000, 0};
        ZSTD_compressStream2(ctx, &o, &i, at < 6000 ? ZSTD_e_flush : ZSTD_e_end);
    }
    ZSTD_freeCCtx(ctx);
    in.size = o.pos;
    assert_true(unpack(in, &c, &f) && c.same);
    assert_int_equal(c.have, c.want.size);
    free(in.data);
    free(c.want.data);
}

/* The corners of the block format that the compressor does not show. */
static void test_lz4_blocks(void **state)
{
    static const struct {
        const char *block;
        uint32_t size;
        const char *out; /* NULL: corrupt */
    } rows[] = {
        {"\x00", 1, ""}, /* one token, nothing else */
        {"\x30"
         "abc",
         4, "abc"}, /* literals only */
        {"\x21"
         "ab\x02\x00\x10"
         "c",
         7, "abababac"}, /* a match into itself, 1 + 4 long */
        {"\x1f"
         "a\x01\x00\x01\x10"
         "b",
         7, "aaaaaaaaaaaaaaaaaaaaab"}, /* 1, then 15 + 1 + 4 */
        {"", 0, NULL},
        {"\x30"
         "ab",
         3, NULL},         /* literals past the end */
        {"\xf0", 1, NULL}, /* length missing */
        {"\xf0\xff\xff", 3, NULL},
        {"\x10"
         "a\x01",
         3, NULL}, /* half an offset */
        {"\x10"
         "a\x00\x00\x00",
         5, NULL}, /* offset 0 */
        {"\x10"
         "a\x02\x00\x00",
         5, NULL}, /* offset before the start */
        {"\x10"
         "a\x01\x00",
         4, NULL}, /* ends with a match */
        {"\x1f"
         "a\x01\x00",
         4, NULL}, /* match length missing */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *out = rows[i].out ? rows[i].out : "";
        struct collector c = {.want = {(uint8_t *)out, strlen(out)}, .stop = SIZE_MAX};
        struct bytes in = bytes_new(8 + rows[i].size + 4);
        struct failure f;
        memcpy(in.data, "\x02\x21\x4c\x18", 4);
        memcpy(in.data + 4, &rows[i].size, 4);
        memcpy(in.data + 8, rows[i].block, rows[i].size);
        assert_int_equal(unpack(in, &c, &f), rows[i].out != NULL);
        assert_true(!rows[i].out || (c.same && c.have == c.want.size));
        free(in.data);
    }
}

/* xz -T makes several blocks. */
static void test_xz_blocks(void **state)
{
    struct collector c = {.want = bytes_new(MIB(1)), .stop = SIZE_MAX};
    struct bytes in = bytes_new(MIB(2));
    lzma_mt mt = {.threads = 1, .block_size = 200000, .preset = 1, .check = LZMA_CHECK_CRC64};
    lzma_stream z = LZMA_STREAM_INIT;
    struct failure f;

    bytes_pattern(c.want, 7);
    assert_int_equal(lzma_stream_encoder_mt(&z, &mt), LZMA_OK);
    z.next_in = c.want.data;
    z.avail_in = c.want.size;
    z.next_out = in.data;
    z.avail_out = in.size;
    while (lzma_code(&z, LZMA_FINISH) == LZMA_OK)
        ;
    in.size = z.total_out;
    lzma_end(&z);
    assert_true(unpack(in, &c, &f) && c.same);
    assert_int_equal(c.have, c.want.size);
    free(in.data);
    free(c.want.data);
}

UNIT_MAIN(cmocka_unit_test(test_sizes), cmocka_unit_test(test_known_size),
          cmocka_unit_test(test_stop), cmocka_unit_test(test_truncated),
          cmocka_unit_test(test_zstd_ring), cmocka_unit_test(test_small_heap),
          cmocka_unit_test(test_zstd_flushed), cmocka_unit_test(test_xz_blocks),
          cmocka_unit_test(test_lz4_blocks))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_kernel: a payload in each format, bare and inside a bzImage, ELF64 and ELF32, ends in its
 * place; truncated, corrupted, endless and random payloads never put anything else there. The
 * installed Debian kernel, or the one that KR_VMLINUZ names, is loaded when there is one.
 *
 * LIBS: -llzma -lzstd -lz -llz4
 */
#include "unit.h"

#include <glob.h>

#include "loader/heap.h"
#include "loader/load.h"
#include "loader_kernel.h"

struct heap heap;

static struct loaded l;
static struct failure f;

static bool load(struct bytes payload, uint8_t *ram)
{
    struct loader_info info = info_new(payload.data, payload.size);

    f = (struct failure){0};
    return load_kernel(&info, (uintptr_t)ram, &l, &f);
}

static struct bytes image_new(struct bytes kernel, const struct pack *p, bool bzimage)
{
    struct bytes packed = p->pack(kernel), image;

    if (!bzimage)
        return packed;
    image = bzimage_new(packed, (uint32_t)kernel.size);
    free(packed.data);
    return image;
}

static void test_formats(void **state)
{
    for (int wide = 0; wide < 2; wide++) {
        struct bytes k = kernel_new(wide);
        for (size_t i = 0; i < 2 * PACKS; i++) {
            struct bytes image = image_new(k, &packs[i / 2], i % 2);
            uint8_t *ram = ram_new();
            assert_true(load(image, ram));
            assert_true(ram_is_loaded(ram, k));
            assert_int_equal(l.format->id, packs[i / 2].id);
            assert_string_equal(l.format->name, packs[i / 2].name);
            assert_int_equal(l.unpacked, KERNEL_SIZE);
            assert_int_equal(l.entry, KERNEL_ENTRY);
            assert_int_equal(l.low, 0x108000);
            assert_int_equal(l.high, 0x245678);
            free(image.data);
        }
        free(k.data);
    }
}

/* Success on a damaged image is allowed only when the right bytes have been loaded. */
static void check_damaged(struct bytes damaged, struct bytes kernel)
{
    uint8_t *ram = ram_new();

    if (load(damaged, ram))
        assert_true(ram_is_loaded(ram, kernel));
    else
        assert_in_range(f.code, LOADER_ERR_EMPTY, LOADER_ERR_BAD_ENTRY);
}

static void test_truncated(void **state)
{
    struct bytes k = kernel_new(true);

    for (size_t i = 0; i < 2 * PACKS; i++) {
        struct bytes image = image_new(k, &packs[i / 2], i % 2);
        for (size_t n = 0; n < image.size; n = n * 3 / 2 + 1) {
            struct bytes cut = bytes_copy(image.data, n);
            check_damaged(cut, k);
            if (i % 2 && n > 0x250 && n < image.size - 100)
                assert_int_equal(f.code, LOADER_ERR_TRUNCATED);
            free(cut.data);
        }
        free(image.data);
    }
    free(k.data);
}

static void test_corrupted(void **state)
{
    struct bytes k = kernel_new(true);

    for (size_t i = 0; i < 2 * PACKS; i++) {
        struct bytes image = image_new(k, &packs[i / 2], i % 2);
        for (size_t at = 0; packs[i / 2].checked && at < image.size; at += at < 64 ? 1 : 4999) {
            image.data[at] ^= 0x10;
            check_damaged(image, k);
            image.data[at] ^= 0x10;
        }
        free(image.data);
    }
    free(k.data);
}

static void test_not_a_kernel(void **state)
{
    struct bytes noise = bytes_new(5000), image = bzimage_new(noise, 0);
    uint8_t *ram = ram_new();
    uint32_t value;

    assert_false(load((struct bytes){noise.data, 0}, ram));
    assert_int_equal(f.code, LOADER_ERR_EMPTY);
    assert_false(load(noise, ram));
    assert_int_equal(f.code, LOADER_ERR_NOT_KERNEL);
    for (uint32_t seed = 0; seed < 50; seed++) {
        bytes_pattern(noise, seed);
        assert_false(load(noise, ram));
        memcpy(noise.data, "\xfd\x37\x7a\x58\x5a", 6);
        assert_false(load(noise, ram));
        assert_int_equal(f.code, LOADER_ERR_CORRUPT);
    }
    assert_false(load(image, ram));
    assert_int_equal(f.code, LOADER_ERR_UNKNOWN_FORMAT);

    image.data[0x206] = 7; /* before there was a payload field */
    assert_false(load(image, ram));
    assert_int_equal(f.code, LOADER_ERR_BAD_BZIMAGE);
    image.data[0x206] = 15;
    value = 0;
    memcpy(image.data + 0x24c, &value, 4);
    assert_false(load(image, ram));
    assert_int_equal(f.code, LOADER_ERR_BAD_BZIMAGE);
    value = UINT32_MAX;
    memcpy(image.data + 0x24c, &value, 4);
    memcpy(image.data + 0x248, &value, 4);
    assert_false(load(image, ram));
    assert_int_equal(f.code, LOADER_ERR_TRUNCATED);
    assert_int_equal(f.b, image.size);
    free(image.data);
    free(noise.data);
}

/* A kernel with 80 MiB of zeros behind it. */
static void test_endless(void **state)
{
    struct bytes k = kernel_new(true), big = bytes_new(KERNEL_SIZE + MIB(80));
    uint8_t *ram = ram_new();

    memcpy(big.data, k.data, k.size);
    struct bytes (*const pack[])(struct bytes) = {pack_gzip, pack_zstd};
    for (size_t i = 0; i < ARRAY_SIZE(pack); i++) {
        struct bytes image = pack[i](big);
        assert_false(load(image, ram));
        assert_int_equal(f.code, LOADER_ERR_TOO_LARGE);
        free(image.data);
    }
    /* Behind an ELF that is not compressed, nothing is read. */
    assert_true(load(big, ram));
    free(big.data);
    free(k.data);
}

static void test_debian(void **state)
{
    const char *name = getenv("KR_VMLINUZ");
    struct loader_info info = {
        .heap = MIB(1), .heap_size = MIB(150), .nr_ram = 1, .ram = {{0x100000, MIB(128)}}};
    glob_t g = {0};

    if (!name && !glob("/boot/vmlinuz-*", 0, NULL, &g))
        name = g.gl_pathv[0];
    FILE *file = name ? fopen(name, "rb") : NULL;
    globfree(&g);
    if (!file)
        skip();
    struct bytes image = bytes_new(MIB(64));
    image.size = fread(image.data, 1, image.size, file);
    fclose(file);
    uint8_t *ram = malloc(MIB(128));
    info.payload = (uintptr_t)image.data;
    info.payload_size = image.size;
    assert_true(load_kernel(&info, (uintptr_t)ram, &l, &f));
    assert_in_range(l.entry, l.low, l.high);
    assert_int_equal(l.low, MIB(16));
    free(ram);
    free(image.data);
}

UNIT_MAIN(cmocka_unit_test(test_formats), cmocka_unit_test(test_truncated),
          cmocka_unit_test(test_corrupted), cmocka_unit_test(test_not_a_kernel),
          cmocka_unit_test(test_endless), cmocka_unit_test(test_debian))

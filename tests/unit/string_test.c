/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/string.c does what the C library does, for all small lengths, alignments and overlaps, and
 * writes nothing outside. The file is included under other names; the C library is the reference.
 */
#include "unit/unit.h"

#include "lib/types.h"

#define memcpy  kr_memcpy
#define memmove kr_memmove
#define memset  kr_memset
#define memcmp  kr_memcmp
#define strlen  kr_strlen
#define strnlen kr_strnlen
#define strcmp  kr_strcmp
#define strncmp kr_strncmp
#define strchr  kr_strchr
#define KR_LIB_STRING_H
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
#include "../../src/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#define SIZE 64

static void fill(unsigned char *buf)
{
    for (int i = 0; i < SIZE; i++)
        buf[i] = (unsigned char)(i * 7 + 1);
}

static void moves(void **state)
{
    unsigned char want[SIZE], got[SIZE];
    for (size_t n = 0; n <= 24; n++)
        for (size_t from = 0; from < 20; from++)
            for (size_t to = 0; to < 20; to++) {
                fill(want);
                fill(got);
                memmove(want + to, want + from, n);
                assert_ptr_equal(kr_memmove(got + to, got + from, n), got + to);
                assert_memory_equal(want, got, SIZE);
            }
}

static void copies_and_sets(void **state)
{
    unsigned char want[SIZE], got[SIZE], src[SIZE];
    fill(src);
    for (size_t n = 0; n <= 40; n++)
        for (size_t to = 0; to < 9; to++) {
            memset(want, 0xee, SIZE);
            memset(got, 0xee, SIZE);
            memcpy(want + to, src + 3, n);
            assert_ptr_equal(kr_memcpy(got + to, src + 3, n), got + to);
            assert_memory_equal(want, got, SIZE);
            memset(want + to, 0x1a5, n);
            assert_ptr_equal(kr_memset(got + to, 0x1a5, n), got + to);
            assert_memory_equal(want, got, SIZE);
        }
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void compares(void **state)
{
    static const char *const words[] = {"", "a", "ab", "abc", "abd", "b", "\xff", "a\xff"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const char *a = words[i];
        assert_int_equal(kr_strlen(a), strlen(a));
        assert_int_equal(kr_strnlen(a, 2), strnlen(a, 2));
        for (int c = 0; c < 256; c++)
            assert_ptr_equal(kr_strchr(a, c), strchr(a, c));
        for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
            const char *b = words[j];
            assert_int_equal(sign(kr_strcmp(a, b)), sign(strcmp(a, b)));
            for (size_t n = 0; n < 5; n++)
                assert_int_equal(sign(kr_strncmp(a, b, n)), sign(strncmp(a, b, n)));
            size_t n = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
            assert_int_equal(sign(kr_memcmp(a, b, n)), sign(strncmp(a, b, n)));
        }
    }
}

UNIT_MAIN(cmocka_unit_test(moves), cmocka_unit_test(copies_and_sets), cmocka_unit_test(compares))

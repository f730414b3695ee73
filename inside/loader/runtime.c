/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library of the loader: exactly what its own code and the decoder objects of liblzma,
 * libzstd and zlib refer to; the link fails when something is missing.
 * malloc only ever moves a mark downwards; free moves it back when the last block is given back.
 */
#include <stdlib.h>
#include <string.h>

#include "heap.h"

struct heap heap;

/* Before each block. */
struct heap_block {
    uint64_t size; /* with this header, a multiple of HEAP_UNIT */
    uint64_t unused;
};
_Static_assert(sizeof(struct heap_block) == HEAP_UNIT, "alignment of what malloc returns");

noreturn_fn void __stack_chk_fail(void);
noreturn_fn void loader_unused(void);
uint64_t loader_untraced(void);

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    void *d = dst;
    size_t words = n / 8;

    __asm__ volatile("rep movsq\n\tmov %3, %0\n\trep movsb"
                     : "+&c"(words), "+&D"(d), "+&S"(src)
                     : "r"(n % 8)
                     : "memory");
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    uint8_t *d = dst;
    const uint8_t *s = src;

    if ((uintptr_t)dst - (uintptr_t)src >= n)
        return memcpy(dst, src, n);
    while (n--) {
        d[n] = s[n];
        __asm__ volatile("" ::: "memory"); /* or the compiler makes this a call of memmove */
    }
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    void *d = dst;
    size_t words = n / 8;

    __asm__ volatile("rep stosq\n\tmov %2, %0\n\trep stosb"
                     : "+&c"(words), "+&D"(d)
                     : "r"(n % 8), "a"((uint8_t)c * 0x0101010101010101u)
                     : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

void *malloc(size_t size)
{
    uint64_t room = heap_room();

    if (size > room) {
        heap.lacking += size - room;
        return NULL;
    }
    uint64_t whole = ALIGN_UP(size, HEAP_UNIT) + HEAP_UNIT;
    heap.next -= whole;
    heap.low = min(heap.low, heap.next);
    struct heap_block *b = (struct heap_block *)heap.next;
    b->size = whole;
    return b + 1;
}

void *calloc(size_t n, size_t size)
{
    size_t total;
    void *p = __builtin_mul_overflow(n, size, &total) ? NULL : malloc(total);

    return p ? memset(p, 0, total) : NULL;
}

void free(void *p)
{
    if (!p)
        return;
    struct heap_block *b = (struct heap_block *)p - 1;
    if ((uintptr_t)b == heap.next)
        heap.next += b->size;
}

/* Krypton sees the exception that has no handler, and stops the guest. */
void __stack_chk_fail(void)
{
    __builtin_trap();
}

/* Stands for functions that the libraries mention and the loader never reaches (loader.mk). */
void loader_unused(void)
{
    __builtin_trap();
}

/* ZSTD_trace_decompress_begin: "no trace wanted". A weak reference would do if 0 were in reach. */
uint64_t loader_untraced(void)
{
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few C library string functions that Krypton uses, with their standard meaning. On the host
 * build the C library provides them. For mapped guest memory use port/mem.h instead.
 */
#ifndef KR_LIB_STRING_H
#define KR_LIB_STRING_H

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* So that short, constant lengths become plain moves also where the compiler has no C library. */
#define memcpy(dst, src, n) __builtin_memcpy(dst, src, n)
#define memset(dst, c, n)   __builtin_memset(dst, c, n)
#define memcmp(a, b, n)     __builtin_memcmp(a, b, n)

/* Copies at most size-1 bytes and always terminates. Returns true when all of src fitted. */
bool str_copy(char *dst, const char *src, size_t size);

#endif

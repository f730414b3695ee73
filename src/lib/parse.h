/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing of option text: words, numbers, sizes, booleans, CPU lists. Every function is bounded by
 * its input's terminator, allocates nothing, and gives a negative Xen errno: -XEN_EINVAL for text
 * that is not of the kind asked for, -XEN_ERANGE for a value that does not fit.
 */
#ifndef KR_LIB_PARSE_H
#define KR_LIB_PARSE_H

#include "lib/types.h"

/* A decimal or 0x number at *p, which is moved behind it. */
int parse_number(const char **p, uint64_t *value) must_check;

/* The whole of s is a number (a size: with an optional suffix B, K, M, G or T, in bytes). */
int parse_u64(const char *s, uint64_t *value) must_check;
int parse_u32(const char *s, uint32_t *value) must_check;
int parse_size(const char *s, uint64_t *bytes) must_check;

/* 1 for yes, on, true, enable, 1; 0 for no, off, false, disable, 0. */
int parse_bool(const char *s) must_check;

/* A list like "0-3,6" as set bits of a bitmap of `size` bits, which is cleared first. */
int parse_bitmap(const char *s, uint64_t *map, unsigned int size) must_check;

/*
 * Copies the next word (`separator`s and white space between words) at *p into buf and moves *p
 * behind it. Returns its length, 0 at the end of the text, -XEN_ERANGE when it was cut to fit.
 */
int parse_word(const char **p, char separator, char *buf, size_t size) must_check;

/* What follows `key` and '=' in a word "key=value"; NULL when it is another key. */
const char *parse_value_of(const char *word, const char *key);

#endif

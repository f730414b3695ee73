/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option text to values; see lib/parse.h.
 */
#include "lib/parse.h"

#include "abi/xen.h"
#include "lib/bits.h"
#include "lib/string.h"

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

int parse_number(const char **p, uint64_t *value)
{
    const char *s = *p;
    unsigned int base = 10;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    if ((unsigned int)digit_of(*s) >= base)
        return -XEN_EINVAL;
    uint64_t v = 0;
    for (unsigned int d; (d = (unsigned int)digit_of(*s)) < base; s++)
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
            return -XEN_ERANGE;
    *p = s;
    *value = v;
    return 0;
}

int parse_u64(const char *s, uint64_t *value)
{
    uint64_t v;
    int rc = parse_number(&s, &v);
    if (rc)
        return rc;
    if (*s)
        return -XEN_EINVAL;
    *value = v;
    return 0;
}

int parse_u32(const char *s, uint32_t *value)
{
    uint64_t v;
    int rc = parse_u64(s, &v);
    if (rc)
        return rc;
    if (v > UINT32_MAX)
        return -XEN_ERANGE;
    *value = (uint32_t)v;
    return 0;
}

int parse_size(const char *s, uint64_t *bytes)
{
    static const char suffixes[] = "bkmgt";
    uint64_t v;
    int rc = parse_number(&s, &v);
    if (rc)
        return rc;
    if (*s) {
        const char *suffix = strchr(suffixes, *s | 0x20);
        if (!suffix || s[1])
            return -XEN_EINVAL;
        if (__builtin_mul_overflow(v, BIT(10 * (suffix - suffixes)), &v))
            return -XEN_ERANGE;
    }
    *bytes = v;
    return 0;
}

int parse_bool(const char *s)
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"off", "on"}, {"false", "true"}, {"disable", "enable"}, {"0", "1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        for (int v = 0; v < 2; v++)
            if (!strcmp(s, words[i][v]))
                return v;
    return -XEN_EINVAL;
}

int parse_bitmap(const char *s, uint64_t *map, unsigned int size)
{
    memset(map, 0, BITMAP_WORDS(size) * sizeof(*map));
    for (;;) {
        uint64_t first, last;
        int rc = parse_number(&s, &first);
        if (rc)
            return rc;
        last = first;
        if (*s == '-') {
            s++;
            rc = parse_number(&s, &last);
            if (rc)
                return rc;
        }
        if (first > last)
            return -XEN_EINVAL;
        if (last >= size)
            return -XEN_ERANGE;
        for (uint64_t bit = first; bit <= last; bit++)
            bitmap_set(map, (unsigned int)bit);
        if (!*s)
            return 0;
        if (*s++ != ',')
            return -XEN_EINVAL;
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int parse_word(const char **p, char separator, char *buf, size_t size)
{
    const char *s = *p;
    while (is_space(*s) || (*s && *s == separator))
        s++;
    size_t n = 0;
    while (s[n] && !is_space(s[n]) && s[n] != separator)
        n++;
    *p = s + n;
    size_t fits = min(n, size - 1);
    memcpy(buf, s, fits);
    buf[fits] = '\0';
    return fits < n ? -XEN_ERANGE : (int)n;
}

const char *parse_value_of(const char *word, const char *key)
{
    size_t n = strlen(key);
    return !strncmp(word, key, n) && word[n] == '=' ? word + n + 1 : NULL;
}

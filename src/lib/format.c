/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text formatting for messages. An unknown conversion is copied as it stands, so that a mistake in
 * a message shows and harms nothing.
 */
#include "lib/format.h"

#include "lib/string.h"

struct out {
    char *buf;
    size_t size, len; /* len counts what the whole text needs, also past size */
};

struct spec {
    bool left, zero, plus, space, alt;
    bool has_precision;
    size_t width, precision;
    size_t bytes; /* size of an integer argument */
};

struct args {
    va_list list; /* wrapped, so that functions can take it by pointer */
};

static void put(struct out *o, char c)
{
    if (o->len < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void put_padding(struct out *o, char c, size_t width, size_t used)
{
    for (; used < width; used++)
        put(o, c);
}

/* `body` in a field of the given width. */
static void put_text(struct out *o, const struct spec *s, const char *body, size_t len)
{
    if (!s->left)
        put_padding(o, ' ', s->width, len);
    for (size_t i = 0; i < len; i++)
        put(o, body[i]);
    if (s->left)
        put_padding(o, ' ', s->width, len);
}

/* `prefix` is the sign or 0x; zeros stand between it and the digits. */
static void put_number(struct out *o, const struct spec *s, const char *prefix, uint64_t v,
                       unsigned int base, bool upper)
{
    char digits[24];
    size_t n = 0;
    for (; v; v /= base)
        digits[n++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[v % base];
    size_t least = s->has_precision ? s->precision : 1;
    size_t used = strlen(prefix) + max(n, least);
    size_t zeros = least > n ? least - n : 0;
    if (s->zero && !s->left && !s->has_precision && used < s->width) {
        zeros += s->width - used;
        used = s->width;
    }
    if (!s->left)
        put_padding(o, ' ', s->width, used);
    while (*prefix)
        put(o, *prefix++);
    put_padding(o, '0', zeros, 0);
    while (n)
        put(o, digits[--n]);
    if (s->left)
        put_padding(o, ' ', s->width, used);
}

static void put_signed(struct out *o, const struct spec *s, int64_t v)
{
    const char *prefix = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";
    put_number(o, s, prefix, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, false);
}

static const char *parse_flags(const char *f, struct spec *s)
{
    for (;; f++) {
        if (*f == '-')
            s->left = true;
        else if (*f == '0')
            s->zero = true;
        else if (*f == '+')
            s->plus = true;
        else if (*f == ' ')
            s->space = true;
        else if (*f == '#')
            s->alt = true;
        else
            return f;
    }
}

/* A number or `*`; negative only from `*`. */
static const char *parse_number(const char *f, struct args *a, int *n)
{
    *n = 0;
    if (*f == '*') {
        *n = va_arg(a->list, int);
        return f + 1;
    }
    for (; *f >= '0' && *f <= '9'; f++)
        *n = *n < 10000 ? *n * 10 + (*f - '0') : *n;
    return f;
}

/* Everything between the percent sign and the conversion character. */
static const char *parse_spec(const char *f, struct args *a, struct spec *s)
{
    int n;
    f = parse_flags(f, s);
    f = parse_number(f, a, &n);
    s->left |= n < 0;
    s->width = (size_t)(n < 0 ? -(int64_t)n : n);
    if (*f == '.') {
        f = parse_number(f + 1, a, &n);
        s->has_precision = n >= 0;
        s->precision = n >= 0 ? (size_t)n : 0;
    }
    s->bytes = sizeof(int);
    if (*f == 'h') {
        s->bytes = f[1] == 'h' ? 1 : 2;
        f += f[1] == 'h' ? 2 : 1;
    } else if (*f == 'l' || *f == 'z') {
        s->bytes = 8;
        f += f[0] == 'l' && f[1] == 'l' ? 2 : 1;
    }
    return f;
}

BUILD_BUG_ON(sizeof(long) != 8 || sizeof(size_t) != 8);

/* The next argument, cut to its length modifier; shorter ones come promoted to int. */
static uint64_t next_unsigned(struct args *a, const struct spec *s)
{
    uint64_t v = s->bytes == 8 ? va_arg(a->list, uint64_t) : va_arg(a->list, unsigned int);
    unsigned int unused = (unsigned int)(8 * (sizeof(v) - s->bytes));
    return v << unused >> unused;
}

static int64_t next_signed(struct args *a, const struct spec *s)
{
    unsigned int unused = (unsigned int)(8 * (sizeof(int64_t) - s->bytes));
    return (int64_t)(next_unsigned(a, s) << unused) >> unused;
}

/* Returns false, having taken no argument, when there is no such conversion. */
static bool put_conversion(struct out *o, char conversion, const struct spec *s, struct args *a)
{
    const char *text;
    uint64_t v;
    char c;

    switch (conversion) {
    case 'd':
    case 'i':
        put_signed(o, s, next_signed(a, s));
        return true;
    case 'u':
        put_number(o, s, "", next_unsigned(a, s), 10, false);
        return true;
    case 'x':
        v = next_unsigned(a, s);
        put_number(o, s, s->alt && v ? "0x" : "", v, 16, false);
        return true;
    case 'X':
        v = next_unsigned(a, s);
        put_number(o, s, s->alt && v ? "0X" : "", v, 16, true);
        return true;
    case 'p':
        put_number(o, s, "0x", (uintptr_t)va_arg(a->list, void *), 16, false);
        return true;
    case 'c':
        c = (char)va_arg(a->list, int);
        put_text(o, s, &c, 1);
        return true;
    case 's':
        text = va_arg(a->list, const char *);
        if (!text)
            text = "(null)";
        put_text(o, s, text, strnlen(text, s->has_precision ? s->precision : SIZE_MAX));
        return true;
    case '%':
        put(o, '%');
        return true;
    default:
        return false;
    }
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct out o = {.buf = buf, .size = size};
    struct args args;
    va_copy(args.list, ap);
    while (*fmt) {
        if (*fmt != '%') {
            put(&o, *fmt++);
            continue;
        }
        struct spec spec = {0};
        const char *end = parse_spec(fmt + 1, &args, &spec);
        if (put_conversion(&o, *end, &spec, &args))
            fmt = end + 1;
        else
            while (fmt < end)
                put(&o, *fmt++);
    }
    va_end(args.list);
    if (size)
        buf[min(o.len, size - 1)] = '\0';
    return o.len;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t len = vformat(buf, size, fmt, ap);
    va_end(ap);
    return len;
}

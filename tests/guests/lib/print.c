/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text output of a guest: a small formatter (%d %u %x %s %c %p, l and ll, 0 and width, -), and the
 * three ways to the outside. A ring that nobody empties is given up after a while, so that a
 * verdict gets out by another way.
 */
#include "guest.h"

#include <stdarg.h>

#define RING_PATIENCE 20000 /* yields */

static struct {
    enum console forced;
    bool ring_known, ring_dead;
    struct xencons_interface *ring;
    uint32_t port;
} con;
static int print_lock;

struct out {
    char *buf;
    int size, len;
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len++] = c;
}

/* No 64-bit division: a 32-bit guest has no library for it. */
static unsigned int divide(uint64_t *v, unsigned int base)
{
    unsigned int rest = 0;
    for (int i = 1; i >= 0; i--) {
        uint32_t half = (uint32_t)(*v >> (32 * i)), quotient;
        __asm__("divl %4" : "=a"(quotient), "=d"(rest) : "0"(half), "1"(rest), "r"(base));
        *v = (*v & ~(0xffffffffULL << (32 * i))) | (uint64_t)quotient << (32 * i);
    }
    return rest;
}

static void put_number(struct out *o, uint64_t v, bool negative, unsigned int base, int width,
                       char pad, bool left)
{
    char text[24];
    int n = 0;
    do {
        text[n++] = "0123456789abcdef"[divide(&v, base)];
    } while (v);
    if (negative && pad == ' ')
        text[n++] = '-';
    else if (negative)
        put(o, '-');
    for (int i = n; !left && i < width; i++)
        put(o, pad);
    for (int i = n; i > 0; i--)
        put(o, text[i - 1]);
    for (int i = n; left && i < width; i++)
        put(o, ' ');
}

static void put_string(struct out *o, const char *s, int width, bool left)
{
    int n = (int)strlen(s);
    for (int i = n; !left && i < width; i++)
        put(o, ' ');
    for (int i = 0; i < n; i++)
        put(o, s[i]);
    for (int i = n; left && i < width; i++)
        put(o, ' ');
}

static int format_args(char *buf, int size, const char *fmt, va_list ap)
{
    struct out o = {buf, size, 0};
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        fmt++;
        bool left = *fmt == '-';
        fmt += left;
        char pad = *fmt == '0' ? '0' : ' ';
        int width = 0, longs = 0;
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (*fmt - '0');
        for (; *fmt == 'l' || *fmt == 'z'; fmt++)
            longs += *fmt == 'z' ? 1 : 1;
        uint64_t v;
        switch (*fmt) {
        case 'd':
            v = longs > 1 ? va_arg(ap, uint64_t)
                          : (uint64_t)(longs ? va_arg(ap, long) : va_arg(ap, int));
            put_number(&o, (int64_t)v < 0 ? -v : v, (int64_t)v < 0, 10, width, pad, left);
            break;
        case 'u':
        case 'x':
            v = longs > 1 ? va_arg(ap, uint64_t)
                : longs   ? va_arg(ap, unsigned long)
                          : va_arg(ap, unsigned int);
            put_number(&o, v, false, *fmt == 'u' ? 10 : 16, width, pad, left);
            break;
        case 'p':
            put_number(&o, (unsigned long)va_arg(ap, void *), false, 16, width, pad, left);
            break;
        case 's':
            put_string(&o, va_arg(ap, const char *), width, left);
            break;
        case 'c':
            put(&o, (char)va_arg(ap, int));
            break;
        default:
            put(&o, *fmt);
        }
    }
    if (size > 0)
        buf[o.len] = 0;
    return o.len;
}

int text_format(char *buf, int size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = format_args(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

static void ring_find(void)
{
    uint64_t pfn, port;
    con.ring_known = true;
    if (hvm_param_get(HVM_PARAM_CONSOLE_PFN, &pfn) || !pfn ||
        hvm_param_get(HVM_PARAM_CONSOLE_EVTCHN, &port) || !port || pfn >= 0x100000)
        return;
    con.ring = (struct xencons_interface *)(unsigned long)(pfn << 12);
    con.port = (uint32_t)port;
}

static void ring_kick(void)
{
    struct evtchn_send send = {.port = con.port};
    evtchn_op(EVTCHNOP_send, &send);
}

/* Waits until at most `left` bytes are unread. */
static bool ring_wait(uint32_t left)
{
    for (unsigned int i = 0; i < RING_PATIENCE; i++) {
        if (READ_ONCE(con.ring->out_prod) - READ_ONCE(con.ring->out_cons) <= left)
            return true;
        if (i % 256 == 0)
            ring_kick();
        sched_op(SCHEDOP_yield, 0);
    }
    return false;
}

static bool ring_write(const char *s, size_t n)
{
    if (!con.ring_known)
        ring_find();
    if (!con.ring || con.ring_dead)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint32_t prod = con.ring->out_prod;
        if (prod - READ_ONCE(con.ring->out_cons) >= sizeof(con.ring->out) &&
            !ring_wait(sizeof(con.ring->out) - 1)) {
            con.ring_dead = true;
            return false;
        }
        con.ring->out[prod % sizeof(con.ring->out)] = s[i];
        barrier();
        WRITE_ONCE(con.ring->out_prod, prod + 1);
    }
    ring_kick();
    return true;
}

static void e9_write(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        outb(0xe9, (uint8_t)s[i]);
}

void console_use(enum console way)
{
    con.forced = way;
}

void console_write(const char *s, size_t n)
{
    if ((con.forced == CONSOLE_AUTO || con.forced == CONSOLE_RING) && ring_write(s, n))
        return;
    if (con.forced != CONSOLE_E9 && console_io(CONSOLEIO_write, n, s) >= 0)
        return;
    e9_write(s, n);
}

static void print_args(const char *prefix, const char *fmt, va_list ap)
{
    char line[256];
    int n = text_format(line, 64, "%s", prefix);
    n += format_args(line + n, 240 - n, fmt, ap);
    line[n++] = '\n';
    while (__atomic_exchange_n(&print_lock, 1, __ATOMIC_ACQUIRE))
        cpu_relax();
    console_write(line, (size_t)n);
    __atomic_store_n(&print_lock, 0, __ATOMIC_RELEASE);
}

void print(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_args("", fmt, ap);
    va_end(ap);
}

/* ------------------------------------------------------------------ the verdict */

unsigned int fail_count, check_count;
static char first_failure[160];

void fail(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    if (!fail_count++)
        format_args(first_failure, sizeof(first_failure), fmt, again);
    if (fail_count <= 40)
        print_args("  ", fmt, ap);
    va_end(again);
    va_end(ap);
}

static noreturn_fn void verdict(const char *kind, const char *reason)
{
    print("TEST %s: %s%s%s", guest_name, kind, *reason ? " " : "", reason);
    /* The backend of another domain may not have looked yet. */
    if (con.ring && !con.ring_dead && con.forced <= CONSOLE_RING && !ring_wait(0)) {
        con.ring_dead = true;
        print("TEST %s: %s%s%s", guest_name, kind, *reason ? " " : "", reason);
    }
    shutdown(SHUTDOWN_poweroff);
}

#define VERDICT_FUNCTION(name, kind)                  \
    noreturn_fn void name(const char *fmt, ...)       \
    {                                                 \
        char reason[160];                             \
        va_list ap;                                   \
        va_start(ap, fmt);                            \
        format_args(reason, sizeof(reason), fmt, ap); \
        va_end(ap);                                   \
        verdict(kind, reason);                        \
    }
VERDICT_FUNCTION(test_skip, "SKIP")
VERDICT_FUNCTION(test_error, "ERROR")

noreturn_fn void test_end(void)
{
    if (fail_count) {
        print("%u of %u checks failed", fail_count, check_count);
        verdict("FAILURE", first_failure);
    }
    verdict("SUCCESS", "");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/console/line.h: a line holds nothing but printable ASCII, whatever the guest writes and
 * however its bytes are cut into writes; what it wrote can be read off the lines, and "\r\n" and
 * "\n" alone end them. Forged prefixes and escape sequences do not survive.
 */
#include "unit/unit.h"

#include "guest/console/line.h"

static struct console_line line;
static char lines[64 * 1024];
static size_t used, count;

static void emit(struct console_line *l, void *ctx)
{
    assert_ptr_equal(ctx, &used);
    assert_true(l->used <= CONSOLE_LINE_MAX);
    for (unsigned int i = 0; i < l->used; i++)
        assert_in_range(l->text[i], ' ', '~');
    memcpy(lines + used, l->text, l->used);
    used += l->used;
    lines[used++] = '\n';
    lines[used] = '\0';
    count++;
}

static int setup(void **state)
{
    memset(&line, 0, sizeof(line));
    used = count = 0;
    lines[0] = '\0';
    return 0;
}

static void feed(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        console_line_feed(&line, (uint8_t)bytes[i], emit, &used);
}
#define FEED(text) feed(text, sizeof(text) - 1)

static void plain(void **state)
{
    FEED("hello\n\nworld ~\n");
    assert_string_equal(lines, "hello\n\nworld ~\n");
    FEED("rest");
    assert_int_equal(count, 3);
    assert_int_equal(line.used, 4);
    assert_false(line.escaped);
}

static void line_ends(void **state)
{
    FEED("a\r\nb\r");
    FEED("\nc\r\r\nd\n\re\n");
    assert_string_equal(lines, "a\nb\nc\\x0d\nd\n\\x0de\n");
}

static void forged(void **state)
{
    FEED("one\r(KR) two\n(db) three\n\x1b[1A\x1b[2K(KR) four\n\x1b]0;title\x07\n");
    assert_string_equal(lines, "one\\x0d(KR) two\n(db) three\n\\x1b[1A\\x1b[2K(KR) four\n"
                               "\\x1b]0;title\\x07\n");
}

static void every_byte(void **state)
{
    for (unsigned int b = 0; b < 256; b++) {
        char want[8], byte = (char)b;

        setup(NULL);
        feed(&byte, 1);
        FEED("\n");
        if (b == '\n')
            strcpy(want, "\n\n");
        else if (b == '\r')
            strcpy(want, "\n");
        else if (b >= ' ' && b <= '~')
            snprintf(want, sizeof(want), "%c\n", b);
        else
            snprintf(want, sizeof(want), "\\x%02x\n", b);
        assert_string_equal(lines, want);
    }
    setup(NULL);
    FEED("\xe2\x82\xac\xc0\xaf\x9b\n"); /* UTF-8, overlong, C1 */
    assert_string_equal(lines, "\\xe2\\x82\\xac\\xc0\\xaf\\x9b\n");
}

static void long_lines(void **state)
{
    for (unsigned int i = 0; i < CONSOLE_LINE_MAX; i++)
        FEED("x");
    assert_int_equal(count, 0);
    FEED("\n");
    assert_int_equal(count, 1); /* just fits: no empty line follows */
    for (unsigned int i = 0; i < 2 * CONSOLE_LINE_MAX + 1; i++)
        FEED("y");
    assert_int_equal(count, 3);
    assert_int_equal(line.used, 1);
    setup(NULL);
    for (unsigned int i = 0; i < CONSOLE_LINE_MAX - 3; i++)
        FEED("z");
    FEED("\x01"); /* is not cut in two */
    assert_int_equal(count, 1);
    assert_int_equal(line.used, 4);
}

/* Undoes the escapes of all lines of an input without '\n' and backslashes. */
static size_t decode(char *out)
{
    size_t n = 0;

    for (const char *p = lines; *p; p++)
        if (*p == '\\') {
            unsigned int b;

            assert_int_equal(sscanf(p, "\\x%2x", &b), 1);
            out[n++] = (char)b;
            p += 3;
        } else if (*p != '\n') {
            out[n++] = *p;
        }
    return n;
}

static void nothing_lost(void **state)
{
    char in[2000], out[sizeof(in)];

    srand(3);
    for (unsigned int round = 0; round < 50; round++) {
        setup(NULL);
        for (size_t i = 0; i < sizeof(in); i++)
            do
                in[i] = (char)(rand() >> 7);
            while (in[i] == '\n' || in[i] == '\\' || (i == sizeof(in) - 1 && in[i] == '\r'));
        feed(in, sizeof(in));
        FEED("\n");
        assert_int_equal(decode(out), sizeof(in));
        assert_memory_equal(in, out, sizeof(in));
    }
}

#define T(fn) cmocka_unit_test_setup(fn, setup)
UNIT_MAIN(T(plain), T(line_ends), T(forged), T(every_byte), T(long_lines), T(nothing_lost))

/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's line, escaped: see line.h. */
#include "guest/console/line.h"

static void line_end(struct console_line *l, void (*emit)(struct console_line *l, void *ctx),
                     void *ctx)
{
    emit(l, ctx);
    l->used = 0;
    l->escaped = false;
}

/* Appends one byte's visible form; true when there was no room for it. */
static bool line_put(struct console_line *l, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    bool plain = byte >= ' ' && byte <= '~';

    if (CONSOLE_LINE_MAX - l->used < (plain ? 1u : 4u))
        return true;
    if (plain) {
        l->text[l->used++] = (char)byte;
        return false;
    }
    l->text[l->used++] = '\\';
    l->text[l->used++] = 'x';
    l->text[l->used++] = hex[byte >> 4];
    l->text[l->used++] = hex[byte & 15];
    l->escaped = true;
    return false;
}

static void line_add(struct console_line *l, uint8_t byte,
                     void (*emit)(struct console_line *l, void *ctx), void *ctx)
{
    if (line_put(l, byte)) {
        line_end(l, emit, ctx);
        (void)line_put(l, byte);
    }
}

void console_line_feed(struct console_line *l, uint8_t byte,
                       void (*emit)(struct console_line *l, void *ctx), void *ctx)
{
    bool cr = l->cr;

    l->cr = byte == '\r';
    if (byte == '\n') {
        line_end(l, emit, ctx);
        return;
    }
    if (cr)
        line_add(l, '\r', emit, ctx);
    if (byte != '\r')
        line_add(l, byte, emit, ctx);
}

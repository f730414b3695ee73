/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output of the terminal: whole lines of many sources on one screen, and the raw bytes of one. An
 * unfinished line may stand at the cursor; another source's line then begins on a new one, and
 * the unfinished one is shown again, whole, when it goes on.
 */
#include "guest/console/terminal_state.h"

#include "lib/format.h"
#include "lib/string.h"
#include "core/clock.h"
#include "core/printk.h"
#include "guest/console/log.h"

#define RESERVE   4096u /* of the device's room: for Krypton's own lines */
#define HEAD_MAX  (DOMAIN_NAME_MAX + 4)
#define PIECE_MAX (1 + HEAD_MAX + CONSOLE_LINE_MAX + 1)

struct terminal terminal = {
    .lock = SPINLOCK_INIT(RANK_TERMINAL),
    .sources = LIST_INIT(terminal.sources),
};

void terminal_enter(void)
{
    if (!panicking)
        lock(&terminal.lock);
}

void terminal_leave(void)
{
    if (!panicking)
        unlock(&terminal.lock);
}

void terminal_close_line(void)
{
    if (terminal.open)
        terminal.ops->write("\n", 1);
    terminal.open = NULL;
}

static size_t head_of(const struct terminal_source *s, char head[HEAD_MAX])
{
    return format(head, HEAD_MAX, "(%s) ", s->name);
}

/* [lock] One piece on a new line; returns its length. */
static size_t show_line(const char *head, size_t head_n, const char *text, size_t n)
{
    char out[PIECE_MAX];
    size_t from = terminal.open ? 0 : 1, end = 1;

    out[0] = '\n'; /* closes somebody's unfinished line */
    memcpy(out + end, head, head_n);
    end += head_n;
    memcpy(out + end, text, n);
    end += n;
    out[end++] = '\n';
    terminal.ops->write(out + from, end - from);
    terminal.open = NULL;
    return end - 1;
}

static void keep_line(const char *head, size_t head_n, const char *text, size_t n)
{
    console_log_append(head, head_n);
    console_log_append(text, n);
    console_log_append("\n", 1);
}

/* -- Krypton's lines -------------------------------------------------------------------------- */

static void terminal_sink(const char *line, size_t n)
{
    if (n && line[n - 1] == '\n')
        n--;
    n = min(n, (size_t)PIECE_MAX - 2);
    terminal_enter();
    show_line("", 0, line, n);
    keep_line("", 0, line, n);
    terminal_leave();
}

void terminal_init(const struct terminal_ops *ops)
{
    terminal.ops = ops;
    console_sink = terminal_sink;
}

void terminal_say(const char *fmt, ...)
{
    char line[160] = "(KR) ";
    va_list ap;

    va_start(ap, fmt);
    vformat(line + 5, sizeof(line) - 5, fmt, ap);
    va_end(ap);
    terminal_sink(line, strlen(line));
}

void terminal_show(const char *text, size_t n)
{
    terminal_enter();
    terminal_close_line();
    terminal.ops->write(text, n);
    terminal_leave();
}

size_t terminal_room(void)
{
    size_t room = terminal.ops->room();

    return room > RESERVE ? room - RESERVE : 0;
}

/* -- guests' lines ---------------------------------------------------------------------------- */

struct output {
    struct terminal_source *s;
    size_t cost;
};

/* [lock] A line of a guest that does not have the terminal. */
static void emit_line(struct console_line *l, void *ctx)
{
    struct output *o = ctx;
    char head[HEAD_MAX], out[CONSOLE_LINE_MAX + 1];
    size_t head_n = head_of(o->s, head);

    if (terminal.open == o->s) {
        size_t rest = (size_t)l->used - o->s->shown;

        memcpy(out, l->text + o->s->shown, rest);
        out[rest] = '\n';
        terminal.ops->write(out, rest + 1);
        terminal.open = NULL;
        o->cost += rest + 1;
    } else {
        o->cost += show_line(head, head_n, l->text, l->used);
    }
    keep_line(head, head_n, l->text, l->used);
}

/* [lock] A line of the one that has it: it is on the terminal already. */
static void emit_kept(struct console_line *l, void *ctx)
{
    struct output *o = ctx;
    char head[HEAD_MAX];
    size_t head_n = head_of(o->s, head);

    keep_line(head, head_n, l->text, l->used);
}

size_t terminal_raw_open(struct terminal_source *s)
{
    if (terminal.open == s)
        return 0;
    terminal_close_line();
    if (!s->line.used || s->line.escaped)
        return 0;
    terminal.ops->write(s->line.text, s->line.used);
    terminal.open = s;
    return s->line.used;
}

static size_t output_raw(struct output *o, const uint8_t *bytes, size_t n)
{
    o->cost += terminal_raw_open(o->s) + n;
    terminal.ops->write((const char *)bytes, n);
    terminal.open = bytes[n - 1] == '\n' ? NULL : o->s;
    for (size_t i = 0; i < n; i++)
        console_line_feed(&o->s->line, bytes[i], emit_kept, o);
    return n;
}

size_t terminal_output(struct terminal_source *s, const uint8_t *bytes, size_t n, size_t budget,
                       size_t *cost)
{
    struct output o = {.s = s};
    size_t taken = 0;

    if (!n || !budget)
        return 0;
    terminal_enter();
    s->changed = clock_now();
    if (terminal.focus == s)
        taken = output_raw(&o, bytes, min(n, budget));
    else
        while (taken < n && o.cost < budget)
            console_line_feed(&s->line, bytes[taken++], emit_line, &o);
    terminal_leave();
    *cost += o.cost;
    return taken;
}

bool terminal_unfinished(const struct terminal_source *s)
{
    return READ_ONCE(s->line.used);
}

void terminal_finish(struct terminal_source *s)
{
    struct output o = {.s = s};

    if (!s->line.used)
        return;
    if (terminal.focus == s)
        terminal_close_line();
    console_line_feed(&s->line, '\n', terminal.focus == s ? emit_kept : emit_line, &o);
}

/* [lock] The unfinished line, or what has come to it, at the cursor. */
static void show_unfinished(struct terminal_source *s)
{
    char out[PIECE_MAX];
    size_t n = 0;

    if (terminal.open != s) {
        terminal_close_line();
        n = head_of(s, out);
        s->shown = 0;
    }
    memcpy(out + n, s->line.text + s->shown, (size_t)s->line.used - s->shown);
    n += (size_t)s->line.used - s->shown;
    terminal.ops->write(out, n);
    s->shown = s->line.used;
    terminal.open = s;
}

nsec_t terminal_preview(struct terminal_source *s)
{
    nsec_t due = 0;

    terminal_enter();
    if (s->line.used && terminal.focus != s && !(terminal.open == s && s->shown == s->line.used)) {
        due = s->changed + TERMINAL_PREVIEW;
        if (clock_now() >= due) {
            show_unfinished(s);
            due = 0;
        }
    }
    terminal_leave();
    return due;
}

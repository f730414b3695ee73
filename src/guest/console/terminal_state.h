/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between terminal.c (what stands on the terminal) and focus.c (who has it). Not for other files.
 */
#ifndef KR_GUEST_CONSOLE_TERMINAL_STATE_H
#define KR_GUEST_CONSOLE_TERMINAL_STATE_H

#include "core/lock.h"
#include "domain/domain.h"
#include "guest/console/terminal.h"

struct terminal {
    struct spinlock lock;
    const struct terminal_ops *ops; /* constant after boot */
    struct list sources;            /* [lock] by domain id */
    struct terminal_source *focus;  /* [lock] whose the keyboard is; NULL: Krypton's */
    struct terminal_source *open;   /* [lock] whose unfinished line the cursor is in; NULL: at the
                                       start of a line */
    char wanted[DOMAIN_NAME_MAX];   /* [lock] had the focus when it went; empty: nobody */
};
extern struct terminal terminal;

/* The lock; none when panicking. */
void terminal_enter(void);
void terminal_leave(void);

/* [lock] Leaves an unfinished line. */
void terminal_close_line(void);
/* [lock] To a line of s's own, which has the focus; shows again what is unfinished of it, unless
 * that had control characters. Returns how many characters. */
size_t terminal_raw_open(struct terminal_source *s);
/* [lock] Ends s's unfinished line as if a newline had come. */
void terminal_finish(struct terminal_source *s);

/* To the person at the terminal, whatever loglvl= is. No lock held. */
void terminal_say(const char *fmt, ...) printf_like(1, 2);

#endif

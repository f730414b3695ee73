/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of a guest's output, put together byte by byte. Whatever is not a printable ASCII
 * character becomes \xNN, so that no byte of a guest can move the cursor or begin a line. "\r\n"
 * ends a line as "\n" does. Pure.
 */
#ifndef KR_GUEST_CONSOLE_LINE_H
#define KR_GUEST_CONSOLE_LINE_H

#include "lib/types.h"

#define CONSOLE_LINE_MAX 256u /* longer lines go on in the next one */

struct console_line {
    char text[CONSOLE_LINE_MAX];
    uint16_t used;
    bool cr;      /* a '\r' that is not in text: what follows decides */
    bool escaped; /* text is not what the guest wrote */
};

/* Takes one byte; calls emit(l, ctx) at most once, with a whole line in l. */
void console_line_feed(struct console_line *l, uint8_t byte,
                       void (*emit)(struct console_line *l, void *ctx), void *ctx);

#endif

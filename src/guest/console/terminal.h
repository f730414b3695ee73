/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal: the one host console that Krypton and all guests share. Krypton's lines and, with
 * their names before them, the guests' lines stand on it whole; the one guest that the terminal is
 * switched to writes as it pleases. Ctrl-A three times switches on: Krypton, the guests, Krypton.
 * How much a guest may write is guest_console.c's business, the devices are host/console's.
 */
#ifndef KR_GUEST_CONSOLE_TERMINAL_H
#define KR_GUEST_CONSOLE_TERMINAL_H

#include "lib/list.h"
#include "guest/console/line.h"

#define TERMINAL_PREVIEW MSEC(200)

struct domain;

/* Filled by floor 7 from host/console.h. */
struct terminal_ops {
    void (*write)(const char *text, size_t n);
    size_t (*room)(void); /* bytes that write takes without waiting */
};

/* A guest as the terminal sees it. (i) set before terminal_add(); [T] terminal.c's lock. */
struct terminal_source {
    const char *name;                                      /* (i) */
    struct domain *domain;                                 /* (i) */
    void (*type)(struct terminal_source *s, uint8_t byte); /* (i) a key for it; no lock held */
    struct list link;                                      /* [T] */
    struct console_line line;                              /* [T] */
    uint16_t shown; /* [T] characters of line.text on the terminal, while the cursor is behind */
    nsec_t changed; /* [T] when line grew last */
};

/* Boot, one CPU, as soon as there are devices: takes over console_sink. */
void terminal_init(const struct terminal_ops *ops);

/* Joins the round of Ctrl-A, by domain id. A guest of the name that had the terminal when it went
 * has it again. */
void terminal_add(struct terminal_source *s);
/* Its last line is shown. If it had the terminal Krypton gets it. */
void terminal_remove(struct terminal_source *s);

/*
 * Bytes of a guest, any values. Stops before the one that it has no budget for (characters on the
 * terminal, prefixes and escapes counted; the last line may exceed it); returns how many it took
 * and adds what they cost to *cost.
 */
size_t terminal_output(struct terminal_source *s, const uint8_t *bytes, size_t n, size_t budget,
                       size_t *cost);
/* Shows an unfinished line that has stood for TERMINAL_PREVIEW. Returns when to ask again, 0: no
 * need. */
nsec_t terminal_preview(struct terminal_source *s);
/* Is there an unfinished line? */
bool terminal_unfinished(const struct terminal_source *s);

/* Characters that guests may write now: the device's room without Krypton's reserve. */
size_t terminal_room(void);
/* Whole lines that are shown and not kept in the console ring. */
void terminal_show(const char *text, size_t n);

/* A byte was typed. WORK_CONSOLE's handler, on one CPU at a time. */
void terminal_type(uint8_t byte);
/* The terminal's bell: a key was lost. */
void terminal_bell(void);
/* Is the terminal switched to s (NULL: Krypton)? A hint. */
bool terminal_has_focus(const struct terminal_source *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Krypton's own messages. A line is prefixed "(KR) " on the host console and kept in the console
 * ring. Output goes through `console_sink`, filled by host/console; what was printed before is
 * kept and comes first at the next line. Messages that loglvl= does not ask for are dropped.
 */
#ifndef KR_CORE_PRINTK_H
#define KR_CORE_PRINTK_H

#include "lib/types.h"

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Any context but NMI/#MC; one call is one line ('\n' is added when missing), at most 256
 * characters. */
void printk(enum log_level level, const char *fmt, ...) printf_like(2, 3);

#define log_err(...)   printk(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  printk(LOG_WARN, __VA_ARGS__)
#define log_info(...)  printk(LOG_INFO, __VA_ARGS__)
#define log_debug(...) printk(LOG_DEBUG, __VA_ARGS__)

/* Takes one whole line, prefix and '\n' included. Called in the printing context, no lock taken
 * here; NULL until there is a console. */
extern void (*console_sink)(const char *line, size_t n);

/* At most one line per second and call site. */
bool log_ratelimit(nsec_t *last);

/* A broken hypervisor: prints, dumps (registers, backtrace, trace), stops the machine. Lock ranks
 * are not checked any more once `panicking`. */
extern bool panicking;
void noreturn_fn panic(const char *fmt, ...) printf_like(1, 2);

#define BUG() panic("BUG at %s:%d", __FILE__, __LINE__)
#define BUG_ON(cond)                                              \
    do {                                                          \
        if (unlikely(cond))                                       \
            panic("BUG at %s:%d: %s", __FILE__, __LINE__, #cond); \
    } while (0)
/* Debug builds only; must not have side effects. */
#define ASSERT(cond)                                                           \
    do {                                                                       \
        if (KR_DEBUG && unlikely(!(cond)))                                     \
            panic("assertion failed at %s:%d: %s", __FILE__, __LINE__, #cond); \
    } while (0)

#endif

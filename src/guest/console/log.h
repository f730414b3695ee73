/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console ring: the last lines of Krypton and of all guests, as they were shown, for later
 * reading. Positions are free-running 32-bit byte counters (addendum B3.1, readconsole).
 */
#ifndef KR_GUEST_CONSOLE_LOG_H
#define KR_GUEST_CONSOLE_LOG_H

#include "lib/types.h"

#define CONSOLE_LOG_SIZE 32768u /* bytes, a power of two */

/* Any context but NMI/#MC. */
void console_log_append(const char *text, size_t n);
/* The oldest position kept, and the one behind the newest byte. */
uint32_t console_log_oldest(void);
uint32_t console_log_newest(void);
/* Copies up to n bytes from *index on, or from the oldest kept when *index is not kept any more;
 * returns how many, *index is behind them then. */
uint32_t console_log_read(uint32_t *index, char *dst, uint32_t n);
/* Forgets what is before index. */
void console_log_clear(uint32_t index);

#endif

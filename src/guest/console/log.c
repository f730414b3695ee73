/* SPDX-License-Identifier: Apache-2.0 */
/* The console ring: see log.h. */
#include "guest/console/log.h"

#include "core/lock.h"
#include "core/printk.h"

static struct spinlock log_lock = SPINLOCK_INIT(RANK_CONSOLE);
static char ring[CONSOLE_LOG_SIZE]; /* [log_lock] */
static uint32_t oldest, newest;     /* [log_lock] newest - oldest <= CONSOLE_LOG_SIZE */

void console_log_append(const char *text, size_t n)
{
    bool locked = !panicking;

    if (locked)
        lock(&log_lock);
    for (size_t i = 0; i < n; i++)
        ring[newest++ % CONSOLE_LOG_SIZE] = text[i];
    if (newest - oldest > CONSOLE_LOG_SIZE)
        oldest = newest - CONSOLE_LOG_SIZE;
    if (locked)
        unlock(&log_lock);
}

uint32_t console_log_oldest(void)
{
    return READ_ONCE(oldest);
}

uint32_t console_log_newest(void)
{
    return READ_ONCE(newest);
}

static bool log_kept(uint32_t index)
{
    return index - oldest <= newest - oldest;
}

uint32_t console_log_read(uint32_t *index, char *dst, uint32_t n)
{
    lock(&log_lock);
    if (!log_kept(*index))
        *index = oldest;
    n = min(n, newest - *index);
    for (uint32_t i = 0; i < n; i++)
        dst[i] = ring[(*index)++ % CONSOLE_LOG_SIZE];
    unlock(&log_lock);
    return n;
}

void console_log_clear(uint32_t index)
{
    lock(&log_lock);
    if (log_kept(index))
        oldest = index;
    unlock(&log_lock);
}

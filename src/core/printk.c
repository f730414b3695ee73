/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats a message into a line and hands it to the console; keeps what is said before there is
 * one. And the end of the road: panic().
 */
#include "core/clock.h"
#include "core/param.h"
#include "core/pcpu.h"
#include "core/printk.h"
#include "lib/format.h"
#include "lib/string.h"

#include "port/cpu.h"

#define PREFIX   "(KR) "
#define LINE_MAX 256u

void (*console_sink)(const char *line, size_t n);
bool panicking;

/* What was printed before the console came: one CPU runs then. The oldest lines stay. */
static char early[4096];
static size_t early_used;

static void emit(const char *line, size_t n)
{
    if (!console_sink) {
        if (n <= sizeof(early) - early_used) {
            memcpy(early + early_used, line, n);
            early_used += n;
        }
        return;
    }
    size_t kept = early_used;
    early_used = 0;
    for (size_t at = 0; at < kept;) {
        const char *end = early + at;
        while (*end++ != '\n')
            ;
        console_sink(early + at, (size_t)(end - early) - at);
        at = (size_t)(end - early);
    }
    console_sink(line, n);
}

static void vprint(const char *fmt, va_list ap)
{
    char line[sizeof(PREFIX) + LINE_MAX + 1] = PREFIX;
    const size_t head = sizeof(PREFIX) - 1;

    size_t n = head + min(vformat(line + head, LINE_MAX + 1, fmt, ap), (size_t)LINE_MAX);
    if (line[n - 1] != '\n')
        line[n++] = '\n';
    emit(line, n);
}

void printk(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    if ((unsigned int)level >= (unsigned int)params.loglvl.always)
        return;
    va_start(ap, fmt);
    vprint(fmt, ap);
    va_end(ap);
}

bool log_ratelimit(nsec_t *last)
{
    nsec_t now = clock_now();

    if (*last && now - *last < SEC(1))
        return false;
    *last = max(now, (nsec_t)1);
    return true;
}

void panic(const char *fmt, ...)
{
    static const struct pcpu_shared *by;
    const struct pcpu_shared *self = pcpus_ready && this_cpu() ? this_cpu()->shared : NULL;
    va_list ap;

    if (!__atomic_exchange_n(&panicking, true, __ATOMIC_SEQ_CST)) {
        WRITE_ONCE(by, self);
        va_start(ap, fmt);
        vprint(fmt, ap);
        va_end(ap);
    }
    /* A second one while reporting the first only stops; another CPU's waits to be stopped. */
    while (READ_ONCE(by) != self)
        cpu_relax();
    cpu_panic_stop();
}

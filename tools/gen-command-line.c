/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes docs/command-line.md from the table of options (a host program; `make docs` runs it, and
 * `make check` compares its output with the file).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/param.h"

static const char *size_text(uint64_t v)
{
    static char text[3][32];
    static int turn;
    char *t = text[turn = (turn + 1) % 3];
    int unit = 0;
    for (; v && !(v & 1023) && unit < 4; unit++)
        v >>= 10;
    snprintf(t, sizeof(text[0]), "%" PRIu64 "%.1s", v, &"\0KMGT"[unit]);
    return t;
}

static const char *log_text(enum param_log_level l)
{
    static const char *const words[] = {"none", "error", "warning", "info", "debug"};
    return words[l];
}

static void head(const char *name, const char *syntax, const char *help)
{
    printf("\n## %s\n\n`%s=%s`\n\n%s\n", name, name, syntax, help);
}

static void number(const char *name, const char *value, const char *low, const char *high,
                   const char *syntax, const char *help)
{
    head(name, syntax, help);
    printf("\nDefault: `%s`; %s to %s.\n", value, low, high);
}

static const char *uint_text(uint64_t v)
{
    static char text[3][32];
    static int turn;
    char *t = text[turn = (turn + 1) % 3];
    if (v == UINT32_MAX)
        return "no limit";
    snprintf(t, sizeof(text[0]), v == 0xffff ? "%#" PRIx64 : "%" PRIu64, v);
    return t;
}

int main(void)
{
    static const char *const scrub[] = {"off", "on", "idle"};

    puts("<!-- Made from src/core/params.def by `make docs`; do not edit. -->\n"
         "# Krypton's command line\n\n"
         "Options are words separated by spaces. The names and values are those of Xen wherever\n"
         "Xen has the option. A boolean is `yes`, `on`, `true`, `enable`, `1` or `no`, `off`,\n"
         "`false`, `disable`, `0`; the bare name means yes and `no-` before the name no. A size\n"
         "takes a suffix B, K, M, G or T and is in bytes without one. Numbers are decimal, or\n"
         "hexadecimal after `0x`. The last option of a name counts. An unknown option or a bad\n"
         "value is reported on the console and otherwise ignored.");
#define PARAM_BOOL(n, f, v, syntax, help) \
    head(n, syntax, help);                \
    printf("\nDefault: `%s`.\n", (v) ? "on" : "off");
#define PARAM_UINT(n, f, v, low, high, syntax, help) \
    number(n, uint_text(v), uint_text(low), uint_text(high), syntax, help);
#define PARAM_SIZE(n, f, v, low, high, syntax, help) \
    number(n, size_text(v), size_text(low), size_text(high), syntax, help);
#define PARAM_TEXT(n, f, v, syntax, help) \
    head(n, syntax, help);                \
    if (strlen(v))                        \
        printf("\nDefault: `%s`.\n", v);
#define PARAM_SCRUB(n, f, v, syntax, help) \
    head(n, syntax, help);                 \
    printf("\nDefault: `%s`.\n", scrub[v]);
#define PARAM_LOG(n, f, always, limited, syntax, help) \
    head(n, syntax, help);                             \
    printf("\nDefault: `%s/%s`.\n", log_text(always), log_text(limited));
#include "core/params.def"
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader's C entry, after entry.S: runs load_kernel on what Krypton describes and reports with
 * one of the calls of abi/loader.h. Nothing here is trusted by Krypton.
 */
#include <stdlib.h>

#include "call.h"
#include "heap.h"
#include "load.h"

noreturn_fn void loader_main(const struct loader_info *info);

/* A console line under construction; long ones are cut. */
struct line {
    size_t used;
    char text[LOADER_PRINT_MAX];
};

static void line_text(struct line *l, const char *s)
{
    while (*s && l->used < sizeof(l->text))
        l->text[l->used++] = *s++;
}

static void line_number(struct line *l, uint64_t n)
{
    char digits[24], *p = digits + sizeof(digits) - 1;

    *p = 0;
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    line_text(l, p);
}

/* The text must lie at a guest-physical address that is known: on the heap, if there is room. */
static void loader_report(const struct loaded *l)
{
    uint64_t used = heap.end - heap.low;
    struct line *line = malloc(sizeof(*line));

    if (!line)
        return;
    line->used = 0;
    line_text(line, l->format->name);
    line_text(line, " kernel, ");
    line_number(line, l->unpacked);
    line_text(line, " bytes unpacked, heap ");
    line_number(line, used >> 10);
    line_text(line, " of ");
    line_number(line, (heap.end - heap.start) >> 10);
    line_text(line, " KiB used");
    loader_call(LOADER_CALL_PRINT, (uintptr_t)line->text, line->used, 0, 0);
}

void loader_main(const struct loader_info *info)
{
    struct failure f;
    struct loaded l;
    bool ok = info->magic == LOADER_MAGIC && info->version == LOADER_ABI_VERSION;

    if (ok)
        ok = load_kernel(info, 0, &l, &f);
    else
        failure_set(&f, LOADER_ERR_BAD_INFO, info->version, 0);
    if (ok) {
        loader_report(&l);
        loader_call(LOADER_CALL_DONE, l.entry, l.low, l.high, heap.low);
    } else {
        loader_call(LOADER_CALL_FAIL, f.code, f.a, f.b, f.least);
    }
    __builtin_trap();
}

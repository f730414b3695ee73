/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parsers of the three boot protocols share: the arena of strings, and bounded lists.
 */
#include "boot/bootinfo.h"

#include "lib/string.h"

void bootinfo_init(struct boot_info *bi, const char *protocol)
{
    memset(bi, 0, sizeof(*bi));
    bi->protocol = protocol;
    bi->loader = "";
    bi->cmdline = "";
}

void bootinfo_note(struct boot_info *bi, const char *text)
{
    if (bi->nr_notes < BOOT_MAX_NOTES)
        bi->notes[bi->nr_notes] = text;
    bi->nr_notes++;
}

const char *bootinfo_string(struct boot_info *bi, hpa_t at, uint64_t limit, boot_memory_fn *memory)
{
    size_t room = min(sizeof(bi->arena) - bi->arena_used, (size_t)BOOT_MAX_STRING);
    char *text = bi->arena + bi->arena_used;
    if (!room) {
        bootinfo_note(bi, "no room for a string");
        return "";
    }
    size_t n = 0;
    for (; n < limit; n++) {
        const char *c = at.v <= UINT64_MAX - n ? memory(_hpa(at.v + n), 1) : NULL;
        if (!c) {
            bootinfo_note(bi, "a string without end");
            break;
        }
        if (!*c)
            break;
        if (n == room - 1) {
            bootinfo_note(bi, "a string was cut");
            break;
        }
        text[n] = *c;
    }
    text[n] = '\0';
    bi->arena_used += n + 1;
    return text;
}

bool bootinfo_range(struct boot_info *bi, uint64_t base, uint64_t size, uint32_t type)
{
    if (bi->nr_ranges == MEMMAP_MAX_RAW) {
        bootinfo_note(bi, "too many memory ranges");
        return false;
    }
    bi->ranges[bi->nr_ranges++] = (struct memmap_range){.base = base, .size = size, .type = type};
    return true;
}

void bootinfo_module(struct boot_info *bi, uint64_t start, uint64_t size, const char *cmdline)
{
    if (bi->nr_modules == BOOT_MAX_MODULES)
        bootinfo_note(bi, "too many modules");
    else if (start > UINT64_MAX - size)
        bootinfo_note(bi, "a module lies nowhere");
    else
        bi->modules[bi->nr_modules++] =
            (struct boot_module){.start = _hpa(start), .size = size, .cmdline = cmdline};
}

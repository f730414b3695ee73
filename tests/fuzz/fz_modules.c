/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot/modules.c on arbitrary argument lines, one module a line of the input.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/modules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *line)
{
    assert(!strncmp(line, "module ", 7) && strlen(line) < 320);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct guest_list list;
    struct boot_module modules[BOOT_MAX_MODULES];
    unsigned int nr = 0;
    char *text = malloc(size + 1);
    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    for (char *line = text; line && nr < BOOT_MAX_MODULES; nr++) {
        char *end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        modules[nr] = (struct boot_module){.cmdline = line};
        line = end;
    }
    modules_parse(&list, modules, nr, check_line);

    uint16_t last_id = 0;
    assert(list.nr <= nr && list.next_id <= nr + 1);
    for (unsigned int i = 0; i < list.nr; i++) {
        const struct guest_config *g = &list.guests[i];
        assert(g->domid > last_id && g->domid < list.next_id);
        last_id = g->domid;
        size_t len = strlen(g->name);
        assert(len && len < GUEST_NAME_SIZE);
        for (size_t c = 0; c < len; c++)
            assert(g->name[c] > ' ' && g->name[c] < 127 && g->name[c] != '(' && g->name[c] != ')');
        for (unsigned int j = 0; j < i; j++)
            assert(strcmp(g->name, list.guests[j].name));
        assert(g->memory && !(g->memory % PAGE_SIZE));
        assert(g->vcpus >= 1 && g->vcpus <= GUEST_MAX_VCPUS && g->weight && g->cpus);
        assert(g->kernel < nr && (g->ramdisk == -1 || g->ramdisk == (int)g->kernel + 1));
    }
    free(text);
    return 0;
}

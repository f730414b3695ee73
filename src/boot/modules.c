/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot modules' argument lines to guest configurations: `vmlinuz domain=web memory=256M vcpus=2 --
 * console=hvc0`, a module without domain= behind it being that guest's ramdisk.
 */
#include "boot/modules.h"

#include "abi/xen.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"

#define WORD_MAX     128
#define LINE_MAX     320
#define MEMORY_LEAST MIB(1)
#define MEMORY_MOST  (GIB(1) << 14)

/* Each sets its part of the configuration; returns NULL or what is wrong with the value. */

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static const char *set_name(struct guest_config *g, const char *value)
{
    if (!*value)
        return "empty";
    for (const char *c = value; *c; c++)
        if (!name_char(*c))
            return "a name has letters, digits, '-', '_' and '.'";
    if (!strcmp(value, "KR"))
        return "this name is the hypervisor's";
    return str_copy(g->name, value, sizeof(g->name)) ? NULL : "too long";
}

static const char *set_memory(struct guest_config *g, const char *value)
{
    uint64_t bytes = 0;
    int rc = parse_size(value, &bytes);
    if (rc == -XEN_EINVAL)
        return "not a size";
    if (rc || bytes > MEMORY_MOST)
        return "too large";
    if (bytes < MEMORY_LEAST)
        return "too small (the suffix M is for MiB)";
    g->memory = ALIGN_UP(bytes, PAGE_SIZE);
    return NULL;
}

static const char *number(const char *value, uint32_t least, uint32_t most, uint32_t *v)
{
    int rc = parse_u32(value, v);
    if (rc == -XEN_EINVAL)
        return "not a number";
    if (rc || *v > most)
        return "too large";
    return *v < least ? "too small" : NULL;
}

static const char *set_vcpus(struct guest_config *g, const char *value)
{
    return number(value, 1, GUEST_MAX_VCPUS, &g->vcpus);
}

static const char *set_weight(struct guest_config *g, const char *value)
{
    uint32_t v = 0;
    const char *wrong = number(value, 1, UINT16_MAX, &v);
    g->weight = (uint16_t)v;
    return wrong;
}

static const char *set_cap(struct guest_config *g, const char *value)
{
    uint32_t v = 0;
    const char *wrong = number(value, 0, 100 * GUEST_MAX_VCPUS, &v);
    g->cap = (uint16_t)v;
    return wrong;
}

static const char *set_cpus(struct guest_config *g, const char *value)
{
    int rc = parse_bitmap(value, &g->cpus, GUEST_MAX_CPUS);
    return rc == -XEN_ERANGE ? "no such CPU" : rc ? "not a list of CPUs" : NULL;
}

static const char *set_restart(struct guest_config *g, const char *value)
{
    static const char *const words[] = {[GUEST_RESTART_NEVER] = "never",
                                        [GUEST_RESTART_REBOOT] = "reboot",
                                        [GUEST_RESTART_CRASH] = "crash",
                                        [GUEST_RESTART_ALWAYS] = "always"};
    for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
        if (!strcmp(value, words[i])) {
            g->restart = (enum guest_restart)i;
            return NULL;
        }
    return "not never, reboot, crash or always";
}

static const struct {
    const char *key;
    const char *(*set)(struct guest_config *g, const char *value);
} keys[] = {
    {"domain", set_name}, {"memory", set_memory}, {"vcpus", set_vcpus},     {"weight", set_weight},
    {"cap", set_cap},     {"cpus", set_cpus},     {"restart", set_restart},
};

#define UNKNOWN "unknown key"

static const char *take_word(struct guest_config *g, const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *value = parse_value_of(word, keys[i].key);
        if (value)
            return keys[i].set(g, value);
    }
    return UNKNOWN;
}

/* The next word of the part that is the hypervisor's, which ends at `--`. As parse_word. */
static int next_word(const char **line, char *word)
{
    int len = parse_word(line, ' ', word, WORD_MAX);
    return len > 0 && !strcmp(word, "--") ? 0 : len;
}

/* The value of the line's first domain=, in buf; NULL when it has none. */
static const char *guest_name(const char *line, char buf[WORD_MAX])
{
    while (next_word(&line, buf)) {
        const char *name = parse_value_of(buf, "domain");
        if (name)
            return name;
    }
    return NULL;
}

/* Returns NULL, or what is wrong with `word`. */
static const char *parse_line(struct guest_config *g, const char *line, char *word)
{
    int len;
    for (bool first = true; (len = next_word(&line, word)); first = false) {
        const char *wrong = take_word(g, word);
        if (first && wrong && !strcmp(wrong, UNKNOWN))
            continue; /* the file's name */
        if (wrong || len < 0)
            return len < 0 ? "too long" : wrong;
    }
    while (*line == ' ')
        line++;
    g->cmdline = line;
    str_copy(word, "memory=", WORD_MAX);
    return g->memory ? NULL : "missing";
}

static bool name_taken(const struct guest_list *list, const char *name)
{
    for (unsigned int i = 0; i < list->nr; i++)
        if (!strcmp(list->guests[i].name, name))
            return true;
    return false;
}

void modules_parse(struct guest_list *list, const struct boot_module *modules, unsigned int nr,
                   void (*complain)(const char *line))
{
    char word[WORD_MAX], name_word[WORD_MAX], line[LINE_MAX];
    struct guest_config *last = NULL; /* may still get a ramdisk */
    bool refused = false;             /* as `last`, but of a guest that does not exist */

    memset(list, 0, sizeof(*list));
    list->next_id = 1;
    for (unsigned int i = 0; i < nr && i < BOOT_MAX_MODULES; i++) {
        const char *name = guest_name(modules[i].cmdline, name_word);
        if (!name) {
            if (last)
                last->ramdisk = (int)i;
            else if (i == 0)
                list->dom0 = refused = true;
            else if (!refused) {
                format(line, sizeof(line), "module %u: belongs to no guest", i + 1);
                complain(line);
            }
            last = NULL;
            refused = refused && i == 0;
            continue;
        }
        struct guest_config *g = &list->guests[list->nr];
        *g = (struct guest_config){.domid = list->next_id++,
                                   .vcpus = 1,
                                   .weight = 256,
                                   .cpus = ~0ULL,
                                   .restart = GUEST_RESTART_REBOOT,
                                   .kernel = i,
                                   .ramdisk = -1};
        const char *wrong = parse_line(g, modules[i].cmdline, word);
        if (!wrong && name_taken(list, g->name)) {
            format(word, sizeof(word), "domain=%s", g->name);
            wrong = "there is one of this name";
        }
        if (wrong) {
            format(line, sizeof(line), "module %u: %s: not started: %s: %s", i + 1, name, word,
                   wrong);
            complain(line);
        }
        last = wrong ? NULL : g;
        refused = wrong;
        list->nr += !wrong;
    }
}

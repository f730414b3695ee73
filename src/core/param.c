/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line options: the table, one setter per kind of value, and the complaints. Nothing can
 * be printed yet when the command line is parsed, so complaints wait in a small array.
 */
#include "core/param.h"

#include "abi/xen.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"

struct params params = {
#define PARAM_BOOL(name, field, value, ...)          .field = (value),
#define PARAM_UINT(name, field, value, ...)          .field = (value),
#define PARAM_SIZE(name, field, value, ...)          .field = (value),
#define PARAM_TEXT(name, field, value, ...)          .field = value,
#define PARAM_SCRUB(name, field, value, ...)         .field = (value),
#define PARAM_LOG(name, field, always, limited, ...) .field = {always, limited},
#include "core/params.def"
};

struct param {
    const char *name;
    /* Parses a value into *field; returns NULL or what is wrong with it. */
    const char *(*set)(const struct param *p, const char *value);
    void *field;
    uint64_t least, most; /* of a number */
    bool boolean;         /* may stand without a value, and with `no-` before it */
};

static const char *set_bool(const struct param *p, const char *value)
{
    int v = parse_bool(value);
    if (v < 0)
        return "not a boolean";
    *(bool *)p->field = v;
    return NULL;
}

static const char *check_range(const struct param *p, int rc, uint64_t v)
{
    if (rc == -XEN_EINVAL)
        return "not a number";
    if (rc || v > p->most)
        return "too large";
    return v < p->least ? "too small" : NULL;
}

static const char *set_uint(const struct param *p, const char *value)
{
    uint64_t v = 0;
    int rc = parse_u64(value, &v);
    const char *wrong = check_range(p, rc, v);
    if (!wrong)
        *(uint32_t *)p->field = (uint32_t)v;
    return wrong;
}

static const char *set_size(const struct param *p, const char *value)
{
    uint64_t v = 0;
    int rc = parse_size(value, &v);
    const char *wrong = check_range(p, rc, v);
    if (!wrong)
        *(uint64_t *)p->field = v;
    return wrong;
}

static const char *set_text(const struct param *p, const char *value)
{
    if (strlen(value) >= PARAM_TEXT_SIZE)
        return "too long";
    str_copy(p->field, value, PARAM_TEXT_SIZE);
    return NULL;
}

static const char *set_scrub(const struct param *p, const char *value)
{
    int v = strcmp(value, "idle") ? parse_bool(value) : PARAM_SCRUB_IDLE;
    if (v < 0)
        return "neither a boolean nor idle";
    *(enum param_scrub *)p->field = (enum param_scrub)v;
    return NULL;
}

static int log_level(const char *s, size_t len)
{
    static const struct {
        char word[8];
        enum param_log_level level;
    } levels[] = {
        {"none", PARAM_LOG_NONE}, {"error", PARAM_LOG_ERROR}, {"warning", PARAM_LOG_WARNING},
        {"info", PARAM_LOG_INFO}, {"debug", PARAM_LOG_DEBUG}, {"all", PARAM_LOG_DEBUG},
    };
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
        if (strlen(levels[i].word) == len && !strncmp(levels[i].word, s, len))
            return (int)levels[i].level;
    return -1;
}

static const char *set_log(const struct param *p, const char *value)
{
    const char *slash = strchr(value, '/');
    size_t len = slash ? (size_t)(slash - value) : strlen(value);
    int always = log_level(value, len);
    int limited = slash ? log_level(slash + 1, strlen(slash + 1)) : always;
    if (always < 0 || limited < 0)
        return "levels are none, error, warning, info, debug, all";
    if (limited < always)
        limited = always;
    *(struct param_log *)p->field =
        (struct param_log){(enum param_log_level)always, (enum param_log_level)limited};
    return NULL;
}

static const struct param table[] = {
#define PARAM_BOOL(n, f, v, ...)            {n, set_bool, &params.f, 0, 0, true},
#define PARAM_UINT(n, f, v, low, high, ...) {n, set_uint, &params.f, low, high, false},
#define PARAM_SIZE(n, f, v, low, high, ...) {n, set_size, &params.f, low, high, false},
#define PARAM_TEXT(n, f, v, ...)            {n, set_text, &params.f, 0, 0, false},
#define PARAM_SCRUB(n, f, v, ...)           {n, set_scrub, &params.f, 0, 0, true},
#define PARAM_LOG(n, f, a, l, ...)          {n, set_log, &params.f, 0, 0, false},
#include "core/params.def"
};

#define MAX_COMPLAINTS 16
static char complaints[MAX_COMPLAINTS][128];
static size_t nr_complaints; /* also those that found no room */

static void complain(const char *word, const char *wrong)
{
    if (nr_complaints < MAX_COMPLAINTS)
        format(complaints[nr_complaints], sizeof(complaints[0]), "option '%.80s': %s", word, wrong);
    nr_complaints++;
}

static const struct param *find(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (strlen(table[i].name) == len && !strncmp(table[i].name, name, len))
            return &table[i];
    return NULL;
}

/* Returns NULL or what is wrong; `unknown` tells an option that does not exist. */
static const char *take(const char *word, bool *unknown)
{
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct param *p = find(word, len);

    *unknown = false;
    if (p && equals)
        return p->set(p, equals + 1);
    if (p)
        return p->boolean ? p->set(p, "on") : "needs a value";
    if (!strncmp(word, "no-", 3)) {
        p = find(word + 3, len - 3);
        if (p)
            return p->boolean && !equals ? p->set(p, "off") : "not a boolean";
    }
    *unknown = true;
    return "unknown";
}

void param_parse(const char *cmdline)
{
    char word[128];
    bool first = true;
    for (int len; (len = parse_word(&cmdline, ' ', word, sizeof(word))); first = false) {
        bool unknown = false;
        if (!strcmp(word, "--"))
            break;
        const char *wrong = len < 0 ? "too long" : take(word, &unknown);
        bool file_name = first && (unknown || len < 0) && (strchr(word, '/') || !strchr(word, '='));
        if (wrong && !file_name)
            complain(word, wrong);
    }
}

void param_report(void (*print)(const char *line))
{
    for (size_t i = 0; i < min(nr_complaints, (size_t)MAX_COMPLAINTS); i++)
        print(complaints[i]);
    if (nr_complaints > MAX_COMPLAINTS) {
        char line[64];
        format(line, sizeof(line), "%zu more bad options", nr_complaints - MAX_COMPLAINTS);
        print(line);
    }
    if (params.dom0_mem[0] || params.dom0_max_vcpus[0])
        print("options dom0_mem, dom0_max_vcpus: dom0 is not supported yet");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has the terminal: the guests on it, the round of Ctrl-A, and where typed bytes go. While it
 * is Krypton's, a letter is a debug key.
 */
#include "guest/console/terminal_state.h"

#include "lib/format.h"
#include "lib/string.h"
#include "core/keys.h"
#include "core/param.h"

#define SWITCH_KEY   0x01 /* Ctrl-A, as with Xen */
#define SWITCH_TIMES 3u

/* [lock] Who comes after the one that has it now. */
static struct terminal_source *focus_next(void)
{
    struct list *at = terminal.focus ? terminal.focus->link.next : terminal.sources.next;

    return at == &terminal.sources ? NULL : list_entry(at, struct terminal_source, link);
}

static void name_of(const struct terminal_source *s, char name[DOMAIN_NAME_MAX])
{
    (void)str_copy(name, s ? s->name : "Krypton", DOMAIN_NAME_MAX);
}

/* [lock] Gives it to s and leaves the lock: says so, then goes on with s's unfinished line. */
static void focus_set_and_leave(struct terminal_source *s, const char *why)
{
    char name[DOMAIN_NAME_MAX], next[DOMAIN_NAME_MAX];

    terminal_close_line();
    terminal.focus = s;
    terminal.wanted[0] = '\0';
    name_of(s, name);
    name_of(focus_next(), next);
    terminal_leave();
    terminal_say("%sInput to %s%s. Ctrl-A three times: %s", why, name,
                 s ? "" : ", h lists its keys", next);
    terminal_enter();
    if (s && terminal.focus == s)
        (void)terminal_raw_open(s);
    terminal_leave();
}

void terminal_add(struct terminal_source *s)
{
    static bool told; /* [lock] */
    struct list *at;
    bool back;

    terminal_enter();
    for (at = terminal.sources.next; at != &terminal.sources; at = at->next)
        if (list_entry(at, struct terminal_source, link)->domain->id > s->domain->id)
            break;
    list_insert_before(at, &s->link);
    back = !terminal.focus && !strcmp(terminal.wanted, s->name);
    if (back || !told) {
        told = true;
        focus_set_and_leave(back ? s : terminal.focus, "");
    } else {
        terminal_leave();
    }
}

void terminal_remove(struct terminal_source *s)
{
    char why[DOMAIN_NAME_MAX + 16];

    terminal_enter();
    terminal_finish(s);
    list_del(&s->link);
    if (terminal.open == s)
        terminal_close_line();
    if (terminal.focus == s && list_empty(&terminal.sources)) {
        terminal.focus = NULL; /* nobody is left to talk to: no words about it */
        name_of(s, terminal.wanted);
    } else if (terminal.focus == s) {
        format(why, sizeof(why), "%s is gone. ", s->name);
        focus_set_and_leave(NULL, why);
        terminal_enter();
        if (!terminal.focus)
            name_of(s, terminal.wanted);
    }
    terminal_leave();
}

bool terminal_has_focus(const struct terminal_source *s)
{
    return READ_ONCE(terminal.focus) == s;
}

void terminal_bell(void)
{
    terminal_enter();
    terminal.ops->write("\a", 1);
    terminal_leave();
}

/* -- keys ------------------------------------------------------------------------------------- */

/* Reports are lines of level info: they are wanted now, whatever loglvl= is. */
static void key_run(uint8_t byte)
{
    enum param_log_level level = params.loglvl.always;

    if (byte < ' ' || byte > '~')
        return;
    if (level < PARAM_LOG_INFO)
        params.loglvl.always = PARAM_LOG_INFO;
    if (!debug_key_run((char)byte))
        terminal_say("'%c' is no key; h lists them", byte);
    params.loglvl.always = level;
}

static void key_deliver(uint8_t byte)
{
    struct terminal_source *s;
    struct domain *d = NULL;

    terminal_enter();
    s = terminal.focus;
    if (s) {
        d = s->domain;
        domain_ref(d);
    }
    terminal_leave();
    if (!s) {
        key_run(byte);
        return;
    }
    s->type(s, byte);
    domain_put(d);
}

void terminal_type(uint8_t byte)
{
    static unsigned int held; /* Ctrl-As that may be a switch; the next key decides */

    if (byte != SWITCH_KEY) {
        for (; held; held--)
            key_deliver(SWITCH_KEY);
        key_deliver(byte);
    } else if (++held == SWITCH_TIMES) {
        held = 0;
        terminal_enter();
        focus_set_and_leave(focus_next(), "");
    }
}

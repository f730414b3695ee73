/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/console/terminal.h: lines of Krypton and of guests stand on the terminal whole, each with
 * its own prefix, whatever order their parts come in; the guest that has the terminal writes raw;
 * Ctrl-A three times goes round; the console ring keeps what was shown as whole lines.
 */
#include "unit/console.h"

#include "core/keys.h"
#include "core/printk.h"

static struct domain *web, *db;

static void guests(void)
{
    web = console_domain(1, "web", 1);
    db = console_domain(2, "db", 1);
}

static void whole_lines(void **state)
{
    guests();
    ring_print(web, "half");
    ring_print(db, "one\ntwo\nth");
    log_info("hello");
    ring_print(web, " a line\r\n");
    screen_is("(db) one\n(db) two\n(KR) hello\n(web) half a line\n");
    ring_print(db, "ree\n\n");
    screen_is("(db) three\n(db) \n");
    ring_print(web, "a\r(KR) b\n\033[2J(db) c\n");
    screen_is("(web) a\\x0d(KR) b\n(web) \\x1b[2J(db) c\n");
}

/* An unfinished line is shown after a while and goes on where it stands if nothing came between,
 * else it is shown again, whole. */
static void unfinished(void **state)
{
    guests();
    ring_print(web, "login: ");
    console_time(MSEC(150));
    screen_is("");
    console_time(MSEC(100));
    screen_is("(web) login: ");
    ring_print(web, "root\n");
    screen_is("root\n");
    ring_print(web, "pass");
    console_time(MSEC(300));
    ring_print(web, "word: ");
    console_time(MSEC(300));
    screen_is("(web) password: ");
    ring_print(db, "hm\n");
    ring_print(web, "x\n");
    screen_is("\n(db) hm\n(web) password: x\n");
    ring_print(web, "a");
    console_time(MSEC(300));
    log_info("b");
    ring_print(db, "c");
    console_time(MSEC(300));
    ring_print(web, "d");
    console_time(MSEC(300));
    screen_is("(web) a\n(KR) b\n(db) c\n(web) ad");
    ring_print(web, "\n");
    ring_print(db, "\n");
    screen_is("\n(db) c\n");
}

static void round_trip(void **state)
{
    guests();
    type_text("\1\1\1");
    screen_is("(KR) Input to web. Ctrl-A three times: db\n");
    type_text("\1\1\1");
    screen_is("(KR) Input to db. Ctrl-A three times: Krypton\n");
    assert_false(terminal_has_focus(NULL));
    type_text("\1\1\1");
    screen_is("(KR) Input to Krypton, h lists its keys. Ctrl-A three times: web\n");
    assert_true(terminal_has_focus(NULL));
}

static void raw(void **state)
{
    guests();
    type_text("\1\1\1");
    screen_clear();
    ring_print(web, "\033[1mbold\r\n~ # ");
    ring_print(db, "db's\n");
    ring_print(web, "ls\r\n");
    screen_is("\033[1mbold\r\n~ # \n(db) db's\n~ # ls\r\n");
    ring_print(web, "\xff\x00"
                    "50%\r"); /* two bytes: strlen ends at the zero */
    screen_is("\xff");
    ring_print(web, "\033[m# ");
    log_info("hm");
    ring_print(web, "x"); /* control characters are not shown again */
    screen_is("\033[m# \n(KR) hm\nx");
}

static void switch_in_a_line(void **state)
{
    guests();
    ring_print(db, "db # ");
    console_time(MSEC(300));
    ring_print(web, "web # ");
    console_time(MSEC(300));
    screen_is("(db) db # \n(web) web # ");
    type_text("\1\1\1");
    screen_is("\n(KR) Input to web. Ctrl-A three times: db\nweb # ");
    ring_print(web, "reb");
    type_text("\1\1\1");
    screen_is("reb\n(KR) Input to db. Ctrl-A three times: Krypton\ndb # ");
    ring_print(web, "oot\n");
    ring_print(db, "ok\n");
    screen_is("\n(web) web # reboot\ndb # ok\n");
}

static char pressed;
static void press(void)
{
    pressed = 'z';
    log_info("z was pressed");
}
DEBUG_KEY('z', "for the test", press);

static void keys(void **state)
{
    char got[64];

    guests();
    type_text("z\r\n");
    assert_int_equal(pressed, 'z');
    screen_is("(KR) 'z' pressed: for the test\n(KR) z was pressed\n");
    params.loglvl.always = PARAM_LOG_NONE;
    type_text("z~");
    screen_is("(KR) 'z' pressed: for the test\n(KR) z was pressed\n(KR) '~' is no key; h lists "
              "them\n");
    assert_int_equal(params.loglvl.always, PARAM_LOG_NONE);
    ring_print(web, "up\n");
    ring_print(db, "up\n");
    type_text("\1\1\1");
    type_text("z\1b\1\1c\1\1\1z");
    assert_int_equal(ring_read(web, got), 6);
    assert_string_equal(got, "z\1b\1\1c");
    assert_int_equal(ring_read(db, got), 1);
    assert_string_equal(got, "z");
    type_text("\1\1\1");
}

static void gone_and_back(void **state)
{
    guests();
    type_text("\1\1\1");
    ring_print(web, "last words");
    screen_clear();
    fixture_kill(web);
    screen_is("\n(KR) web is gone. Input to Krypton, h lists its keys. Ctrl-A three times: db\n");
    assert_true(terminal_has_focus(NULL));
    web = console_domain(3, "web", 1);
    assert_false(terminal_has_focus(NULL));
    ring_print(web, "\a");
    screen_is("\a");
    type_text("\1\1\1");
    screen_is("\n(KR) Input to Krypton, h lists its keys. Ctrl-A three times: db\n");
    fixture_kill(web);
    web = console_domain(4, "web", 1);
    assert_true(terminal_has_focus(NULL)); /* it did not have it when it went */
    ring_print(db, "unfinished");
    fixture_kill(db);
    screen_is("(db) unfinished\n");
}

static void many_rounds(void **state)
{
    guests();
    for (unsigned int i = 0; i < 300; i++)
        type_text("\1\1\1");
    assert_true(terminal_has_focus(NULL));
    fixture_kill(web);
    fixture_kill(db);
    type_text("\1\1\1");
    assert_true(terminal_has_focus(NULL));
}

static void kept(void **state)
{
    char text[CONSOLE_LOG_SIZE + 1];
    uint32_t from = console_log_newest(), at = from, n;

    guests();
    at = from = console_log_newest();
    ring_print(web, "one\ntw");
    log_info("two");
    type_text("\1\1\1");
    console_time(MSEC(300));
    ring_print(web, "o\r\n\033[m\n");
    type_text("\1\1\1\1\1\1");
    n = console_log_read(&at, text, sizeof(text) - 1);
    text[n] = '\0';
    assert_non_null(strstr(text, "(web) one\n(KR) two\n(KR) Input to web."));
    assert_non_null(strstr(text, "(web) two\n(web) \\x1b[m\n"));
    assert_int_equal(at, console_log_newest());
    assert_int_equal(at - from, n);
    console_log_clear(at);
    at = from; /* not kept any more: the oldest there is */
    log_info("three");
    n = console_log_read(&at, text, sizeof(text) - 1);
    text[n] = '\0';
    assert_string_equal(text, "(KR) three\n");
    for (unsigned int i = 0; i < 2 * CONSOLE_LOG_SIZE / 16; i++)
        log_info("0123456789");
    at = from;
    assert_int_equal(console_log_newest() - console_log_oldest(), CONSOLE_LOG_SIZE);
    assert_int_equal(console_log_read(&at, text, 100), 100);
    assert_int_equal(at, console_log_oldest() + 100);
}

UNIT_MAIN(CONSOLE_TEST(whole_lines), CONSOLE_TEST(unfinished), CONSOLE_TEST(round_trip),
          CONSOLE_TEST(raw), CONSOLE_TEST(switch_in_a_line), CONSOLE_TEST(keys),
          CONSOLE_TEST(gone_and_back), CONSOLE_TEST(many_rounds), CONSOLE_TEST(kept))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/param.c: Xen's option syntax, limits, and that every unknown option and bad value is named
 * while the others are taken.
 */
#include "unit/unit.h"

#include "core/param.h"

/* Fresh values and no complaints for each case: the file is part of the test. */
#include "../../src/core/param.c"

static char report[4096];

static void collect(const char *line)
{
    strncat(report, line, sizeof(report) - strlen(report) - 2);
    strcat(report, "\n");
}

static const char *parse(const char *cmdline)
{
    nr_complaints = 0;
    report[0] = '\0';
    param_parse(cmdline);
    param_report(collect);
    return report;
}

static void good(void **state)
{
    assert_string_equal(parse("build/krypton com1=115200,8n1 console=com1,vga loglvl=all "
                              "guest_loglvl=error/info noreboot maxcpus=0x2 sync_console=1 "
                              "bootscrub=idle sched=null debug-exit=0xf4 console-rate=1M"),
                        "");
    assert_string_equal(params.com1, "115200,8n1");
    assert_string_equal(params.com2, "");
    assert_string_equal(params.console, "com1,vga");
    assert_int_equal(params.loglvl.always, PARAM_LOG_DEBUG);
    assert_int_equal(params.loglvl.limited, PARAM_LOG_DEBUG);
    assert_int_equal(params.guest_loglvl.always, PARAM_LOG_ERROR);
    assert_int_equal(params.guest_loglvl.limited, PARAM_LOG_INFO);
    assert_true(params.noreboot);
    assert_true(params.sync_console);
    assert_int_equal(params.maxcpus, 2);
    assert_int_equal(params.bootscrub, PARAM_SCRUB_IDLE);
    assert_string_equal(params.sched, "null");
    assert_int_equal(params.debug_exit, 0xf4);
    assert_int_equal(params.console_rate, MIB(1));
    assert_int_equal(params.console_burst, KIB(16));
}

static void booleans(void **state)
{
    assert_string_equal(parse("noreboot no-sync_console bootscrub"), "");
    assert_true(params.noreboot);
    assert_false(params.sync_console);
    assert_int_equal(params.bootscrub, PARAM_SCRUB_ON);
    assert_string_equal(parse("no-noreboot noreboot=off sync_console=off sync_console"), "");
    assert_false(params.noreboot);
    assert_true(params.sync_console);
    assert_string_equal(parse("x no-bootscrub"), "");
    assert_int_equal(params.bootscrub, PARAM_SCRUB_OFF);
}

static void bad(void **state)
{
    assert_string_equal(parse("maxcpus=3 frob maxcpus=0 frob=1 no-frob maxcpus=x noreboot=maybe"),
                        "option 'frob': unknown\n"
                        "option 'maxcpus=0': too small\n"
                        "option 'frob=1': unknown\n"
                        "option 'no-frob': unknown\n"
                        "option 'maxcpus=x': not a number\n"
                        "option 'noreboot=maybe': not a boolean\n");
    assert_int_equal(params.maxcpus, 3);
    assert_string_equal(
        parse("com1 no-com1 no-noreboot=1 debug-exit=0x10000 com=1 loglvl=/all"),
        "option 'com1': needs a value\n"
        "option 'no-com1': not a boolean\n"
        "option 'no-noreboot=1': not a boolean\n"
        "option 'debug-exit=0x10000': too large\n"
        "option 'com=1': unknown\n"
        "option 'loglvl=/all': levels are none, error, warning, info, debug, all\n");
    assert_string_equal(parse("noreboot dom0_mem=1G"),
                        "options dom0_mem, dom0_max_vcpus: dom0 is not supported yet\n");
    params.dom0_mem[0] = '\0';
}

static void first_word(void **state)
{
    assert_string_equal(parse("krypton"), "");
    assert_string_equal(parse("/boot/a=b/krypton.gz"), "");
    assert_string_equal(parse("frob=1"), "option 'frob=1': unknown\n");
    assert_string_equal(parse("noreboot=2"), "option 'noreboot=2': not a boolean\n");
    assert_string_equal(parse(""), "");
    assert_string_equal(parse("noreboot -- frob maxcpus=0"), "");
}

static void bounded(void **state)
{
    char line[1024] = "noreboot com1=";
    memset(line + strlen(line), '1', PARAM_TEXT_SIZE);
    assert_non_null(strstr(parse(line), "too long"));
    memset(line + strlen(line), '1', 500);
    assert_non_null(strstr(parse(line), "too long"));
    strcpy(line, "noreboot");
    for (int i = 0; i < MAX_COMPLAINTS + 3; i++)
        strcat(line, " x");
    assert_non_null(strstr(parse(line), "\n3 more bad options\n"));
}

UNIT_MAIN(cmocka_unit_test(good), cmocka_unit_test(booleans), cmocka_unit_test(bad),
          cmocka_unit_test(first_word), cmocka_unit_test(bounded))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot/modules.c: which module belongs to which guest, defaults and limits of each key, and that a
 * fault names the module and the word, costs only its guest, and leaves that guest's number unused.
 */
#include "unit/unit.h"

#include "boot/modules.h"

static struct guest_list list;
static char report[8192];

static void collect(const char *line)
{
    strcat(report, line);
    strcat(report, "\n");
}

/* Parses the lines up to a NULL; returns the complaints. */
static const char *parse(const char *first, ...)
{
    struct boot_module modules[BOOT_MAX_MODULES + 8];
    unsigned int nr = 0;
    va_list ap;
    va_start(ap, first);
    for (const char *line = first; line; line = va_arg(ap, const char *))
        modules[nr++] = (struct boot_module){.cmdline = line};
    va_end(ap);
    report[0] = '\0';
    modules_parse(&list, modules, nr, collect);
    return report;
}

static void two_guests(void **state)
{
    assert_string_equal(parse("vmlinuz domain=web memory=256M vcpus=2 weight=512 cap=50 cpus=0-1,4 "
                              "restart=never --  console=hvc0 -- quiet domain=x",
                              "initrd.gz", "domain=db memory=1G", NULL),
                        "");
    assert_false(list.dom0);
    assert_int_equal(list.nr, 2);
    const struct guest_config *g = &list.guests[0];
    assert_string_equal(g->name, "web");
    assert_int_equal(g->domid, 1);
    assert_int_equal(g->memory, MIB(256));
    assert_int_equal(g->vcpus, 2);
    assert_int_equal(g->weight, 512);
    assert_int_equal(g->cap, 50);
    assert_int_equal(g->cpus, 0x13);
    assert_int_equal(g->restart, GUEST_RESTART_NEVER);
    assert_string_equal(g->cmdline, "console=hvc0 -- quiet domain=x");
    assert_int_equal(g->kernel, 0);
    assert_int_equal(g->ramdisk, 1);
    g = &list.guests[1];
    assert_string_equal(g->name, "db");
    assert_int_equal(g->domid, 2);
    assert_int_equal(g->vcpus, 1);
    assert_int_equal(g->weight, 256);
    assert_int_equal(g->cap, 0);
    assert_int_equal(g->cpus, ~0ULL);
    assert_int_equal(g->restart, GUEST_RESTART_REBOOT);
    assert_string_equal(g->cmdline, "");
    assert_int_equal(g->kernel, 2);
    assert_int_equal(g->ramdisk, -1);
    assert_int_equal(list.next_id, 3);
}

static void owners(void **state)
{
    /* dom0 and its ramdisk; -- hides domain=; a third plain module is nobody's. */
    assert_string_equal(parse("vmlinuz root=/dev/sda", "initrd", "k domain=a memory=1M", NULL), "");
    assert_true(list.dom0);
    assert_int_equal(list.nr, 1);
    assert_int_equal(list.guests[0].domid, 1);
    assert_string_equal(parse("k -- domain=a memory=1M", "i", "j", NULL),
                        "module 3: belongs to no guest\n");
    assert_true(list.dom0);
    assert_int_equal(list.nr, 0);
    assert_string_equal(parse("domain=a memory=1M", "i", "j", NULL),
                        "module 3: belongs to no guest\n");
    assert_int_equal(list.guests[0].ramdisk, 1);
    /* The ramdisk of a refused guest is not the next one's, nor the one's before. */
    assert_string_equal(parse("domain=a memory=1M", "domain=b", "i", "domain=c memory=1M", NULL),
                        "module 2: b: not started: memory=: missing\n");
    assert_int_equal(list.nr, 2);
    assert_int_equal(list.guests[0].ramdisk, -1);
    assert_int_equal(list.guests[1].ramdisk, -1);
    assert_int_equal(list.guests[1].domid, 3);
    assert_int_equal(list.next_id, 4);
    assert_string_equal(parse(NULL), "");
    assert_int_equal(list.nr, 0);
    assert_false(list.dom0);
}

static void faults(void **state)
{
    static const struct {
        const char *word, *wrong;
    } cases[] = {
        {"memory=12Q", "not a size"},
        {"memory=", "not a size"},
        {"memory=256", "too small (the suffix M is for MiB)"},
        {"memory=99999T", "too large"},
        {"memory=99999999999T", "too large"},
        {"vcpus=0", "too small"},
        {"vcpus=129", "too large"},
        {"vcpus=two", "not a number"},
        {"vcpus=4294967297", "too large"},
        {"weight=0", "too small"},
        {"weight=65536", "too large"},
        {"cap=12801", "too large"},
        {"cap=-1", "not a number"},
        {"cpus=64", "no such CPU"},
        {"cpus=1-", "not a list of CPUs"},
        {"cpus=", "not a list of CPUs"},
        {"restart=sometimes", "not never, reboot, crash or always"},
        {"domain=", "empty"},
        {"domain=a(b", "a name has letters, digits, '-', '_' and '.'"},
        {"domain=a\x1b[0m", "a name has letters, digits, '-', '_' and '.'"},
        {"domain=KR", "this name is the hypervisor's"},
        {"domain=x2345678901234567890123456789012", "too long"},
        {"frob=1", "unknown key"},
        {"quiet", "unknown key"},
        {"Memory=1M", "unknown key"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char line[256], want[256];
        snprintf(line, sizeof(line), "k domain=a memory=1M %s", cases[i].word);
        snprintf(want, sizeof(want), "module 2: a: not started: %s: %s\n", cases[i].word,
                 cases[i].wrong);
        assert_string_equal(parse("domain=z memory=1M", line, "i", "domain=y memory=1M", NULL),
                            want);
        assert_int_equal(list.nr, 2);
        assert_string_equal(list.guests[1].name, "y");
        assert_int_equal(list.guests[1].domid, 3);
    }
    char line[512] = "k domain=a memory=1M cpus=1";
    for (int i = 0; i < 100; i++)
        strcat(line, ",1");
    assert_non_null(strstr(parse(line, NULL), ": too long\n"));
}

static void names(void **state)
{
    assert_string_equal(
        parse("domain=a memory=1M", "domain=a memory=2M", "domain=b memory=1M", NULL),
        "module 2: a: not started: domain=a: there is one of this name\n");
    assert_int_equal(list.nr, 2);
    assert_int_equal(list.guests[0].memory, MIB(1));
    assert_int_equal(list.guests[1].domid, 3);
    /* The name of a refused guest is free. */
    assert_string_equal(
        parse("domain=a memory=0", "domain=a memory=1025K", NULL),
        "module 1: a: not started: memory=0: too small (the suffix M is for MiB)\n");
    assert_int_equal(list.nr, 1);
    assert_int_equal(list.guests[0].memory, MIB(1) + 4096);
    assert_string_equal(parse("domain=x234567890123456789012345678901 memory=1M", NULL), "");
    assert_int_equal(strlen(list.guests[0].name), GUEST_NAME_SIZE - 1);
}

static void first_word(void **state)
{
    /* Dropped only when it is no known key: a bad value in it still counts. */
    assert_string_equal(parse("/boot/v=1 domain=a memory=1M", NULL), "");
    assert_int_equal(list.nr, 1);
    assert_string_equal(parse("vcpus=0 domain=a memory=1M", NULL),
                        "module 1: a: not started: vcpus=0: too small\n");
    assert_int_equal(list.nr, 0);
    assert_string_equal(parse("a b domain=a memory=1M", NULL),
                        "module 1: a: not started: b: unknown key\n");
}

static void many(void **state)
{
    struct boot_module modules[BOOT_MAX_MODULES + 8];
    char lines[ARRAY_SIZE(modules)][40];
    for (unsigned int i = 0; i < ARRAY_SIZE(modules); i++) {
        snprintf(lines[i], sizeof(lines[i]), "domain=g%u memory=1M", i);
        modules[i] = (struct boot_module){.cmdline = lines[i]};
    }
    report[0] = '\0';
    modules_parse(&list, modules, ARRAY_SIZE(modules), collect);
    assert_int_equal(list.nr, BOOT_MAX_MODULES);
    assert_int_equal(list.guests[BOOT_MAX_MODULES - 1].domid, BOOT_MAX_MODULES);
}

UNIT_MAIN(cmocka_unit_test(two_guests), cmocka_unit_test(owners), cmocka_unit_test(faults),
          cmocka_unit_test(names), cmocka_unit_test(first_word), cmocka_unit_test(many))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host/uart_parse.c: com1= texts set what they name and keep the other defaults; bad ones change
 * nothing.
 */
#include "unit/unit.h"

#include "abi/xen.h"
#include "host/uart.h"

static const struct uart_config defaults = {115200, 3, 0x3f8, 4};

static void same(const struct uart_config *a, const struct uart_config *b)
{
    assert_int_equal(a->baud, b->baud);
    assert_int_equal(a->line, b->line);
    assert_int_equal(a->port, b->port);
    assert_int_equal(a->irq, b->irq);
}

static void good(void **state)
{
    static const struct {
        const char *text;
        struct uart_config c;
    } row[] = {
        {"115200", {115200, 3, 0x3f8, 4}},
        {"115200,8n1", {115200, 3, 0x3f8, 4}},
        {"9600,7e2", {9600, 0x1e, 0x3f8, 4}},
        {"auto", {0, 3, 0x3f8, 4}},
        {"auto,8o1", {0, 0x0b, 0x3f8, 4}},
        {"38400,8n1,0x2f8,3", {38400, 3, 0x2f8, 3}},
        {"115200,8n1,0x3f8,0", {115200, 3, 0x3f8, 0}},
        {"115200,,0x3e8", {115200, 3, 0x3e8, 4}},
        {"115200,8n1,,5", {115200, 3, 0x3f8, 5}},
        {"115200,", {115200, 3, 0x3f8, 4}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
        struct uart_config c = defaults;

        assert_int_equal(uart_parse(row[i].text, &c), 0);
        same(&c, &row[i].c);
    }
}

static void bad(void **state)
{
    static const char *const row[] = {"",
                                      "x",
                                      "0",
                                      "7",
                                      "115200,9n1",
                                      "115200,8",
                                      "115200,8x1",
                                      "115200,8n3",
                                      "115200,8n",
                                      "115200,8n1,0x10000",
                                      "autox",
                                      "115200x",
                                      "115200,8n1x",
                                      "1,8n1,0x3f8,16",
                                      "115200,8n1,0x3f8,4,"};

    for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
        struct uart_config c = defaults;

        assert_int_equal(uart_parse(row[i], &c), -XEN_EINVAL);
        same(&c, &defaults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

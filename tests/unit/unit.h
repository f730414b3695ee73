/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes: cmocka with the headers it wants first, and a one-line main.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The arguments are cmocka_unit_test(function) entries. */
#define UNIT_MAIN(...)                                            \
    int main(void)                                                \
    {                                                             \
        const struct CMUnitTest tests[] = {__VA_ARGS__};          \
        return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0; \
    }

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug keys: one letter, one report on the console. Handlers run in the loop, interrupts on, no
 * lock held, and print with log_info(); they bound their output.
 */
#ifndef KR_CORE_KEYS_H
#define KR_CORE_KEYS_H

#include "lib/types.h"

struct debug_key {
    char key;
    const char *what;
    void (*fn)(void);
};

/* Places a row in the table; file scope. */
#define DEBUG_KEY(letter, text, handler)              \
    static const struct debug_key debug_key_##handler \
        __attribute__((section("debug_keys"), used, aligned(8))) = {letter, text, handler}

/* Runs the handler of `key` ('h' lists all). False when there is none. */
bool debug_key_run(char key);

#endif

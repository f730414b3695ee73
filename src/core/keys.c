/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of debug keys, put together by the linker.
 */
#include "core/keys.h"
#include "core/printk.h"

extern const struct debug_key __start_debug_keys[], __stop_debug_keys[];

bool debug_key_run(char key)
{
    for (const struct debug_key *k = __start_debug_keys; k != __stop_debug_keys; k++)
        if (k->key == key) {
            log_info("'%c' pressed: %s", key, k->what);
            k->fn();
            return true;
        }
    return false;
}

static void list_keys(void)
{
    for (int c = '!'; c <= '~'; c++)
        for (const struct debug_key *k = __start_debug_keys; k != __stop_debug_keys; k++)
            if (k->key == c)
                log_info(" %c: %s", k->key, k->what);
}
DEBUG_KEY('h', "list the debug keys", list_keys);

/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal and its devices: see terminal.h. */
#include "boot/terminal.h"

#include "exit/exit.h"
#include "guest/console/terminal.h"
#include "host/console.h"

static const struct terminal_ops ops = {.write = console_write, .room = console_room};

static void console_work(void)
{
    int byte;

    console_drain();
    while ((byte = console_read()) >= 0)
        terminal_type((uint8_t)byte);
}

void terminal_boot(void)
{
    terminal_init(&ops);
}

void terminal_start(void)
{
    work_console_hook = console_work;
}

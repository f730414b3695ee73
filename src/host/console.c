/* SPDX-License-Identifier: Apache-2.0 */
/* The host's console devices: 16550 and screen. */
#include "host/console.h"
#include "arch/x86/cpu/trap.h"
#include "core/clock.h"
#include "core/lock.h"
#include "core/param.h"
#include "core/pcpu.h"
#include "core/printk.h"
#include "core/timer.h"
#include "host/uart.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"

#define POLL_PERIOD MSEC(20)

static struct ktimer poll_timer; /* of a serial port without an interrupt */
static struct spinlock console_lock = SPINLOCK_INIT(RANK_CONSOLE);
static bool serial, screen, forced; /* constant after boot; forced: once, by panic */
static unsigned int dropped;        /* [console_lock] pieces since the last report */

static bool serial_open(const char *option, uint16_t port, uint8_t irq)
{
    struct uart_config c = {.baud = 115200, .line = 3, .port = port, .irq = irq};

    if (*option && uart_parse(option, &c))
        log_warn("bad serial option '%s': defaults are used", option);
    return uart_init(&c);
}

void console_init(const struct framebuffer *fb)
{
    const char *list = params.console;
    char word[16];
    bool wanted_screen = false;

    while (parse_word(&list, ',', word, sizeof(word)) > 0) {
        if (!strcmp(word, "com1"))
            serial = serial || serial_open(params.com1, 0x3f8, 4);
        else if (!strcmp(word, "com2"))
            serial = serial || serial_open(params.com2, 0x2f8, 3);
        else if (!strcmp(word, "vga"))
            wanted_screen = true;
        else if (strcmp(word, "none") != 0)
            log_warn("unknown console '%s'", word);
    }
    if (wanted_screen)
        screen = screen_init(fb && fb->bytes ? fb : NULL);
    console_sink = console_write;
}

static void poll(void *arg)
{
    (void)arg;
    pcpu_raise(this_cpu()->id, WORK_CONSOLE);
    ktimer_start(&poll_timer, clock_now() + POLL_PERIOD, this_cpu()->id);
}

void console_irq_start(int (*route)(uint8_t irq, void (*handler)(void)))
{
    if (!serial || uart_irq_start(route))
        return;
    log_warn("serial port without an interrupt: it is polled");
    ktimer_init(&poll_timer, poll, NULL);
    poll(NULL);
}

/* One piece with line ends as terminals want them. */
static bool serial_write(const char *text, size_t n)
{
    char out[600];
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n')
            out[used++] = '\r';
        out[used++] = text[i];
    }
    return uart_write(out, used, forced || params.sync_console);
}

static void serial_piece(const char *text, size_t n)
{
    char note[64];

    if (dropped) {
        size_t length = format(note, sizeof(note), "(KR) [%u console writes dropped]\n", dropped);

        if (serial_write(note, length))
            dropped = 0;
    }
    if (dropped || !serial_write(text, n))
        dropped++;
}

/* Not locked while a panic is reported, which may have come from inside. */
static bool console_enter(void)
{
    if (forced || READ_ONCE(panicking) || READ_ONCE(trap_reporting))
        return false;
    lock(&console_lock);
    return true;
}

void console_write(const char *text, size_t n)
{
    bool locked = console_enter();

    while (n) {
        size_t part = min(n, (size_t)300);

        if (serial)
            serial_piece(text, part);
        if (screen)
            screen_write(text, part);
        text += part;
        n -= part;
    }
    if (locked)
        unlock(&console_lock);
}

size_t console_room(void)
{
    return serial && !params.sync_console ? uart_room() : SIZE_MAX;
}

void console_drain(void)
{
    bool locked = console_enter();

    uart_drain();
    if (locked)
        unlock(&console_lock);
}

int console_read(void)
{
    return uart_read();
}

void console_force(void)
{
    forced = true;
}

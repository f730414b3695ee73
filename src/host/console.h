/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's console devices behind one door: what console= names, a serial port or the screen.
 * Not here: prefixes of guests, the switch between them (the console multiplexer).
 */
#ifndef KR_HOST_CONSOLE_H
#define KR_HOST_CONSOLE_H

#include "host/vga.h"

/* Boot, parameters parsed: finds the devices and takes over console_sink. */
void console_init(const struct framebuffer *fb);
/* Boot: serial input and output by interrupt from here on. */
void console_irq_start(int (*route)(uint8_t irq, void (*handler)(void)));

/* Writes n bytes as one piece, '\n' as "\r\n" on serial lines; pieces that found no room are
 * counted and reported ahead of the next one that does. Any context but interrupts. */
void console_write(const char *text, size_t n);
/* How many bytes console_write() takes without waiting, a hint. */
size_t console_room(void);
/* WORK_CONSOLE: sends what waits. */
void console_drain(void);
/* The next byte typed, -1 when there is none. */
int console_read(void);
/* From here on every write waits until it is on the wire, and takes no lock: panic. */
void console_force(void);

#endif

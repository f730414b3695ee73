/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printf-style formatting into a buffer: %d %i %u %x %X %c %s %p %% with the flags - 0 + # and
 * space, width and precision (also *), and the length modifiers hh h l ll z. Not here: floating
 * point, %n.
 */
#ifndef KR_LIB_FORMAT_H
#define KR_LIB_FORMAT_H

#include "lib/types.h"

#include <stdarg.h>

/*
 * Like snprintf: writes at most size-1 characters and a terminator (nothing when size is 0),
 * returns the length that the whole text has.
 */
size_t format(char *buf, size_t size, const char *fmt, ...) printf_like(3, 4);
size_t vformat(char *buf, size_t size, const char *fmt, va_list ap) printf_like(3, 0);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text on the screen: the VGA's 80x25 text mode, or the pixel framebuffer that the boot loader
 * handed over. For machines without a serial port; the console lock guards it.
 */
#ifndef KR_HOST_VGA_H
#define KR_HOST_VGA_H

#include "lib/types.h"

struct framebuffer {
    hpa_t at;
    uint32_t pitch, width, height; /* bytes, pixels, pixels */
    uint8_t bytes;                 /* a pixel: 2, 3 or 4; 0 = there is no framebuffer */
};

/* Boot. `fb` as the boot loader says, or NULL for text mode. False: nothing to draw on. */
bool screen_init(const struct framebuffer *fb);
void screen_write(const char *text, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small fixed font for the framebuffer: printable ASCII in 8x16 cells, drawn as 5x7 dots.
 */
#ifndef KR_HOST_FONT_H
#define KR_HOST_FONT_H

/* Eight dots of line y (0..15) of a character, the leftmost in bit 7. */
unsigned int font_row(char ch, unsigned int y);

#endif

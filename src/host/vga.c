/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text on the screen. The text is kept in a grid of cells; scrolling compares old and new and draws
 * only what differs, because reading a framebuffer back is slow.
 */
#include "host/vga.h"
#include "arch/x86/cpu/io.h"
#include "arch/x86/cpu/mmu.h"
#include "host/font.h"

#define TEXT_AT      0xb8000
#define TEXT_SIZE    (80 * 25 * 2)
#define ATTRIBUTE    0x07
#define COLUMNS_MAX  240u
#define ROWS_MAX     100u
#define GLYPH_WIDTH  8u
#define GLYPH_HEIGHT 16u
#define CRTC_INDEX   0x3d4
#define CRTC_DATA    0x3d5

static struct framebuffer fb;
static volatile char *pixels; /* the framebuffer, or the text page */
static unsigned int columns, rows, column, row;
static char cell[ROWS_MAX][COLUMNS_MAX];

static void pixel_put(volatile char *at, bool on)
{
    for (unsigned int i = 0; i < fb.bytes; i++)
        at[i] = on ? (char)0xaa : 0;
}

static void glyph_draw(unsigned int r, unsigned int c, char ch)
{
    for (unsigned int y = 0; y < GLYPH_HEIGHT; y++) {
        unsigned int bits = font_row(ch, y);
        volatile char *at =
            pixels + (size_t)(r * GLYPH_HEIGHT + y) * fb.pitch + c * GLYPH_WIDTH * fb.bytes;

        for (unsigned int x = 0; x < GLYPH_WIDTH; x++)
            pixel_put(at + x * fb.bytes, (bits >> (GLYPH_WIDTH - 1 - x)) & 1);
    }
}

static void cell_set(unsigned int r, unsigned int c, char ch)
{
    if (cell[r][c] == ch)
        return;
    cell[r][c] = ch;
    if (fb.bytes)
        glyph_draw(r, c, ch);
    else
        *(volatile uint16_t *)(pixels + (r * columns + c) * 2) =
            (uint16_t)(ATTRIBUTE << 8 | (uint8_t)ch);
}

static void scroll(void)
{
    for (unsigned int r = 0; r < rows; r++)
        for (unsigned int c = 0; c < columns; c++)
            cell_set(r, c, r + 1 < rows ? cell[r + 1][c] : ' ');
}

static void cursor_show(void)
{
    unsigned int at = row * columns + column;

    if (fb.bytes)
        return;
    out8(CRTC_INDEX, 0x0e);
    out8(CRTC_DATA, (uint8_t)(at >> 8));
    out8(CRTC_INDEX, 0x0f);
    out8(CRTC_DATA, (uint8_t)at);
}

bool screen_init(const struct framebuffer *from)
{
    size_t size = TEXT_SIZE;
    hpa_t at = _hpa(TEXT_AT);

    columns = 80;
    rows = 25;
    if (from) {
        fb = *from;
        size = (size_t)fb.pitch * fb.height;
        at = fb.at;
        columns = min(fb.width / GLYPH_WIDTH, COLUMNS_MAX);
        rows = min(fb.height / GLYPH_HEIGHT, ROWS_MAX);
        if (!columns || !rows || fb.pitch / fb.bytes < fb.width)
            return false;
    }
    pixels = mmu_device_map(at, size, from != NULL);
    if (!pixels)
        return false;
    for (unsigned int r = 0; r < rows; r++)
        for (unsigned int c = 0; c < columns; c++)
            cell_set(r, c, ' ');
    return true;
}

void screen_write(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char ch = text[i];

        if (ch == '\n' || column == columns) {
            column = 0;
            if (++row == rows) {
                row--;
                scroll();
            }
        }
        if (ch >= ' ' && ch <= '~')
            cell_set(row, column++, ch);
    }
    cursor_show();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The font's dots: seven rows of five for each character from '!' on, the top row in the highest
 * bits. A row becomes two lines of the cell.
 */
#include "host/font.h"
#include "lib/types.h"

static const uint64_t glyph[] = {
    0x108421004, 0x294000000, 0x015f57d40, 0x11f4717c4, 0x672222273, 0x32544564d, 0x108000000,
    0x088842082, 0x208210888, 0x009575480, 0x0084f9080, 0x000001088, 0x0000f8000, 0x00000018c,
    0x042222210, 0x3a33ae62e, 0x11842108e, 0x3a213221f, 0x3a213062e, 0x08ca97c42, 0x7e1e0862e,
    0x3a10f462e, 0x7c2211084, 0x3a317462e, 0x3a317842e, 0x018c03180, 0x018c03088, 0x044441041,
    0x001f07c00, 0x410411110, 0x3a2131004, 0x3a37ade0f, 0x11518fe31, 0x7a31f463e, 0x3a308422e,
    0x72518c65c, 0x7e10f421f, 0x7e10f4210, 0x3a30bc62f, 0x4631fc631, 0x38842108e, 0x04210862e,
    0x4654c5251, 0x42108421f, 0x4775ac631, 0x4739ace71, 0x3a318c62e, 0x7a31f4210, 0x3a318d64d,
    0x7a31f5251, 0x3e107043e, 0x7c8421084, 0x46318c62e, 0x463152884, 0x4631ad771, 0x462a22a31,
    0x462a21084, 0x7c222221f, 0x39084210e, 0x420820821, 0x38421084e, 0x115100000, 0x00000001f,
    0x208000000, 0x000e0be2f, 0x421e8c63e, 0x000f8420f, 0x042f8c62f, 0x000e8fe0e, 0x1908e2108,
    0x01f18bc2e, 0x4216cc631, 0x100c2108e, 0x080610a4c, 0x4212a6292, 0x30842108e, 0x001aad6b5,
    0x0016cc631, 0x000e8c62e, 0x03d18fa10, 0x01f18bc21, 0x0016cc210, 0x000f8383e, 0x211c42106,
    0x00118c66d, 0x00118a944, 0x0011ad6aa, 0x001151151, 0x02318bc2e, 0x001f1111f, 0x0c8441083,
    0x108421084, 0x608411098, 0x0008a8800,
};
BUILD_BUG_ON(ARRAY_SIZE(glyph) != '~' - '!' + 1);

/* These reach below the line by one row. */
static bool descends(char ch)
{
    return ch == 'g' || ch == 'j' || ch == 'p' || ch == 'q' || ch == 'y' || ch == ',' || ch == ';';
}

unsigned int font_row(char ch, unsigned int y)
{
    unsigned int n = (unsigned char)ch - (unsigned int)'!', row = y / 2 - descends(ch);

    if (n >= ARRAY_SIZE(glyph) || row > 6)
        return 0;
    return (unsigned int)(glyph[n] >> (5 * (6 - row)) & 31) << 2;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checksums that zlib (RFC 1952 section 8) and liblzma (.xz format, section 6) would bring
 * along with 29 KiB of tables that do not compress, under the names of those libraries. Byte by
 * byte, with tables made at first use. Not part of the host build: there the libraries' own are
 * linked.
 */
#define ZLIB_CONST
#include <lzma.h>
#include <zlib.h>

#include "lib/types.h"

#define CRC32_REFLECTED 0xedb88320u
#define CRC64_REFLECTED 0xc96c5795d7870f42u

static uint64_t crc_step(uint64_t crc, uint64_t polynomial)
{
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
    return crc;
}

uint32_t lzma_crc32(const uint8_t *data, size_t size, uint32_t crc)
{
    static uint32_t table[256];

    for (unsigned int i = 0; i < 256 && !table[255]; i++)
        table[i] = (uint32_t)crc_step(i, CRC32_REFLECTED);
    crc = ~crc;
    while (size--)
        crc = crc >> 8 ^ table[(uint8_t)crc ^ *data++];
    return ~crc;
}

uint64_t lzma_crc64(const uint8_t *data, size_t size, uint64_t crc)
{
    static uint64_t table[256];

    for (unsigned int i = 0; i < 256 && !table[255]; i++)
        table[i] = crc_step(i, CRC64_REFLECTED);
    crc = ~crc;
    while (size--)
        crc = crc >> 8 ^ table[(uint8_t)crc ^ *data++];
    return ~crc;
}

/* No data means: give me the initial value. */
uLong crc32(uLong crc, const Bytef *data, uInt size)
{
    return data ? lzma_crc32(data, size, (uint32_t)crc) : 0;
}

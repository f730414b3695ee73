/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few fields of the Linux setup header that lead to the payload; offsets, the version and the
 * rule for setup_sects = 0 are those of Linux's documentation of the x86 boot protocol.
 */
#include <string.h>

#include "bzimage.h"

#define SETUP_SECTS         0x1f1 /* u8: sectors after the boot sector, 0 means 4 */
#define SETUP_SIGNATURE     0x202 /* "HdrS" */
#define SETUP_VERSION       0x206 /* u16 */
#define SETUP_PAYLOAD_START 0x248 /* u32, from the end of the setup sectors */
#define SETUP_PAYLOAD_SIZE  0x24c /* u32 */
#define SETUP_END           0x250

#define VERSION_PAYLOAD     0x208 /* the first with the two payload fields */
#define SECTOR              512u

bool bzimage_is(const uint8_t *image, size_t size)
{
    return size >= SETUP_VERSION && !memcmp(image + SETUP_SIGNATURE, "HdrS", 4);
}

bool bzimage_payload(const uint8_t **image, size_t *size, struct failure *f)
{
    const uint8_t *p = *image;
    uint16_t version;
    uint32_t start, length;

    if (*size < SETUP_END)
        return failure_set(f, LOADER_ERR_TRUNCATED, SETUP_END, *size);
    memcpy(&version, p + SETUP_VERSION, sizeof(version));
    memcpy(&start, p + SETUP_PAYLOAD_START, sizeof(start));
    memcpy(&length, p + SETUP_PAYLOAD_SIZE, sizeof(length));
    if (version < VERSION_PAYLOAD || !length)
        return failure_set(f, LOADER_ERR_BAD_BZIMAGE, version, length);

    uint64_t setup = (p[SETUP_SECTS] ? p[SETUP_SECTS] + 1u : 5u) * SECTOR;
    uint64_t from = setup + start, to = from + length;
    if (to > *size)
        return failure_set(f, LOADER_ERR_TRUNCATED, to, *size);
    *image = p + from;
    *size = length;
    return true;
}

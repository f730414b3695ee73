/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the compressed kernel inside a Linux bzImage (Linux documentation, x86 boot protocol).
 */
#ifndef LOADER_BZIMAGE_H
#define LOADER_BZIMAGE_H

#include "failure.h"

/* Whether the image carries the setup header's signature. */
bool bzimage_is(const uint8_t *image, size_t size);

/* Narrows *image, *size to the payload. Call only when bzimage_is. */
bool bzimage_payload(const uint8_t **image, size_t *size, struct failure *f);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The string functions of lib/string.h that no C library has, for metal and host alike.
 */
#include "lib/string.h"

bool str_copy(char *dst, const char *src, size_t size)
{
    if (!size)
        return false;
    size_t n = strnlen(src, size);
    bool fits = n < size;
    if (!fits)
        n = size - 1;
    memcpy(dst, src, n);
    dst[n] = '\0';
    return fits;
}

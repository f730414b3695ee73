/* SPDX-License-Identifier: Apache-2.0 */
/* Does not compile alone, and names a header of a higher floor. */
#include "core/other.h"
size_t bad(void);

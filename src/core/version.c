/* SPDX-License-Identifier: Apache-2.0 */
/* The build id: see version.h. */
#include "core/version.h"

const uint8_t *version_build_id;
size_t version_build_id_size;
const char *version_command_line = "";

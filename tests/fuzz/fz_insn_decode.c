/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insn/decode.c against Zydis on any bytes, in the mode that the first input byte chooses: length
 * and fields agree, and no byte beyond the input is read. LIBS: -lZydis
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/insn_zydis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum insn_mode mode = (enum insn_mode[]){INSN_16, INSN_32, INSN_64}[data[0] % 3];
    const char *why = zydis_disagrees(data + 1, (unsigned)size - 1, mode);
    if (why) {
        fprintf(stderr, "%u-bit: %s\n", 8 * mode, why);
        abort();
    }
    return 0;
}

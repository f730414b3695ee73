/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insn/exec.c against libunicorn on any instruction from any state. Input: a byte for the mode and
 * the bound of a REP, a byte for flags, 15 bytes of code, then registers, 8 bytes each; what is
 * missing is zero. The count of a REP is kept small. LIBS: -lunicorn
 */
#include <stdio.h>
#include <stdlib.h>

#include "unit/insn_unicorn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct {
        uint8_t mode, flags, code[INSN_MAX];
        uint64_t gpr[16];
    } packed_struct in = {0};
    memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));

    struct insn_case c = {.mode = (enum insn_mode[]){INSN_16, INSN_32, INSN_64}[in.mode % 3]};
    c.bound = in.mode / 3 % 8;
    c.rflags = 2 | (in.flags & (CF | PF | AF | ZF | SF)) | (in.flags & 2 ? OF : 0) |
               (in.flags & 8 ? DF : 0);
    memcpy(c.bytes, in.code, sizeof(c.bytes));
    for (unsigned r = 0; r < (c.mode == INSN_64 ? 16 : 8); r++)
        c.gpr[r] = c.mode == INSN_64 ? in.gpr[r] : (uint32_t)in.gpr[r];
    struct insn i;
    if (insn_decode(&i, c.bytes, sizeof(c.bytes), c.mode) != INSN_OK)
        return 0;
    if (i.rep)
        c.gpr[1] &= ~zero_extend(~7ULL, i.addrsize);
    /* The oracle clears the upper half of rCX even where there is nothing to repeat. */
    if (i.rep && c.mode == INSN_64 && i.addrsize == 4)
        c.gpr[1] &= 7;

    int what;
    const char *why = unicorn_disagrees(&c, &what);
    if (why) {
        fprintf(stderr, "%u-bit op %x: %s\n", 8 * c.mode, i.op, why);
        abort();
    }
    return 0;
}

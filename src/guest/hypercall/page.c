/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypercall page: a stub of 32 bytes for each number, `mov $n, %eax; vmmcall; ret`
 * (hypercalls.md S0.1); number 23 (iret) does not exist for HVM callers and is ud2.
 */
#include "guest/hypercall/hypercall.h"

#include "lib/string.h"

#define STUB_SIZE 32u

void hypercall_page_fill(void *page, const uint8_t insn[3])
{
    uint8_t *p = page;

    memset(page, 0xcc, PAGE_SIZE);
    for (uint32_t n = 0; n < PAGE_SIZE / STUB_SIZE; n++, p += STUB_SIZE) {
        if (n == __HYPERVISOR_iret) {
            p[0] = 0x0f;
            p[1] = 0x0b;
            continue;
        }
        p[0] = 0xb8;
        memcpy(p + 1, &n, sizeof(n));
        memcpy(p + 5, insn, 3);
        p[8] = 0xc3;
    }
}

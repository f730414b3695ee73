/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUID of the simulated machine. As it stands: every feature bit of an AMD CPU with AVX2, so that
 * what a guest sees is decided by the policy alone.
 */
#include "port/feature.h"

#include "lib/string.h"
#include "core/pcpu.h"

static const struct host_cpuid_row everything[] = {
    {0, 0, {0x10, 0x68747541, 0x444d4163, 0x69746e65}}, /* AuthenticAMD */
    {1, 0, {0x00a20f10, 0x07100800, 0xffffffff, 0xffffffff}},
    {2, 0, {1, 2, 3, 4}},
    {5, 0, {0x40, 0x40, 3, 0x11}},
    {6, 0, {0xff, 0xff, 0xff, 0}},
    {7, 0, {1, 0xffffffff, 0xffffffff, 0xffffffff}},
    {7, 1, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
    {0xa, 0, {0x08300405, 0, 0, 0x8604}},
    {0xb, 0, {1, 2, 0x100, 7}},
    {0xb, 1, {7, 16, 0x201, 7}},
    {0xd, 0, {0x21f, 0xa88, 0xa88, 0x40000000}},
    {0xd, 1, {0xffffffff, 0xa88, 0x1800, 0}},
    {0xd, 2, {0x100, 0x240, 0, 0}},
    {0xd, 3, {0x40, 0x3c0, 0, 0}},
    {0xd, 4, {0x40, 0x400, 0, 0}},
    {0xd, 9, {0x8, 0xa80, 0, 0}},
    {0x10, 0, {0, 2, 0, 0}},
    {0x80000000, 0, {0x80000023, 0x68747541, 0x444d4163, 0x69746e65}},
    {0x80000001, 0, {0x00a20f10, 0x20000000, 0xffffffff, 0xffffffff}},
    {0x80000002, 0, {0x756d6953, 0x6574616c, 0x50432064, 0x55}},
    {0x80000005, 0, {0xff40ff40, 0xff40ff40, 0x20080140, 0x20080140}},
    {0x80000006, 0, {0x48002200, 0x68004200, 0x02006140, 0x01009140}},
    {0x80000007, 0, {0, 0x3b, 0, 0xffffffff}},
    {0x80000008, 0, {0x00003030, 0xffffffff, 0x0000700f, 0x10007}},
    {0x8000000a, 0, {1, 0x8000, 0, 0xffffffff}},
    {0x80000019, 0, {0xf040f040, 0xf0400000, 0, 0}},
    {0x8000001a, 0, {6, 0, 0, 0}},
    {0x8000001b, 0, {0x3ff, 0, 0, 0}},
    {0x8000001d, 0, {0x00004121, 0x01c0003f, 0x3f, 0}},
    {0x8000001d, 1, {0x00004122, 0x01c0003f, 0x3f, 0}},
    {0x8000001d, 2, {0x00004143, 0x01c0003f, 0x3ff, 2}},
    {0x8000001d, 3, {0x0003c163, 0x03c0003f, 0x7fff, 1}},
    {0x8000001e, 0, {7, 0x103, 0x100, 0}},
    {0x8000001f, 0, {0x1780f, 0x16f, 0xf, 1}},
    {0x80000021, 0, {0xffffffff, 0, 0, 0}},
};

const struct host_cpuid_row *host_cpuid_table = everything;
unsigned int host_cpuid_rows = ARRAY_SIZE(everything);
uint64_t host_microcode_now = 0x0a201016;
static uint64_t xcr0[MAX_CPUS];

uint64_t host_xcr0(void)
{
    return xcr0[this_cpu()->id] | 1;
}

void host_xcr0_set(uint64_t value)
{
    xcr0[this_cpu()->id] = value;
}

void host_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    memset(out, 0, 4 * sizeof(*out));
    for (unsigned int i = 0; i < host_cpuid_rows; i++)
        if (host_cpuid_table[i].leaf == leaf && host_cpuid_table[i].sub == sub)
            memcpy(out, host_cpuid_table[i].reg, 4 * sizeof(*out));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The white list of CPUID: which bits of the host's leaves a guest may see (AMD APM vol. 3,
 * appendix E; Intel SDM vol. 2, CPUID). A bit is here when Krypton switches the state behind it or
 * there is none. Not here, and why: PCID, INVPCID, LA57, SVM, VMX, MONITOR, MONITORX (not emulated
 * or not tested); performance counters, IBS, LWP, MPX, RTM, HLE, CET, PKS, DBEXT, XSAVES, AMX,
 * SPEC_CTRL and its kin (state that is not switched); FFXSR, TCE (bits of EFER).
 */
#include "arch/x86/policy/policy.h"

#define B(n)      (1u << (n))
#define R(lo, hi) ((uint32_t)(~0u >> (31 - (hi))) & (~0u << (lo)))
#define ALL       0xffffffffu

/* FPU VME DE PSE TSC MSR PAE MCE CX8, MTRR PGE MCA CMOV PAT PSE36, MMX FXSR: in both of 1 and
 * 80000001. */
#define COMMON_EDX (R(0, 8) | R(12, 17) | R(23, 24))

#define LEAF_1_ECX                                                                                 \
    (B(0) /* SSE3 */ | B(1) /* PCLMUL */ | B(9) /* SSSE3 */ | B(12) /* FMA */ | B(13) /* CX16 */ | \
     B(19) /* SSE4.1 */ | B(20) /* SSE4.2 */ | B(22) /* MOVBE */ | B(23) /* POPCNT */ |            \
     B(25) /* AES */ | B(26) /* XSAVE */ | B(28) /* AVX */ | B(29) /* F16C */ |                    \
     B(30) /* RDRAND */)

#define LEAF_1_EDX (COMMON_EDX | B(11) /* SEP */ | B(19) /* CLFSH */ | B(25) | B(26) /* SSE, 2 */)

#define LEAF_7_EBX                                                                                \
    (B(0) /* FSGSBASE */ | B(3) /* BMI1 */ | B(5) /* AVX2 */ | B(6) /* FDP_EXCP */ |              \
     B(7) /* SMEP */ | B(8) /* BMI2 */ | B(9) /* ERMS */ | B(13) /* NO_FPU_SEL */ | B(16) |       \
     B(17) /* AVX512F, DQ */ | B(18) /* RDSEED */ | B(19) /* ADX */ | B(20) /* SMAP */ |          \
     B(21) /* AVX512_IFMA */ | B(23) /* CLFLUSHOPT */ | B(24) /* CLWB */ | B(28) /* AVX512CD */ | \
     B(29) /* SHA */ | B(30) | B(31) /* BW, VL */)

#define LEAF_7_ECX                                                                  \
    (B(1) /* AVX512_VBMI */ | B(2) /* UMIP */ | B(3) /* PKU */ | B(6) /* VBMI2 */ | \
     B(8) /* GFNI */ | B(9) /* VAES */ | B(10) /* VPCLMUL */ | B(11) /* VNNI */ |   \
     B(12) /* BITALG */ | B(14) /* VPOPCNTDQ */ | B(22) /* RDPID */)

#define LEAF_7_EDX \
    (B(2) | B(3) /* AVX512 4VNNIW, 4FMAPS */ | B(4) /* FSRM */ | B(8) /* VP2INTERSECT */ | B(14))

#define LEAF_7_1_EAX (B(4) /* AVX_VNNI */ | B(5) /* BF16 */ | R(10, 12) /* FZRM, FSRS, FSRC */)

#define EXT_1_ECX                                                                             \
    (B(0) /* LAHF */ | B(4) /* CR8_LEGACY */ | B(5) /* ABM */ | B(6) /* SSE4A */ |            \
     B(7) /* MISALIGNSSE */ | B(8) /* 3DNOWPREFETCH */ | B(11) /* XOP */ | B(16) /* FMA4 */ | \
     B(21) /* TBM */ | B(22) /* TOPOEXT */)

#define EXT_1_EDX                                                             \
    (COMMON_EDX | B(11) /* SYSCALL */ | B(20) /* NX */ | B(22) /* MMXEXT */ | \
     B(26) /* PAGE1GB */ | B(27) /* RDTSCP */ | B(29) /* LM */ | B(30) | B(31) /* 3DNOW */)

/* In order of leaf; a register's mask of 0 is filled by policy.c or is 0. */
const struct policy_row policy_rows[] = {
    {0x0, 0, {0, ALL, ALL, ALL}},                           /* vendor; the maximum is computed */
    {0x1, 0, {R(0, 27), R(8, 15), LEAF_1_ECX, LEAF_1_EDX}}, /* EBX: CLFLUSH line */
    {0x2, 0, {ALL, ALL, ALL, ALL}},                         /* cache and TLB descriptors (Intel) */
    {0x4, 0, {R(0, 9), ALL, ALL, R(0, 2)}}, /* caches (Intel); sharing is computed */
    {0x4, 1, {R(0, 9), ALL, ALL, R(0, 2)}},
    {0x4, 2, {R(0, 9), ALL, ALL, R(0, 2)}},
    {0x4, 3, {R(0, 9), ALL, ALL, R(0, 2)}},
    {0x7, 0, {0, LEAF_7_EBX, LEAF_7_ECX, LEAF_7_EDX}},
    {0x7, 1, {LEAF_7_1_EAX, 0, 0, 0}},
    {0xd, 1, {R(0, 2), 0, 0, 0}}, /* XSAVEOPT, XSAVEC, XGETBV1; not XSAVES */
    {0x80000000, 0, {0, ALL, ALL, ALL}},
    {0x80000001, 0, {R(0, 27), R(28, 31), EXT_1_ECX, EXT_1_EDX}},
    {0x80000002, 0, {ALL, ALL, ALL, ALL}}, /* the CPU's name */
    {0x80000003, 0, {ALL, ALL, ALL, ALL}},
    {0x80000004, 0, {ALL, ALL, ALL, ALL}},
    {0x80000005, 0, {ALL, ALL, ALL, ALL}}, /* L1 caches and TLBs */
    {0x80000006, 0, {ALL, ALL, ALL, ALL}}, /* L2, L3 */
    {0x80000008, 0, {0, B(0) /* CLZERO */ | B(2) /* RSTR_FP_ERR_PTRS */, 0, 0}},
    {0x80000019, 0, {ALL, ALL, 0, 0}},             /* TLBs for 1G pages */
    {0x8000001a, 0, {R(0, 2), 0, 0, 0}},           /* performance hints */
    {0x8000001d, 0, {R(0, 9), ALL, ALL, R(0, 1)}}, /* caches; sharing is computed */
    {0x8000001d, 1, {R(0, 9), ALL, ALL, R(0, 1)}},
    {0x8000001d, 2, {R(0, 9), ALL, ALL, R(0, 1)}},
    {0x8000001d, 3, {R(0, 9), ALL, ALL, R(0, 1)}},
    {0x80000021, 0, {B(2) /* LFENCE serialises */ | B(6) /* null selector clears base */, 0, 0, 0}},
};

const unsigned int policy_nr_rows = ARRAY_SIZE(policy_rows);

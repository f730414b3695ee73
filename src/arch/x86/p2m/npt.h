/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD's nested page table format for domain/p2m.c (AMD APM vol. 2, 15.25 and 5.3).
 */
#ifndef KR_ARCH_X86_P2M_NPT_H
#define KR_ARCH_X86_P2M_NPT_H

#include "domain/p2m.h"

extern const struct p2m_format npt_format;

#endif

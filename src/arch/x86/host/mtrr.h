/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory types: the same MTRRs and PAT on every CPU, as the boot CPU has them (firmware may forget
 * the others). AMD APM vol. 2 section 7.7, 7.8.
 */
#ifndef KR_ARCH_X86_HOST_MTRR_H
#define KR_ARCH_X86_HOST_MTRR_H

#include "lib/types.h"

/* Boot CPU: reads its MTRRs, sets its PAT. */
void mtrr_init(void);
/* Another CPU: compares, makes them equal where they differ; true when they did. Sets its PAT. */
bool mtrr_cpu_init(void);

#endif

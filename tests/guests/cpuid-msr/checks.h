/* SPDX-License-Identifier: Apache-2.0 */
/* Between the parts of the cpuid-msr guest: CPUID and control registers (main.c), msrs.c. */
#ifndef CPUID_MSR_CHECKS_H
#define CPUID_MSR_CHECKS_H

#include "guest.h"

void check_msrs(void);
void check_other_vcpu(void);

#endif

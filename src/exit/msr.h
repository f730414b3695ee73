/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between ex_msr.c and msr_state.c: numbers of the guests' MSRs (AMD APM vol. 2, appendix A) and
 * access to those that are part of a vCPU's register state. false: #GP. All [loaded].
 */
#ifndef KR_EXIT_MSR_H
#define KR_EXIT_MSR_H

#include "domain/domain.h"

#define MSR_TSC            0x10u
#define MSR_APIC_BASE      0x1bu
#define MSR_TSC_ADJUST     0x3bu
#define MSR_MICROCODE      0x8bu
#define MSR_SYSENTER_CS    0x174u
#define MSR_SYSENTER_ESP   0x175u
#define MSR_SYSENTER_EIP   0x176u
#define MSR_MCG_CAP        0x179u
#define MSR_MCG_STATUS     0x17au
#define MSR_DEBUGCTL       0x1d9u
#define MSR_PAT            0x277u
#define MSR_TSC_DEADLINE   0x6e0u
#define MSR_X2APIC_FIRST   0x800u
#define MSR_X2APIC_LAST    0x8ffu
#define MSR_HYPERCALL_PAGE 0x40000000u /* hypercalls.md S0.1 */
#define MSR_EFER           0xc0000080u
#define MSR_STAR           0xc0000081u
#define MSR_LSTAR          0xc0000082u
#define MSR_CSTAR          0xc0000083u
#define MSR_SFMASK         0xc0000084u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX        0xc0000103u
#define MSR_SYSCFG         0xc0010010u
#define MSR_HWCR           0xc0010015u
#define MSR_NB_CFG         0xc001001fu
#define MSR_INT_PENDING    0xc0010055u
#define MSR_DE_CFG         0xc0011029u

bool must_check msr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
bool must_check msr_write(struct vcpu *v, uint32_t msr, uint64_t value);

bool must_check msr_read_state(struct vcpu *v, uint32_t msr, uint64_t *value);
bool must_check msr_write_state(struct vcpu *v, uint32_t msr, uint64_t value);

#endif

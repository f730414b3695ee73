/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual machine control block: AMD APM vol. 2, appendix B (layout), C (exit codes), 15.20
 * (event injection), 15.21 (virtual interrupts). Bits and offsets only.
 */
#ifndef KR_ARCH_X86_SVM_VMCB_H
#define KR_ARCH_X86_SVM_VMCB_H

#include "lib/types.h"

/* Word 0: CR reads [15:0] and writes [31:16]; word 1: DR likewise; word 2: exceptions. */
#define ICEPT_CR_WRITE(n) (1u << (16 + (n)))
#define ICEPT_DR_ALL      0x00ff00ffu /* DR0-7, reads and writes */

/* Word 3 */
#define ICEPT_INTR     (1u << 0)
#define ICEPT_NMI      (1u << 1)
#define ICEPT_SMI      (1u << 2)
#define ICEPT_INIT     (1u << 3)
#define ICEPT_VINTR    (1u << 4)
#define ICEPT_RDPMC    (1u << 15)
#define ICEPT_CPUID    (1u << 18)
#define ICEPT_IRET     (1u << 20)
#define ICEPT_INVD     (1u << 22)
#define ICEPT_PAUSE    (1u << 23)
#define ICEPT_HLT      (1u << 24)
#define ICEPT_INVLPGA  (1u << 26)
#define ICEPT_IOIO     (1u << 27)
#define ICEPT_MSR      (1u << 28)
#define ICEPT_TASK     (1u << 29)
#define ICEPT_FERR     (1u << 30)
#define ICEPT_SHUTDOWN (1u << 31)

/* Word 4 */
#define ICEPT_VMRUN       (1u << 0)
#define ICEPT_VMMCALL     (1u << 1)
#define ICEPT_VMLOAD      (1u << 2)
#define ICEPT_VMSAVE      (1u << 3)
#define ICEPT_STGI        (1u << 4)
#define ICEPT_CLGI        (1u << 5)
#define ICEPT_SKINIT      (1u << 6)
#define ICEPT_WBINVD      (1u << 9)
#define ICEPT_MONITOR     (1u << 10)
#define ICEPT_MWAIT       (1u << 11)
#define ICEPT_MWAIT_ARMED (1u << 12)
#define ICEPT_XSETBV      (1u << 13)

/* vintr */
#define VINTR_TPR_MASK   0xfull
#define VINTR_IRQ        (1ull << 8)
#define VINTR_PRIO_SHIFT 16
#define VINTR_IGN_TPR    (1ull << 20)
#define VINTR_MASKING    (1ull << 24)

/* tlb_control */
#define TLB_KEEP      0u
#define TLB_FLUSH_ALL 1u

/* EVENTINJ and EXITINTINFO: vector 7:0, type 10:8, error code valid 11, valid 31, code 63:32 */
#define EVENT_HAS_ERROR (1ull << 11)
#define EVENT_VALID     (1ull << 31)

#define NP_ENABLE       1ull

struct vmcb_seg {
    uint16_t sel, attr;
    uint32_t limit;
    uint64_t base;
};

struct vmcb {
    uint32_t intercept[6]; /* 0x000 */
    uint8_t pad0[0x03c - 0x018];
    uint16_t pause_threshold; /* 0x03c */
    uint16_t pause_count;
    uint64_t iopm, msrpm, tsc_offset; /* 0x040 */
    uint32_t asid;                    /* 0x058 */
    uint8_t tlb_control, pad1[3];
    uint64_t vintr;    /* 0x060 */
    uint64_t shadow;   /* 0x068: bit 0 interrupt shadow */
    uint64_t exitcode; /* 0x070; quirk: only 32 bits of VMEXIT_INVALID may be set */
    uint64_t exitinfo1, exitinfo2, exitintinfo;
    uint64_t np_control; /* 0x090 */
    uint8_t pad2[16];
    uint64_t eventinj; /* 0x0a8 */
    uint64_t ncr3;
    uint64_t virt_ext; /* 0x0b8 */
    uint64_t clean;    /* 0x0c0 */
    uint64_t nrip;     /* 0x0c8 */
    uint8_t nr_bytes;  /* 0x0d0 */
    uint8_t bytes[15];
    uint8_t pad3[0x400 - 0x0e0];

    struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr; /* 0x400 */
    uint8_t pad4[0x4cb - 0x4a0];
    uint8_t cpl; /* 0x4cb */
    uint8_t pad5[4];
    uint64_t efer; /* 0x4d0 */
    uint8_t pad6[0x548 - 0x4d8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 0x548 */
    uint8_t pad7[0x5d8 - 0x580];
    uint64_t rsp; /* 0x5d8 */
    uint8_t pad8[24];
    uint64_t rax; /* 0x5f8 */
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2; /* 0x628 */
    uint8_t pad9[32];
    uint64_t g_pat; /* 0x668 */
    uint64_t debugctl, br_from, br_to, int_from, int_to;
    uint8_t pad10[0x1000 - 0x698];
};
BUILD_BUG_ON(sizeof(struct vmcb) != PAGE_SIZE);
BUILD_BUG_ON(offsetof(struct vmcb, exitcode) != 0x070);
BUILD_BUG_ON(offsetof(struct vmcb, eventinj) != 0x0a8);
BUILD_BUG_ON(offsetof(struct vmcb, es) != 0x400);
BUILD_BUG_ON(offsetof(struct vmcb, cpl) != 0x4cb);
BUILD_BUG_ON(offsetof(struct vmcb, cr4) != 0x548);
BUILD_BUG_ON(offsetof(struct vmcb, rsp) != 0x5d8);
BUILD_BUG_ON(offsetof(struct vmcb, rax) != 0x5f8);
BUILD_BUG_ON(offsetof(struct vmcb, cr2) != 0x640);
BUILD_BUG_ON(offsetof(struct vmcb, g_pat) != 0x668);

/* Exit codes */
#define SVM_EXIT_CR_WRITE(n) (0x10u + (n))
#define SVM_EXIT_DR_READ     0x20u
#define SVM_EXIT_DR_WRITE    0x30u
#define SVM_EXIT_EXCEPTION   0x40u
#define SVM_EXIT_INTR        0x60u
#define SVM_EXIT_NMI         0x61u
#define SVM_EXIT_SMI         0x62u
#define SVM_EXIT_INIT        0x63u
#define SVM_EXIT_VINTR       0x64u
#define SVM_EXIT_RDTSC       0x6eu
#define SVM_EXIT_RDPMC       0x6fu
#define SVM_EXIT_CPUID       0x72u
#define SVM_EXIT_IRET        0x74u
#define SVM_EXIT_INVD        0x76u
#define SVM_EXIT_PAUSE       0x77u
#define SVM_EXIT_HLT         0x78u
#define SVM_EXIT_INVLPGA     0x7au
#define SVM_EXIT_IOIO        0x7bu
#define SVM_EXIT_MSR         0x7cu
#define SVM_EXIT_TASK        0x7du
#define SVM_EXIT_FERR        0x7eu
#define SVM_EXIT_SHUTDOWN    0x7fu
#define SVM_EXIT_VMRUN       0x80u
#define SVM_EXIT_VMMCALL     0x81u
#define SVM_EXIT_SKINIT      0x86u
#define SVM_EXIT_RDTSCP      0x87u
#define SVM_EXIT_WBINVD      0x89u
#define SVM_EXIT_MONITOR     0x8au
#define SVM_EXIT_MWAIT_ARMED 0x8cu
#define SVM_EXIT_XSETBV      0x8du
#define SVM_EXIT_NPF         0x400u
#define SVM_EXIT_INVALID     0xffffffffu

/* NPF exitinfo1 */
#define NPF_PRESENT (1ull << 0)
#define NPF_WRITE   (1ull << 1)
#define NPF_FETCH   (1ull << 4)
#define NPF_TABLE   (1ull << 33)

#endif

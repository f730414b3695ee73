/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions and interrupts that hit Krypton itself. An exception is a bug (panic with registers
 * and backtrace) unless the instruction has a row in the exception table (msr.h). An interrupt runs
 * its vector's handler, interrupts off; handlers only set bits. Vectors of one machine-wide table.
 */
#ifndef KR_ARCH_X86_CPU_TRAP_H
#define KR_ARCH_X86_CPU_TRAP_H

#define TRAP_NMI         2
#define TRAP_DF          8
#define TRAP_GP          13
#define TRAP_PF          14
#define TRAP_MC          18
#define TRAP_STUB_SIZE   16
#define TRAP_ERROR_CODES 0x60227d00

/* Interrupt vectors; a higher one has priority. */
#define VECTOR_DEVICE_FIRST 0x30 /* irq_vector_alloc() */
#define VECTOR_DEVICE_LAST  0xdf
#define VECTOR_TIMER        0xf0
#define VECTOR_KICK         0xf1
#define VECTOR_APIC_ERROR   0xfe
#define VECTOR_SPURIOUS     0xff

#ifndef __ASSEMBLY__
#include "lib/types.h"

struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

void trap_handle(struct trap_frame *f); /* entry.S */

/* Boot, or before the vector can fire. */
void irq_handler_set(uint8_t vector, void (*fn)(void));
/* The next free device vector, 0 when there is none. Boot. */
uint8_t irq_vector_alloc(void);
/* Ends the interrupt in service; set by the local APIC's driver. */
extern void (*irq_end)(void);

/* A panicking CPU stops the others with NMIs (host/power.c). */
extern bool trap_stopping;
/* An exception is being reported: consoles take no lock, and its backtrace is the one that matters.
 */
extern bool trap_reporting;

/* Prints "  name+0x12/ 0xaddr" lines for the call chain from frame pointer `rbp`. */
void backtrace_print(uint64_t rip, const uint64_t *rbp);
#endif

#endif

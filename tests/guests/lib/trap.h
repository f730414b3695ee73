/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions and interrupts. An exception at a probed instruction (cpu.h) goes to the probe; others
 * to the vector's handler; an exception with neither is the verdict ERROR. A handler of an
 * interrupt from the local APIC calls apic_eoi itself.
 */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include "regs.h"

void trap_init(void);     /* once, vCPU 0 */
void trap_init_cpu(void); /* on each vCPU */
void trap_handler(unsigned int vector, void (*fn)(struct regs *));
void trap_dispatch(struct regs *r);

/* The width's own code (x64, x32): the layout of shared pages; one IDT entry; the IDT itself. */
void shared_width_init(void);
void idt_set(unsigned int vector, unsigned long target, unsigned int dpl);
void idt_load(void);
extern unsigned long trap_cr2; /* of the last #PF */

/* vCPU 0 of a 64-bit guest takes exceptions on a stack of its own, STACK_SIZE and aligned. */
void trap_own_stack(void *end);

#endif

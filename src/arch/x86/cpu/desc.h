/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptor tables: a GDT and a TSS per CPU, at the same address on each, and one IDT. NMI, double
 * fault and machine check have stacks of their own (IST), so that they work whatever RSP is.
 */
#ifndef KR_ARCH_X86_CPU_DESC_H
#define KR_ARCH_X86_CPU_DESC_H

/* Boot CPU, early: fills the IDT and loads it. Exceptions on their own stacks work only after
 * desc_cpu_init(). */
void desc_idt_init(void);
/* Every CPU, on its own tables and stack: GDT, TSS, IDT. */
void desc_cpu_init(void);

#endif

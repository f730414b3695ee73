/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the terminal (guest/console) on the host's console devices (host/console).
 */
#ifndef KR_BOOT_TERMINAL_H
#define KR_BOOT_TERMINAL_H

/* Right after console_init(): Krypton's lines go through the terminal. */
void terminal_boot(void);
/* After console_irq_start(): the keyboard works. */
void terminal_start(void);

#endif

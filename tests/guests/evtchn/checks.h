/* SPDX-License-Identifier: Apache-2.0 */
/* Between the 2-level half (main.c) and the FIFO half (fifo.c) of the evtchn guest. */
#ifndef EVTCHN_CHECKS_H
#define EVTCHN_CHECKS_H

#include "events.h"

void interrupts_window(void);
unsigned int callbacks(void);
unsigned int upcalls(unsigned int vcpu); /* of the APIC kind, taken by that vCPU */
unsigned int upcalls_soon(unsigned int vcpu, unsigned int want); /* waits for it */

void check_fifo(void);
void check_reset(void);

#endif

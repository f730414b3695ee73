/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console of a boot-time guest: the ring page (public io/console.h) behind an event channel
 * whose far end is Krypton, console_io, and port 0xE9. All three write to the terminal
 * (guest/console/terminal.h) at a limited rate: a ring is left full meanwhile, a vCPU that writes
 * by console_io or the port waits.
 */
#ifndef KR_GUEST_CONSOLE_H
#define KR_GUEST_CONSOLE_H

#include "domain/domain.h"

/* Gives d its console: d->console, the ring page at `ring` (RAM of d outside its memory map), the
 * event channel, HVM parameters CONSOLE_PFN and CONSOLE_EVTCHN. While building. On failure the
 * domain's end cleans up. */
int must_check guest_console_attach(struct domain *d, gfn_t ring);

/* Teardown, every vCPU has stopped: lets go of the page, the timers and the terminal. */
void guest_console_release(struct domain *d);
/* The domain is freed. */
void guest_console_destroy(struct domain *d);

/* Debug key: one line. */
void guest_console_dump(struct domain *d);

#endif

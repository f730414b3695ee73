/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console of a boot-time guest: its ring, behind an event channel whose far end is Krypton.
 */
#ifndef KR_GUEST_CONSOLE_H
#define KR_GUEST_CONSOLE_H

#include "domain/domain.h"

/* Gives d its console: d->console, the ring page at `ring` (RAM of d outside its memory map), the
 * event channel, HVM parameters CONSOLE_PFN and CONSOLE_EVTCHN. While building. */
int must_check guest_console_attach(struct domain *d, gfn_t ring);

#endif

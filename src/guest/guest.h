/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What floor 5 adds to every domain: its device bus and the devices on it.
 */
#ifndef KR_GUEST_GUEST_H
#define KR_GUEST_GUEST_H

/* Boot, before the first domain: fills the ops tables of floor 4 (domain_hooks, intc). */
void guest_init(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two halves of the grants guest: alone (main.c) and with a peer (peer.c). */
#ifndef GRANTS_CHECKS_H
#define GRANTS_CHECKS_H

#include "events.h"
#include "grant.h"

void check_peer(void);

/* The granting side gives, the other checks; one domain may be both. */
void give_for_errors(domid_t to);
void check_map_errors(domid_t from);
void give_for_batch(domid_t to);
void check_batch(domid_t from);
void check_all_ended(void);

#endif

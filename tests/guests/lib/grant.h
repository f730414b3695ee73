/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant table version 1, both sides, and the meeting of two guests that know each other's domain
 * id. Public header: xen/grant_table.h.
 */
#ifndef GUEST_GRANT_H
#define GUEST_GRANT_H

#include "guest.h"

#define GRANT_FIRST  8u /* lower references are the toolstack's */
#define GRANT_FRAMES 2u
#define GRANT_REFS   (GRANT_FRAMES * PAGE_SIZE / sizeof(grant_entry_v1_t))

domid_t own_domid(void); /* CPUID leaf base + 4 */
void grant_init(void);   /* maps the table's frames */
volatile grant_entry_v1_t *grant_entry(grant_ref_t ref);
void grant_give(grant_ref_t ref, domid_t to, const void *page, unsigned int flags);
/* Takes the grant back; false while the other side still uses it. */
bool grant_end(grant_ref_t ref);

/* They return GNTST_*. `at` is a guest-physical address, best one with nothing behind it. */
int grant_map(domid_t from, grant_ref_t ref, unsigned long at, unsigned int flags,
              grant_handle_t *handle);
int grant_unmap(unsigned long at, grant_handle_t handle);
/* One copy operation with the operands as they are, GNTCOPY_* in flags. */
int grant_copy(struct gnttab_copy *op);

/* Guest-physical space that holds no RAM, MMIO or special page. */
#define GRANT_WINDOW 0xe0000000ul

/*
 * Two guests meet: `role=server peer=<domid>` and `role=client peer=<domid>` on their command
 * lines. The server grants its peer_page with reference GRANT_FIRST, read-write, and offers a port;
 * the client maps the page and binds the port. peer_step(n) returns when both sides have called it.
 */
struct peer_page {
    uint32_t magic, port;
    uint32_t step[2]; /* server, client */
    uint32_t words[256];
};
struct peer {
    domid_t domid;
    bool server;
    evtchn_port_t port;
    struct peer_page *page; /* shared by both */
    grant_handle_t handle;  /* client */
};
bool peer_wanted(void);
void peer_meet(struct peer *p); /* waits up to 60 s, else the verdict is ERROR */
void peer_step(struct peer *p, uint32_t step);
void peer_part(struct peer *p); /* the client unmaps, both close the port */

#endif

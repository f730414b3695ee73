/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages that a guest shares with Krypton for long: shared_info, vcpu_info, runstate, FIFO control
 * blocks and event arrays. Registering takes a reference on the frame; every use maps it through a
 * window. Field access by port/mem.h, each field once; nothing in such a page is trusted.
 */
#ifndef KR_DOMAIN_SHARED_H
#define KR_DOMAIN_SHARED_H

#include "domain/domain.h"
#include "mem/window.h"

/* Registers the RAM page at gfn of d. -XEN_EINVAL: not plain writable RAM of the domain. */
int must_check shared_register(struct domain *d, gfn_t gfn, struct shared_page *page);
/* Unregisters; nothing when it is not registered. Nobody has it mapped. */
void shared_release(struct shared_page *page);

static inline bool shared_present(const struct shared_page *page)
{
    return page->mfn.v != FRAME_NONE;
}

/* The page's address on this CPU until shared_unmap(). Only when present. */
static inline void *must_check shared_map(const struct shared_page *page)
{
    return window_map(page->mfn);
}
static inline void shared_unmap(const void *va)
{
    window_unmap(va);
}

/* v's vcpu_info in use (registered area or slot in shared_info), NULL when it has none.
 * shared_unmap() afterwards. */
struct vcpu_info *must_check vcpu_info_map(struct vcpu *v);

/* Field offsets in the layout in use (d->wide): evtchn_pending, evtchn_mask, wc_*, arch.*. */
struct shared_layout {
    uint16_t evtchn_pending, evtchn_mask, wc_version, wc_sec, wc_nsec, wc_sec_hi;
    uint16_t word_bits;                         /* of pending/mask/pending_sel words: 64 or 32 */
    uint16_t max_ports;                         /* of the 2-level ABI: 4096 or 1024 */
    uint16_t vcpu_info_size, pending_sel, time; /* offsets inside vcpu_info */
};
const struct shared_layout *shared_layout(const struct domain *d);

#endif

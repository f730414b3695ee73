/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the builder of boot-time guests does when the in-guest loader reports: filled by floor 7.
 */
#ifndef KR_GUEST_LOADER_CALLS_H
#define KR_GUEST_LOADER_CALLS_H

#include "guest/hypercall/hypercall.h"

/* On the loader's vCPU, loaded; arguments are the guest's word. The vCPU does not run again in
 * the loader: the hook pauses it. */
struct loader_hooks {
    void (*done)(struct domain *d, uint64_t entry, uint64_t low, uint64_t high, uint64_t heap);
    void (*fail)(struct domain *d, uint32_t code, uint64_t a, uint64_t b, uint64_t least);
};
extern const struct loader_hooks *loader_hooks;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared pages and the two layouts of shared_info: the public xen.h's for 64-bit guests, and the
 * same structures with 4-byte longs for 32-bit ones (fixed numbers below).
 */
#include "domain/shared.h"
#include "mem/frame.h"

int shared_register(struct domain *d, gfn_t gfn, struct shared_page *page)
{
    struct page *pg = p2m_get_own_page(d, gfn, true);

    if (!pg)
        return -XEN_EINVAL;
    page->mfn = page_mfn(pg);
    return 0;
}

void shared_release(struct shared_page *page)
{
    mfn_t mfn = page->mfn;

    page->mfn = MFN_NONE;
    if (mfn.v != FRAME_NONE)
        page_put(page_of(mfn));
}

#define SHARED(field) offsetof(struct shared_info, field)
#define INFO(field)   offsetof(struct vcpu_info, field)

static const struct shared_layout wide = {
    .evtchn_pending = SHARED(evtchn_pending),
    .evtchn_mask = SHARED(evtchn_mask),
    .wc_version = SHARED(wc_version),
    .wc_sec = SHARED(wc_sec),
    .wc_nsec = SHARED(wc_nsec),
    .wc_sec_hi = SHARED(wc_sec_hi),
    .word_bits = 64,
    .max_ports = 64 * 64,
    .vcpu_info_size = sizeof(struct vcpu_info),
    .pending_sel = INFO(evtchn_pending_sel),
    .time = INFO(time),
};
BUILD_BUG_ON(sizeof(struct vcpu_info) != 64 || INFO(time) != 32);

/* vcpu_info: pending, mask (4 bytes), pending_sel, arch (6 * 4 bytes), time. shared_info: 32 of
 * them, 32 words pending, 32 words mask, wall clock, arch (max_pfn, list, nmi_reason, p2m_cr3,
 * p2m_vaddr, p2m_generation, then wc_sec_hi). */
static const struct shared_layout narrow = {
    .evtchn_pending = 2048,
    .evtchn_mask = 2048 + 128,
    .wc_version = 2048 + 256,
    .wc_sec = 2048 + 260,
    .wc_nsec = 2048 + 264,
    .wc_sec_hi = 2048 + 268 + 24,
    .word_bits = 32,
    .max_ports = 32 * 32,
    .vcpu_info_size = 64,
    .pending_sel = 4,
    .time = 32,
};

const struct shared_layout *shared_layout(const struct domain *d)
{
    return d->wide ? &wide : &narrow;
}

struct vcpu_info *vcpu_info_map(struct vcpu *v)
{
    struct shared_page page = {_mfn(READ_ONCE(v->info.mfn.v))};
    uint64_t offset = v->id * sizeof(struct vcpu_info);

    smp_rmb(); /* the offset comes first when both are set: VCPUOP_register_vcpu_info */
    if (shared_present(&page))
        offset = v->info_offset;
    else if (v->id < XEN_LEGACY_MAX_VCPUS)
        page = v->domain->shared_info;
    if (!shared_present(&page))
        return NULL;
    char *va = shared_map(&page);
    return (struct vcpu_info *)(void *)(va + offset);
}

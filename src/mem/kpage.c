/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that Krypton owns, with a linear address while it does. The address space is shared by
 * all CPUs, so freed frames wait for a TLB flush round, many for one.
 */
#include "core/lock.h"
#include "core/printk.h"
#include "lib/string.h"
#include "mem/heap.h"

#include "port/mmu.h"

/* Freed pages that may wait. */
#define BATCH 64u

void (*kpage_flush_hook)(void);

static struct spinlock kpage_lock = SPINLOCK_INIT(RANK_HEAP);
/* [lock] blocks that wait: linked by page.next, the order in page.prev. */
static uint32_t waiting;
static unsigned int nr_waiting;

mfn_t kva_mfn(const void *va)
{
    return _mfn(((uintptr_t)va - KVA_VIRT) >> PAGE_SHIFT);
}

void *mfn_kva(mfn_t mfn)
{
    return (void *)(KVA_VIRT + (mfn.v << PAGE_SHIFT));
}

void *kpage_alloc(unsigned int order)
{
    bool dirty;
    mfn_t mfn = heap_take(order, 0, &dirty);

    if (mfn.v == FRAME_NONE)
        return NULL;
    lock(&kpage_lock);
    int err = mmu_kva_map(mfn, order);
    unlock(&kpage_lock);
    if (err) {
        heap_free(mfn, order);
        return NULL;
    }
    for (uint64_t i = 0; i < 1ULL << order; i++)
        page_assign(page_of(mfn_add(mfn, i)), FRAME_OWNER_KRYPTON, 0);
    void *va = mfn_kva(mfn);
    if (dirty)
        memset(va, 0, PAGE_SIZE << order);
    return va;
}

void kpage_free(void *va, unsigned int order)
{
    mfn_t mfn = kva_mfn(va);
    struct page *pg = page_of(mfn);

    for (uint64_t i = 0; i < 1ULL << order; i++) {
        BUG_ON(pg[i].state != page_state(FRAME_OWNER_KRYPTON, 0, 0, 1));
        WRITE_ONCE(pg[i].state, page_state(FRAME_OWNER_FREE, 0, 0, 0));
    }
    lock(&kpage_lock);
    mmu_kva_unmap(mfn, order);
    pg->next = waiting;
    pg->prev = order;
    waiting = (uint32_t)mfn.v;
    nr_waiting += 1u << order;
    bool full = nr_waiting >= BATCH;
    unlock(&kpage_lock);
    if (full)
        kpage_drain();
}

bool kpage_drain(void)
{
    lock(&kpage_lock);
    uint32_t list = waiting;
    waiting = 0;
    nr_waiting = 0;
    unlock(&kpage_lock);
    if (!list)
        return false;
    mmu_flush_all();
    if (kpage_flush_hook)
        kpage_flush_hook();
    while (list) {
        struct page *pg = page_of(_mfn(list));
        uint32_t mfn = list;
        list = pg->next;
        heap_free(_mfn(mfn), pg->prev);
    }
    return true;
}

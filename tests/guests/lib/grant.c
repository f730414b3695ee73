/* SPDX-License-Identifier: Apache-2.0 */
/* Grant table version 1 and the meeting of two guests; see grant.h. */
#include "grant.h"
#include "events.h"

#define PEER_MAGIC 0x52454550u

static grant_entry_v1_t table[GRANT_REFS] aligned_to(4096);
static uint8_t page[PAGE_SIZE] aligned_to(4096);

domid_t own_domid(void)
{
    return (domid_t)cpuid(0x40000004, 0).c;
}

void grant_init(void)
{
    static bool done;
    for (unsigned int f = GRANT_FRAMES; !done && f-- > 0;)
        if (map_shared_page(XENMAPSPACE_grant_table, f, (uint8_t *)table + f * PAGE_SIZE))
            test_error("grant table frame %u cannot be mapped", f);
    done = true;
}

volatile grant_entry_v1_t *grant_entry(grant_ref_t ref)
{
    return &table[ref];
}

void grant_give(grant_ref_t ref, domid_t to, const void *what, unsigned int flags)
{
    table[ref].domid = to;
    table[ref].frame = (uint32_t)((unsigned long)what >> 12);
    __atomic_store_n(&table[ref].flags, (uint16_t)(GTF_permit_access | flags), __ATOMIC_SEQ_CST);
}

bool grant_end(grant_ref_t ref)
{
    uint16_t flags = table[ref].flags;
    do {
        if (flags & (GTF_reading | GTF_writing))
            return false;
    } while (!__atomic_compare_exchange_n(&table[ref].flags, &flags, 0, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    return true;
}

int grant_map(domid_t from, grant_ref_t ref, unsigned long at, unsigned int flags,
              grant_handle_t *handle)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = at, .flags = flags, .ref = ref, .dom = from, .status = 99};
    long rc = grant_op(GNTTABOP_map_grant_ref, &m, 1);
    if (rc)
        fail("map_grant_ref itself: %ld", rc);
    *handle = m.handle;
    return m.status;
}

int grant_unmap(unsigned long at, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = at, .handle = handle, .status = 99};
    long rc = grant_op(GNTTABOP_unmap_grant_ref, &u, 1);
    if (rc)
        fail("unmap_grant_ref itself: %ld", rc);
    return u.status;
}

int grant_copy(struct gnttab_copy *op)
{
    op->status = 99;
    long rc = grant_op(GNTTABOP_copy, op, 1);
    if (rc)
        fail("copy itself: %ld", rc);
    return op->status;
}

bool peer_wanted(void)
{
    return param("role") != NULL;
}

void peer_meet(struct peer *p)
{
    uint64_t end = now_ns() + 60000000000ull;
    p->domid = (domid_t)param_num("peer", 0);
    p->server = param_is("role", "server");
    grant_init();
    if (p->server) {
        p->page = (struct peer_page *)(void *)page;
        long port = port_unbound(p->domid);
        if (port < 0)
            test_error("no port for the peer: %ld", port);
        p->port = p->page->port = (evtchn_port_t)port;
        __atomic_store_n(&p->page->magic, PEER_MAGIC, __ATOMIC_RELEASE);
        grant_give(GRANT_FIRST, p->domid, page, 0);
    } else {
        p->page = (struct peer_page *)GRANT_WINDOW;
        while (grant_map(p->domid, GRANT_FIRST, GRANT_WINDOW, GNTMAP_host_map, &p->handle)) {
            sched_op(SCHEDOP_yield, 0);
            if (now_ns() > end)
                test_error("domain %u does not appear", p->domid);
        }
        if (p->page->magic != PEER_MAGIC)
            test_error("domain %u granted something else", p->domid);
        long port = port_interdomain(p->domid, p->page->port);
        if (port < 0)
            test_error("the peer's port %u cannot be bound: %ld", p->page->port, port);
        p->port = (evtchn_port_t)port;
    }
    peer_step(p, 1);
}

void peer_step(struct peer *p, uint32_t step)
{
    uint64_t end = now_ns() + 60000000000ull;
    __atomic_store_n(&p->page->step[!p->server], step, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&p->page->step[p->server], __ATOMIC_SEQ_CST) < step) {
        sched_op(SCHEDOP_yield, 0);
        if (now_ns() > end)
            test_error("the peer does not come to step %u", step);
    }
}

void peer_part(struct peer *p)
{
    uint64_t end = now_ns() + 60000000000ull;
    port_close(p->port);
    if (!p->server) {
        EXPECT(grant_unmap(GRANT_WINDOW, p->handle), GNTST_okay);
        return;
    }
    while (!grant_end(GRANT_FIRST)) {
        sched_op(SCHEDOP_yield, 0);
        if (now_ns() > end)
            test_error("the peer does not unmap");
    }
}

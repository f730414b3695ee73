/* SPDX-License-Identifier: Apache-2.0 */
/* What needs another guest: its page mapped and copied, events to and fro. */
#include "bench.h"

enum { REF_PAGE = GRANT_FIRST + 1 };

static uint8_t page[PAGE_SIZE] aligned_to(4096);

void bench_give(struct peer *p)
{
    grant_give(REF_PAGE, p->domid, page, 0);
}

static void map_unmap(void)
{
    grant_handle_t h;
    unsigned long at = GRANT_WINDOW + PAGE_SIZE;
    if (grant_map(peer.domid, REF_PAGE, at, GNTMAP_host_map, &h) || grant_unmap(at, h))
        fail("grant map and unmap");
}

static void copy(void)
{
    struct gnttab_copy c = {.flags = GNTCOPY_source_gref, .len = PAGE_SIZE};
    c.source.u.ref = REF_PAGE;
    c.source.domid = peer.domid;
    c.dest.u.gmfn = (unsigned long)page >> 12;
    c.dest.domid = DOMID_SELF;
    if (grant_copy(&c))
        fail("grant copy");
}

static void ping_pong(void)
{
    port_send(peer.port);
    while (!two_pending(peer.port))
        port_poll(peer.port, 0);
    two_clear(peer.port);
}

void bench_domains(void)
{
    bench_run("grant-map-unmap", map_unmap, 2800, 35828);
    bench_run("grant-copy-4K", copy, 1800, 17085);
    bench_run("ping-pong", ping_pong, 4500, 41912);
}

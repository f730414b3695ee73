/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two domains: the server grants, the client maps and copies, both count each other's events. Steps
 * keep them in line; see grant.h.
 */
#include "checks.h"

enum { REF_RO = 9, REF_RW, REF_FOREIGN };
static uint32_t pages[3][1024] aligned_to(4096);
static volatile uint32_t *const mapped = (volatile uint32_t *)(GRANT_WINDOW + PAGE_SIZE);

static void server(struct peer *p)
{
    pages[0][0] = 0x1234;
    pages[1][0] = 0x5678;
    grant_give(REF_RO, p->domid, pages[0], GTF_readonly);
    grant_give(REF_RW, p->domid, pages[1], 0);
    grant_give(REF_FOREIGN, 0x123, pages[2], 0);
    peer_step(p, 2); /* the client maps */
    peer_step(p, 3);
    CHECK(!grant_end(REF_RO) && !grant_end(REF_RW), "a grant ended while it was mapped");
    EXPECT(pages[1][1], 0xcafe);
    EXPECT(pages[0][1], 0);
    pages[0][2] = 0xbeef;
    peer_step(p, 4); /* the client reads that, copies, unmaps */
    peer_step(p, 5);
    CHECK(grant_end(REF_RO) && grant_end(REF_RW), "a grant is still in use");
    EXPECT(pages[1][10], 0x1234);
}

static void client(struct peer *p)
{
    grant_handle_t ro, rw, none;
    peer_step(p, 2);
    EXPECT(grant_map(p->domid, REF_RO, (unsigned long)mapped, GNTMAP_host_map, &none),
           GNTST_general_error);
    EXPECT(
        grant_map(p->domid, REF_RO, (unsigned long)mapped, GNTMAP_host_map | GNTMAP_readonly, &ro),
        GNTST_okay);
    EXPECT(grant_map(p->domid, REF_RW, (unsigned long)mapped + PAGE_SIZE, GNTMAP_host_map, &rw),
           GNTST_okay);
    EXPECT(grant_map(p->domid, REF_FOREIGN, (unsigned long)mapped + 2 * PAGE_SIZE, GNTMAP_host_map,
                     &none),
           GNTST_general_error);
    EXPECT(mapped[0], 0x1234);
    EXPECT(mapped[1024], 0x5678);
    mapped[1] = 1; /* discarded */
    mapped[1025] = 0xcafe;
    peer_step(p, 3);
    peer_step(p, 4);
    EXPECT(mapped[2], 0xbeef);
    EXPECT(mapped[1], 0);
    struct gnttab_copy c = {.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref, .len = 4};
    c.source.u.ref = REF_RO;
    c.dest.u.ref = REF_RW;
    c.dest.offset = 40;
    c.source.domid = c.dest.domid = p->domid;
    EXPECT(grant_copy(&c), GNTST_okay);
    EXPECT(grant_unmap((unsigned long)mapped, ro), GNTST_okay);
    EXPECT(grant_unmap((unsigned long)mapped + PAGE_SIZE, rw), GNTST_okay);
    EXPECT(mapped[0], 0xffffffff);
    peer_step(p, 5);
}

/* 100 events each way, each waited for. */
static void ping_pong(struct peer *p)
{
    two_mask(p->port, true);
    two_clear(p->port);
    peer_step(p, 6);
    for (unsigned int i = 0; i < 100; i++) {
        if (!p->server)
            EXPECT(port_send(p->port), 0);
        EXPECT(port_poll(p->port, now_ns() + 20000000000ull), 0);
        if (!two_pending(p->port)) {
            fail("event %u did not come", i);
            break;
        }
        two_clear(p->port);
        if (p->server)
            EXPECT(port_send(p->port), 0);
    }
    peer_step(p, 7);
}

void check_peer(void)
{
    struct peer p;
    unsigned int vcpu;
    peer_meet(&p);
    if (p.server)
        server(&p);
    else
        client(&p);
    ping_pong(&p);
    give_for_errors(p.domid);
    give_for_batch(p.domid);
    peer_step(&p, 8);
    if (!p.server) {
        check_map_errors(p.domid);
        check_batch(p.domid);
    }
    EXPECT(port_status(p.port, &vcpu), EVTCHNSTAT_interdomain);
    peer_step(&p, 9);
    if (p.server)
        check_all_ended();
    peer_part(&p);
}

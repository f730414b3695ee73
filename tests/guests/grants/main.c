/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: a page is reachable by another domain exactly while and as far as its owner granted it:
 * map, unmap, read-only, copy, the flags that tell the owner, and every error. Alone it plays both
 * sides; with role=server|client peer=<domid> two of them use each other's pages and ports.
 * Public header: xen/grant_table.h.
 *
 * RUN: memory=32M vcpus=1
 * PEER: role=server peer=2 | role=client peer=1
 */
#include "checks.h"

#define RW GNTMAP_host_map
#define RO (GNTMAP_host_map | GNTMAP_readonly)

static uint32_t shared[1024] aligned_to(4096), other[1024] aligned_to(4096);
static domid_t me;
static volatile uint32_t *const window = (volatile uint32_t *)GRANT_WINDOW;
#define SPARE (GRANT_WINDOW + 16 * PAGE_SIZE)
static volatile uint32_t *const spare = (volatile uint32_t *)SPARE;

static void check_calls(void)
{
    static const unsigned int absent[] = {3, 4, 7, 9, 12, 13, 4000};
    struct gnttab_query_size q = {.dom = DOMID_SELF, .status = 99};
    struct gnttab_map_grant_ref m = {.dom = me};
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
        long rc = grant_op(absent[i], &q, 1);
        CHECK(rc == -XEN_ENOSYS, "grant op %u gives %ld", absent[i], rc);
    }
    EXPECT(grant_op(GNTTABOP_query_size, &q, 1), 0);
    EXPECT(q.status, GNTST_okay);
    print("%u of %u grant frames", q.nr_frames, q.max_nr_frames);
    CHECK(q.nr_frames >= GRANT_FRAMES && q.max_nr_frames >= q.nr_frames, "sizes");
    EXPECT(grant_op(GNTTABOP_query_size, &q, 2), -XEN_EINVAL);
    q.dom = 0x123;
    EXPECT(grant_op(GNTTABOP_query_size, &q, 1), 0);
    EXPECT(q.status, GNTST_bad_domain);
    EXPECT(grant_op(GNTTABOP_query_size, 0x400000000000, 1), -XEN_EFAULT);
    EXPECT(grant_op(GNTTABOP_map_grant_ref, 0x400000000000, 1), -XEN_EFAULT);
    EXPECT(grant_op(GNTTABOP_unmap_grant_ref, 0x400000000000, 1), -XEN_EFAULT);
    EXPECT(grant_op(GNTTABOP_copy, 0x400000000000, 1), -XEN_EFAULT);
    EXPECT(grant_op(GNTTABOP_map_grant_ref, &m, -1), -XEN_EINVAL);
    EXPECT(grant_op(GNTTABOP_map_grant_ref, &m, 0), 0);
    struct gnttab_set_version v = {.version = 3};
    EXPECT(grant_op(GNTTABOP_set_version, &v, 1), -XEN_EINVAL);
    v.version = 1;
    EXPECT(grant_op(GNTTABOP_set_version, &v, 1), 0);
    struct gnttab_get_version g = {.dom = DOMID_SELF};
    EXPECT(grant_op(GNTTABOP_get_version, &g, 1), 0);
    EXPECT(g.version, 1);
}

static void check_map(void)
{
    grant_handle_t h, h2;
    volatile grant_entry_v1_t *e = grant_entry(20);
    shared[0] = 0x11111111;
    grant_give(20, me, shared, 0);
    EXPECT(window[0], 0xffffffff);
    EXPECT(grant_map(me, 20, GRANT_WINDOW, RW, &h), GNTST_okay);
    EXPECT(window[0], 0x11111111);
    window[1] = 0x22222222;
    EXPECT(shared[1], 0x22222222);
    EXPECT(e->flags, GTF_permit_access | GTF_reading | GTF_writing);
    CHECK(!grant_end(20), "a mapped grant ended");
    EXPECT(grant_map(me, 20, GRANT_WINDOW + PAGE_SIZE, RO, &h2), GNTST_okay);
    EXPECT(window[1025], 0x22222222);
    window[1025] = 0x33333333; /* discarded */
    EXPECT(window[1025], 0x22222222);
    EXPECT(shared[1], 0x22222222);

    EXPECT(grant_unmap(GRANT_WINDOW + 9 * PAGE_SIZE, h), GNTST_general_error); /* not there */
    EXPECT(grant_unmap(GRANT_WINDOW, 0x7fffffff), GNTST_bad_handle);
    EXPECT(grant_unmap(GRANT_WINDOW, h), GNTST_okay);
    EXPECT(window[0], 0xffffffff);
    EXPECT(e->flags, GTF_permit_access | GTF_reading);
    EXPECT(grant_unmap(GRANT_WINDOW, h), GNTST_bad_handle);
    EXPECT(grant_unmap(GRANT_WINDOW + PAGE_SIZE, h2), GNTST_okay);
    EXPECT(e->flags, GTF_permit_access);
    CHECK(grant_end(20), "an unused grant does not end");
    EXPECT(grant_map(me, 20, GRANT_WINDOW, RW, &h), GNTST_general_error);
}

/* The granting side's part of check_map_errors. */
void give_for_errors(domid_t to)
{
    grant_give(21, to, shared, GTF_readonly);
    grant_give(22, 0x123, shared, 0);
    grant_give(23, to, (void *)0xd0000000, 0); /* no page there */
    grant_give(24, to, shared, 0);
}

void check_map_errors(domid_t from)
{
    grant_handle_t h;
    EXPECT(grant_map(from, 21, SPARE, RW, &h), GNTST_general_error);
    EXPECT(grant_map(from, 21, SPARE, RO, &h), GNTST_okay);
    EXPECT(grant_unmap(SPARE, h), GNTST_okay);
    EXPECT(grant_map(from, 22, SPARE, RW, &h), GNTST_general_error);
    EXPECT(grant_map(from, 23, SPARE, RW, &h), GNTST_bad_page);
    EXPECT(grant_map(from, 25, SPARE, RW, &h), GNTST_general_error); /* unused */
    EXPECT(grant_map(from, 1u << 20, SPARE, RW, &h), GNTST_bad_gntref);
    EXPECT(grant_map(from, 0xffffffff, SPARE, RW, &h), GNTST_bad_gntref);
    EXPECT(grant_map(0x123, 21, SPARE, RO, &h), GNTST_bad_domain);
    EXPECT(grant_map(DOMID_SELF, 21, SPARE, RO, &h), GNTST_bad_domain);
    EXPECT(grant_map(from, 24, SPARE, 0, &h), GNTST_bad_gntref);
    EXPECT(grant_map(from, 24, SPARE, RW | GNTMAP_device_map, &h), GNTST_general_error);
    EXPECT(grant_map(from, 24, SPARE, RW | GNTMAP_contains_pte, &h), GNTST_general_error);
    EXPECT(grant_map(from, 24, SPARE, RW | GNTMAP_application_map, &h), GNTST_general_error);
    EXPECT(grant_map(from, 24, SPARE, RW | 1u << 16, &h), GNTST_general_error);
}

static struct gnttab_copy copy_from(grant_ref_t ref, void *to, uint16_t offset, uint16_t len)
{
    struct gnttab_copy c = {.flags = GNTCOPY_source_gref, .len = len};
    c.source.u.ref = ref;
    c.source.domid = me;
    c.source.offset = offset;
    c.dest.u.gmfn = (unsigned long)to >> 12;
    c.dest.domid = DOMID_SELF;
    c.dest.offset = offset;
    return c;
}

static void check_copy(void)
{
    struct gnttab_copy c = copy_from(30, other, 16, 64), back;
    for (unsigned int i = 0; i < 1024; i++)
        shared[i] = i * 3;
    memset(other, 0, sizeof(other));
    grant_give(30, me, shared, 0);
    EXPECT(grant_copy(&c), GNTST_okay);
    EXPECT(other[3], 0);
    EXPECT(other[4], 12);
    EXPECT(other[19], 57);
    EXPECT(other[20], 0);
    c = copy_from(30, other, 0, 4096);
    EXPECT(grant_copy(&c), GNTST_okay);
    EXPECT(memcmp(shared, other, 4096), 0);
    c = copy_from(30, other, 4095, 2);
    EXPECT(grant_copy(&c), GNTST_bad_copy_arg);
    c = copy_from(30, other, 100, 0);
    EXPECT(grant_copy(&c), GNTST_okay);
    c = copy_from(30, (void *)0xd0000000, 0, 4);
    CHECK(grant_copy(&c) < 0, "copied to nowhere");
    c = copy_from(31, other, 0, 4);
    EXPECT(grant_copy(&c), GNTST_general_error); /* unused */
    c = copy_from(1u << 20, other, 0, 4);
    EXPECT(grant_copy(&c), GNTST_bad_gntref);
    c = copy_from(30, other, 0, 4);
    c.source.domid = 0x123;
    EXPECT(grant_copy(&c), GNTST_bad_domain);
    c = copy_from(30, other, 0, 4);
    c.dest.domid = me; /* without a reference it must say SELF */
    EXPECT(grant_copy(&c), GNTST_permission_denied);

    /* To a granted page: not if it is read-only. */
    back = (struct gnttab_copy){.flags = GNTCOPY_dest_gref, .len = 8};
    back.source.u.gmfn = (unsigned long)other >> 12;
    back.source.domid = DOMID_SELF;
    back.dest.u.ref = 30;
    back.dest.domid = me;
    other[0] = 0xaaaa;
    EXPECT(grant_copy(&back), GNTST_okay);
    EXPECT(shared[0], 0xaaaa);
    EXPECT(grant_entry(30)->flags, GTF_permit_access);
    CHECK(grant_end(30), "a copied grant is still in use");
    grant_give(30, me, shared, GTF_readonly);
    EXPECT(grant_copy(&back), GNTST_general_error);
    CHECK(grant_end(30), "a refused grant is still in use");
}

enum { BATCH = 64 };

void give_for_batch(domid_t to)
{
    for (grant_ref_t i = 0; i < BATCH; i++)
        if (i % 8 != 5)
            grant_give(100 + i, to, i == 63 ? other : shared, 0);
}

/* Many at once: each entry has its own status, the call itself succeeds. */
void check_batch(domid_t from)
{
    static struct gnttab_map_grant_ref maps[BATCH];
    static struct gnttab_unmap_grant_ref unmaps[BATCH];
    for (grant_ref_t i = 0; i < BATCH; i++)
        maps[i] = (struct gnttab_map_grant_ref){
            .host_addr = SPARE + i * PAGE_SIZE, .flags = RW, .ref = 100 + i, .dom = from};
    EXPECT(grant_op(GNTTABOP_map_grant_ref, maps, BATCH), 0);
    for (unsigned int i = 0; i < BATCH; i++) {
        EXPECT(maps[i].status, i % 8 == 5 ? GNTST_general_error : GNTST_okay);
        unmaps[i] = (struct gnttab_unmap_grant_ref){.host_addr = maps[i].host_addr,
                                                    .handle = maps[i].handle};
        if (maps[i].status)
            unmaps[i].handle = 0x7fffffff;
    }
    spare[9] = 0x77;
    EXPECT(spare[62 * 1024 + 9], 0x77);
    spare[63 * 1024 + 9] = 0x78;
    EXPECT(spare[9], 0x77);
    EXPECT(grant_op(GNTTABOP_unmap_grant_ref, unmaps, BATCH), 0);
    for (unsigned int i = 0; i < BATCH; i++) {
        EXPECT(unmaps[i].status, i % 8 == 5 ? GNTST_bad_handle : GNTST_okay);
        EXPECT(spare[i * 1024], 0xffffffff);
    }
}

void check_all_ended(void)
{
    for (grant_ref_t ref = 21; ref < 100 + BATCH; ref++)
        CHECK(grant_end(ref), "grant %u is still in use", ref);
    EXPECT(shared[9], 0x77);
    EXPECT(other[9], 0x78);
}

static void check_swap(void)
{
    struct gnttab_swap_grant_ref s = {.ref_a = 40, .ref_b = 41, .status = 99};
    grant_give(40, me, shared, GTF_readonly);
    EXPECT(grant_op(GNTTABOP_swap_grant_ref, &s, 1), 0);
    EXPECT(s.status, GNTST_okay);
    EXPECT(grant_entry(40)->flags, 0);
    EXPECT(grant_entry(41)->flags, GTF_permit_access | GTF_readonly);
    s.ref_a = 1u << 20;
    EXPECT(grant_op(GNTTABOP_swap_grant_ref, &s, 1), 0);
    EXPECT(s.status, GNTST_bad_gntref);
    CHECK(grant_end(41), "a swapped grant is in use");
}

GUEST_MAIN
{
    me = own_domid();
    grant_init();
    if (peer_wanted()) {
        check_peer();
        return;
    }
    check_calls();
    check_copy();
    check_swap();
    /* Xen 4.17 takes a page from its own place when its owner maps it elsewhere. */
    if (on_xen)
        return;
    check_map();
    give_for_errors(me);
    check_map_errors(me);
    give_for_batch(me);
    check_batch(me);
    check_all_ended();
}

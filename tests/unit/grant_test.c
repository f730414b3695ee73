/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property: mapping and unmapping of grants (addendum B1.12): each status; the flags in the shared
 * entry say what is in use, and the record made at the first pin decides, whatever the guest writes
 * meanwhile; a page stays as long as somebody has it mapped, through the death of either side; the
 * flush comes before pin and reference go.
 */
#include "unit/domains.h"

#include "domain/flush.h"
#include "domain/grant_table.h"

static struct domain *a, *b; /* a grants, b maps */
static struct grant_entry_v1 *entry;

static struct grant_entry_v1 *entries(struct domain *d, uint32_t frame)
{
    mfn_t mfn;

    assert_int_equal(grant_frame(d, frame, &mfn), 0);
    page_put(page_of(mfn));
    return sim_phys(mfn);
}

static int setup(void **state)
{
    fixture_begin();
    a = fixture_domain(1, 1, 16);
    b = fixture_domain(2, 1, 16);
    entry = entries(a, 0);
    return 0;
}

static void grant(uint32_t ref, uint32_t gfn, unsigned int flags)
{
    entry[ref] = (struct grant_entry_v1){
        .flags = (uint16_t)(GTF_permit_access | flags), .domid = 2, .frame = gfn};
}

static struct gnttab_map_grant_ref map_flags(struct domain *d, uint32_t ref, uint64_t gfn,
                                             uint32_t flags)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = gfn << PAGE_SHIFT, .flags = flags, .ref = ref, .dom = 1, .status = 99};

    grant_map(d, &op);
    return op;
}

static int map(uint32_t ref, uint64_t gfn, bool write, uint32_t *handle)
{
    struct gnttab_map_grant_ref op =
        map_flags(b, ref, gfn, GNTMAP_host_map | (write ? 0 : GNTMAP_readonly));

    if (handle)
        *handle = op.handle;
    return op.status;
}

static int unmap(struct domain *d, uint64_t gfn, uint32_t handle)
{
    struct gnttab_unmap_grant_ref op = {
        .host_addr = gfn << PAGE_SHIFT, .handle = handle, .status = 99};

    grant_unmap(d, &op, 1);
    return op.status;
}

static mfn_t frame_of(struct domain *d, uint64_t gfn)
{
    return p2m_lookup(d, _gfn(gfn)).mfn;
}

static uint32_t refs_of(struct domain *d, uint64_t gfn)
{
    return page_refs(page_of(frame_of(d, gfn)));
}

static void round_trip(void **state)
{
    struct gnttab_map_grant_ref op;
    struct p2m_entry e;

    grant(3, 5, 0);
    op = map_flags(b, 3, 100, GNTMAP_host_map);
    assert_int_equal(op.status, GNTST_okay);
    assert_int_equal(op.dev_bus_addr, frame_of(a, 5).v << PAGE_SHIFT);
    e = p2m_lookup(b, _gfn(100));
    assert_int_equal(e.type, P2M_GRANT);
    assert_int_equal(e.mfn.v, frame_of(a, 5).v);
    assert_int_equal(entry[3].flags, GTF_permit_access | GTF_reading | GTF_writing);
    assert_int_equal(refs_of(a, 5), 2);
    fixture_check();
    assert_int_equal(unmap(b, 100, op.handle), GNTST_okay);
    assert_int_equal(p2m_lookup(b, _gfn(100)).type, P2M_HOLE);
    assert_int_equal(entry[3].flags, GTF_permit_access);
    assert_int_equal(refs_of(a, 5), 1);
    assert_int_equal(unmap(b, 100, op.handle), GNTST_bad_handle);
    fixture_check();

    grant(3, 5, GTF_readonly);
    op = map_flags(b, 3, 100, GNTMAP_host_map | GNTMAP_readonly);
    assert_int_equal(op.status, GNTST_okay);
    assert_int_equal(p2m_lookup(b, _gfn(100)).type, P2M_GRANT_RO);
    assert_int_equal(entry[3].flags, GTF_permit_access | GTF_readonly | GTF_reading);
    assert_int_equal(unmap(b, 100, op.handle), GNTST_okay);
    assert_int_equal(entry[3].flags, GTF_permit_access | GTF_readonly);
}

static void map_flag_errors(void **state)
{
    static const uint32_t none[] = {0, GNTMAP_readonly, GNTMAP_application_map, GNTMAP_contains_pte,
                                    1u << 16};
    static const uint32_t bad[] = {GNTMAP_device_map,
                                   GNTMAP_device_map | GNTMAP_host_map,
                                   GNTMAP_host_map | GNTMAP_application_map,
                                   GNTMAP_host_map | GNTMAP_contains_pte,
                                   GNTMAP_host_map | 1u << 5,
                                   GNTMAP_host_map | 1u << 16,
                                   GNTMAP_host_map | 1u << 31};

    grant(3, 5, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(none); i++)
        assert_int_equal(map_flags(b, 3, 100, none[i]).status, GNTST_bad_gntref);
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(map_flags(b, 3, 100, bad[i]).status, GNTST_general_error);
    assert_int_equal(entry[3].flags, GTF_permit_access);
    fixture_check();
}

static void map_errors(void **state)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = 100 << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 3};
    static const uint16_t unknown[] = {0, 3, DOMID_SELF, DOMID_IO, DOMID_XEN, 0x7fff, 0xffff};
    static const uint32_t out[] = {512, 513, 4 * 512, 0x7fffffff, 0xffffffff};

    grant(3, 5, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++) {
        op.dom = unknown[i];
        grant_map(b, &op);
        assert_int_equal(op.status, GNTST_bad_domain);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(out); i++)
        assert_int_equal(map(out[i], 100, true, NULL), GNTST_bad_gntref);

    /* The entry is not such a grant. */
    for (unsigned int type = 0; type < 4; type++) {
        entry[3].flags = (uint16_t)type;
        assert_int_equal(map(3, 100, true, NULL),
                         type == GTF_permit_access ? GNTST_okay : GNTST_general_error);
        if (type == GTF_permit_access)
            assert_int_equal(unmap(b, 100, 0), GNTST_okay);
        assert_int_equal(entry[3].flags, type);
    }
    entry[3].flags = GTF_permit_access | GTF_sub_page;
    assert_int_equal(map(3, 100, true, NULL), GNTST_general_error);
    entry[3].flags = GTF_permit_access;
    entry[3].domid = 1;
    assert_int_equal(map(3, 100, true, NULL), GNTST_general_error);
    grant(3, 5, GTF_readonly);
    assert_int_equal(map(3, 100, true, NULL), GNTST_general_error);
    assert_int_equal(entry[3].flags, GTF_permit_access | GTF_readonly);

    /* The frame it names is not such memory. */
    grant(3, 16, 0); /* hole */
    assert_int_equal(map(3, 100, true, NULL), GNTST_bad_page);
    grant(3, 0xffffffff, 0);
    assert_int_equal(map(3, 100, false, NULL), GNTST_bad_page);
    assert_int_equal(p2m_set(a, _gfn(20), a->shared_info.mfn, 0, P2M_RAM, NULL), 0);
    grant(3, 20, 0); /* special */
    assert_int_equal(map(3, 100, true, NULL), GNTST_bad_page);
    assert_int_equal(entry[3].flags, GTF_permit_access);
    assert_int_equal(p2m_set(a, _gfn(20), MFN_NONE, 0, P2M_HOLE, NULL), 0);

    /* The place is not to be had. */
    grant(3, 5, 0);
    assert_int_equal(map(3, 1ull << 51, true, NULL), GNTST_general_error);
    assert_int_equal(map(3, 100, false, NULL), GNTST_okay);
    grant(4, 6, 0);
    assert_int_equal(map(4, 100, true, NULL), GNTST_general_error);
    assert_int_equal(entry[4].flags, GTF_permit_access);
    assert_int_equal(refs_of(a, 6), 1);
    assert_int_equal(p2m_set(b, _gfn(101), _mfn(1), 0, P2M_MMIO, NULL), 0);
    assert_int_equal(map(4, 101, true, NULL), GNTST_general_error);
    assert_int_equal(p2m_set(b, _gfn(101), MFN_NONE, 0, P2M_HOLE, NULL), 0);
    fixture_check();
}

/* What may not be written there is not granted for writing, not even by a second pin. */
static void frozen_frames(void **state)
{
    mfn_t mfn = frame_of(a, 5);
    uint32_t h;

    assert_int_equal(p2m_set(a, _gfn(5), mfn, 0, P2M_RAM_RO, NULL), 0);
    grant(3, 5, 0);
    assert_int_equal(map(3, 100, true, NULL), GNTST_bad_page);
    assert_int_equal(map(3, 100, false, &h), GNTST_okay);
    assert_int_equal(map(3, 101, true, NULL), GNTST_general_error);
    assert_int_equal(map(3, 101, false, NULL), GNTST_okay);
    assert_int_equal(entry[3].flags, GTF_permit_access | GTF_reading);
    assert_int_equal(unmap(b, 100, h), GNTST_okay);
    assert_int_equal(p2m_set(a, _gfn(5), mfn, 0, P2M_RAM, NULL), 0);
    fixture_check();
}

static void granted_to_others_only_once(void **state)
{
    struct domain *c = fixture_domain(3, 1, 1);
    uint32_t h;

    grant(3, 5, 0);
    assert_int_equal(map(3, 100, false, &h), GNTST_okay);
    entry[3].domid = 3; /* changes nothing while b has it */
    assert_int_equal(map_flags(c, 3, 100, GNTMAP_host_map).status, GNTST_general_error);
    assert_int_equal(unmap(b, 100, h), GNTST_okay);
    assert_int_equal(map(3, 100, false, &h), GNTST_general_error);
    assert_int_equal(map_flags(c, 3, 100, GNTMAP_host_map).status, GNTST_okay);
    fixture_check();
}

static void record_decides(void **state)
{
    uint32_t h[3];

    grant(3, 5, 0);
    assert_int_equal(map(3, 100, false, &h[0]), GNTST_okay);
    entry[3] = (struct grant_entry_v1){0, 0, 9};
    assert_int_equal(map(3, 101, false, &h[1]), GNTST_okay);
    assert_int_equal(p2m_lookup(b, _gfn(101)).mfn.v, frame_of(a, 5).v);
    assert_int_equal(entry[3].flags, 0);
    /* Write access needs the entry once more. */
    entry[3].flags = GTF_readonly;
    assert_int_equal(map(3, 102, true, &h[2]), GNTST_general_error);
    assert_int_equal(refs_of(a, 5), 3);
    entry[3].flags = 0;
    assert_int_equal(map(3, 102, true, &h[2]), GNTST_okay);
    assert_int_equal(entry[3].flags, GTF_reading | GTF_writing);
    assert_int_equal(p2m_lookup(b, _gfn(102)).mfn.v, frame_of(a, 5).v);
    fixture_check();

    assert_int_equal(unmap(b, 102, h[2]), GNTST_okay);
    assert_int_equal(entry[3].flags, GTF_reading);
    assert_int_equal(unmap(b, 100, h[0]), GNTST_okay);
    assert_int_equal(entry[3].flags, GTF_reading);
    assert_int_equal(unmap(b, 101, h[1]), GNTST_okay);
    assert_int_equal(entry[3].flags, 0);
    fixture_check();
}

static void pins_overflow(void **state)
{
    grant(3, 5, 0);
    for (unsigned int i = 0; i < 255; i++)
        assert_int_equal(map(3, 100 + i, false, NULL), GNTST_okay);
    assert_int_equal(map(3, 400, false, NULL), GNTST_general_error);
    assert_int_equal(map(3, 400, true, NULL), GNTST_okay); /* another counter */
    fixture_check();
}

static unsigned int hook_calls, hook_until;

static void entry_hook(void *host)
{
    if (host == &entry[3] && hook_calls++ < hook_until)
        entry[3].flags ^= GTF_PAT;
}

static void revoked_hook(void *host)
{
    if (host == &entry[3] && !hook_calls++)
        entry[3].flags = 0;
}

/* The guest changes the entry between our look and the compare-and-swap. */
static void entry_changes_under_us(void **state)
{
    uint32_t h;

    grant(3, 5, 0);
    hook_calls = 0;
    hook_until = 4;
    sim_atomic_hook = entry_hook;
    assert_int_equal(map(3, 100, true, &h), GNTST_okay);
    assert_int_equal(hook_calls, 5);
    sim_atomic_hook = NULL;
    assert_int_equal(unmap(b, 100, h), GNTST_okay);

    hook_calls = 0;
    hook_until = 100;
    sim_atomic_hook = entry_hook;
    assert_int_equal(map(3, 100, true, &h), GNTST_general_error);
    assert_int_equal(hook_calls, 5);

    hook_calls = 0;
    sim_atomic_hook = revoked_hook;
    assert_int_equal(map(3, 100, true, &h), GNTST_general_error);
    sim_atomic_hook = NULL;
    assert_int_equal(entry[3].flags, 0);
    assert_int_equal(refs_of(a, 5), 1);
    fixture_check();
}

static void unmap_errors(void **state)
{
    uint32_t h, other;

    grant(3, 5, 0);
    grant(4, 5, 0);
    assert_int_equal(map(3, 100, true, &h), GNTST_okay);
    assert_int_equal(map(4, 101, true, &other), GNTST_okay);
    assert_int_equal(unmap(b, 100, 99), GNTST_bad_handle);
    assert_int_equal(unmap(b, 100, 0xffffffff), GNTST_bad_handle);
    assert_int_equal(unmap(a, 100, h), GNTST_bad_handle);
    assert_int_equal(unmap(b, 101, h), GNTST_general_error); /* another mapping */
    assert_int_equal(unmap(b, 5, h), GNTST_general_error);   /* RAM */
    assert_int_equal(unmap(b, 102, h), GNTST_general_error); /* nothing */
    assert_int_equal(unmap(b, 0, h), GNTST_okay);            /* host mapping not meant */
    assert_int_equal(p2m_lookup(b, _gfn(100)).type, P2M_GRANT);
    assert_int_equal(unmap(b, 100, h), GNTST_okay);
    assert_int_equal(unmap(b, 101, other), GNTST_okay);
    fixture_check();
}

static void batch(void **state)
{
    enum { N = 70 };
    struct gnttab_unmap_grant_ref op[N];

    for (uint32_t i = 0; i < N; i++) {
        grant(i, i % 16, i % 2 ? GTF_readonly : 0);
        op[i] = (struct gnttab_unmap_grant_ref){.host_addr = (uint64_t)(200 + i) << PAGE_SHIFT};
        assert_int_equal(map(i, 200 + i, !(i % 2), &op[i].handle), GNTST_okay);
    }
    op[10].handle = 0xffff;
    op[69].handle = op[0].handle;
    op[69].host_addr = op[0].host_addr;
    grant_unmap(b, op, N);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(op[i].status, i == 10 || i == 69 ? GNTST_bad_handle : GNTST_okay);
    assert_int_equal(entry[10].flags & GTF_reading, GTF_reading);
    assert_int_equal(entry[11].flags & GTF_reading, 0);
    fixture_check();
}

/* Each handle once, then none; the entry is untouched. */
static void maptrack_exhaustion(void **state)
{
    const uint32_t max = FIXTURE_MAPTRACK * (uint32_t)GRANT_MAPS_PER_PAGE;
    uint32_t h;

    for (uint32_t i = 0; i < max; i++) {
        grant(i % 512, 5, 0);
        assert_int_equal(map(i % 512, 1000 + i, true, &h), GNTST_okay);
        assert_int_equal(h, i);
    }
    entry = entries(a, 1);
    grant(0, 5, 0);
    assert_int_equal(map(512, 100, true, NULL), GNTST_no_space);
    assert_int_equal(entry[0].flags, GTF_permit_access);
    fixture_check();
    assert_int_equal(unmap(b, 1000 + 77, 77), GNTST_okay);
    assert_int_equal(map(512, 100, true, &h), GNTST_okay);
    assert_int_equal(h, 77);
    fixture_check();
}

/* RAM at the place is hidden, not lost; the guest's old translation is flushed. */
static void over_ram(void **state)
{
    mfn_t was = frame_of(b, 7);
    uint64_t before;
    uint32_t h;

    grant(3, 5, 0);
    before = b->tot_pages;
    assert_int_equal(map(3, 7, true, &h), GNTST_okay);
    assert_int_equal(frame_of(b, 7).v, frame_of(a, 5).v);
    assert_int_equal(b->tot_pages, before);
    assert_int_equal(page_owner(page_of(was)), 2);
    assert_int_equal(unmap(b, 7, h), GNTST_okay);
    assert_int_equal(p2m_lookup(b, _gfn(7)).type, P2M_HOLE);
}

static unsigned int kicks;

/* CPU 1, in b's guest mode until now: it may have used the mapping up to this moment. */
static void kick(void)
{
    kicks++;
    assert_int_not_equal(p2m_lookup(b, _gfn(100)).type, P2M_GRANT);
    assert_int_equal(refs_of(a, 5), 3);
    assert_int_equal(entry[3].flags, GTF_permit_access | GTF_reading | GTF_writing);
    flush_acknowledge();
}

/* One flush for a batch, after the entries went and before anything that they stand for. */
static void flush_first(void **state)
{
    struct gnttab_unmap_grant_ref op[2] = {{.host_addr = 100 << PAGE_SHIFT},
                                           {.host_addr = 101 << PAGE_SHIFT}};

    grant(3, 5, 0);
    assert_int_equal(map(3, 100, true, &op[0].handle), GNTST_okay);
    assert_int_equal(map(3, 101, true, &op[1].handle), GNTST_okay);
    kicks = 0;
    sim_kick_handler = kick;
    pcpu_shared[1].serving = b;
    grant_unmap(b, op, 2);
    assert_int_equal(kicks, 1);
    assert_int_equal(refs_of(a, 5), 1);
    assert_int_equal(entry[3].flags, GTF_permit_access);

    /* RAM that a mapping hides is flushed, a hole that it fills is not. */
    sim_kick_handler = flush_acknowledge;
    sim_count.kicks = 0;
    assert_int_equal(map(3, 100, true, &op[0].handle), GNTST_okay);
    assert_int_equal(sim_count.kicks, 0);
    assert_int_equal(map(3, 7, true, NULL), GNTST_okay);
    assert_int_equal(sim_count.kicks, 1);

    /* The same when b ends. */
    b->state = DOMAIN_DYING;
    grant_release_maps_step(b);
    assert_int_equal(sim_count.kicks, 2);
    b->state = DOMAIN_BUILDING;
    pcpu_shared[1].serving = NULL;
    fixture_check();
}

static void own_grant(void **state)
{
    struct gnttab_map_grant_ref op;

    grant(3, 5, 0);
    entry[3].domid = 1;
    op = map_flags(a, 3, 100, GNTMAP_host_map);
    assert_int_equal(op.status, GNTST_okay);
    assert_int_equal(p2m_lookup(a, _gfn(100)).mfn.v, frame_of(a, 5).v);
    /* A mapping can not be granted on. */
    grant(4, 100, 0);
    assert_int_equal(map(4, 100, true, NULL), GNTST_bad_page);
    fixture_check();
    assert_int_equal(unmap(a, 100, op.handle), GNTST_okay);
    fixture_check();
}

/* -- death ------------------------------------------------------------------------------------ */

static void granter_dies(void **state)
{
    mfn_t mfn = frame_of(a, 5);
    uint8_t used_since[PAGE_SIZE];
    struct domain *gone;
    uint32_t h;

    grant(3, 5, 0);
    grant(4, 6, 0);
    memset(sim_phys(mfn), 0x5a, PAGE_SIZE);
    assert_int_equal(map(3, 100, true, &h), GNTST_okay);
    fixture_kill(a);
    gone = domain_get(1);
    assert_non_null(gone); /* its page keeps it */
    assert_int_equal(gone->state, DOMAIN_DEAD);
    domain_put(gone);
    assert_int_equal(page_refs(page_of(mfn)), 1);
    assert_int_equal(*(uint8_t *)fixture_gfn(b, 100), 0x5a);
    assert_int_equal(map(4, 101, true, NULL), GNTST_general_error);
    assert_int_equal(map(3, 101, true, NULL), GNTST_general_error);
    /* Its shared frame is another's by now. */
    memset(used_since, 0xff, sizeof(used_since));
    memset(entry, 0xff, PAGE_SIZE);
    assert_int_equal(unmap(b, 100, h), GNTST_okay);
    assert_memory_equal(entry, used_since, PAGE_SIZE);
    fixture_step();
    assert_null(domain_get(1));
    fixture_check();
}

static void mapper_dies(void **state)
{
    for (uint32_t i = 0; i < 100; i++) {
        grant(i, 5, 0);
        assert_int_equal(map(i, 100 + i, i % 2, NULL), GNTST_okay);
    }
    assert_int_equal(refs_of(a, 5), 101);
    fixture_kill(b);
    assert_null(domain_get(2));
    assert_int_equal(refs_of(a, 5), 1);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(entry[i].flags, GTF_permit_access);
    fixture_check();
}

static void dying_maps_nothing(void **state)
{
    grant(3, 5, 0);
    b->state = DOMAIN_DYING;
    assert_int_equal(map(3, 100, true, NULL), GNTST_general_error);
    assert_int_equal(entry[3].flags, GTF_permit_access);
    b->state = DOMAIN_BUILDING;
}

/* -- the table -------------------------------------------------------------------------------- */

static void growing(void **state)
{
    struct gnttab_query_size q = {.status = 99};
    struct gnttab_setup_table s = {.nr_frames = FIXTURE_GRANT_FRAMES + 1, .status = 99};
    uint64_t frames[FIXTURE_GRANT_FRAMES] = {0};
    uint64_t tot = a->tot_pages;
    mfn_t mfn;

    grant_query_size(a, &q);
    assert_int_equal(q.status, GNTST_okay);
    assert_int_equal(q.nr_frames, 1);
    assert_int_equal(q.max_nr_frames, FIXTURE_GRANT_FRAMES);
    assert_int_equal(grant_frame(a, FIXTURE_GRANT_FRAMES, &mfn), -XEN_EINVAL);
    assert_int_equal(grant_frame(a, 0xffffffff, &mfn), -XEN_EINVAL);
    assert_int_equal(grant_frame(a, 1u << 31, &mfn), -XEN_EINVAL); /* a status frame of v2 */
    assert_int_equal(grant_frame(a, 2, &mfn), 0);
    assert_int_equal(page_owner(page_of(mfn)), 1);
    assert_true(page_flags(page_of(mfn)) & PAGE_SPECIAL);
    assert_int_equal(*(uint64_t *)sim_phys(mfn), 0);
    grant_query_size(a, &q);
    assert_int_equal(q.nr_frames, 3);
    assert_int_equal(a->tot_pages, tot);

    assert_int_equal(p2m_set(a, _gfn(300), mfn, 0, P2M_RAM, NULL), 0);
    page_put(page_of(mfn));
    assert_int_equal(grant_frame_moved(a, 2, _gfn(300)).v, FRAME_NONE);
    grant_setup_table(a, &s, frames);
    assert_int_equal(s.status, GNTST_general_error);
    s.nr_frames = FIXTURE_GRANT_FRAMES;
    grant_setup_table(a, &s, frames);
    assert_int_equal(s.status, GNTST_okay);
    assert_int_equal(frames[0], FRAME_NONE);
    assert_int_equal(frames[2], 300);
    grant_query_size(a, &q);
    assert_int_equal(q.nr_frames, FIXTURE_GRANT_FRAMES);

    /* Replaced there since. */
    assert_int_equal(p2m_set(a, _gfn(300), MFN_NONE, 0, P2M_HOLE, NULL), 0);
    grant_setup_table(a, &s, frames);
    assert_int_equal(frames[2], FRAME_NONE);
    assert_int_equal(grant_frame_moved(a, 2, GFN_NONE).v, 300);
    assert_int_equal(grant_frame_moved(a, 99, _gfn(1)).v, FRAME_NONE);

    /* A frame that has just come is as good as the first. */
    entry = entries(a, 3);
    grant(511, 5, 0);
    assert_int_equal(map(4 * 512 - 1, 100, true, NULL), GNTST_okay);
    assert_int_equal(map(4 * 512, 101, true, NULL), GNTST_bad_gntref);
    fixture_check();
}

static void versions(void **state)
{
    uint32_t v = 1;

    assert_int_equal(grant_set_version(a, &v), 0);
    v = 2;
    assert_int_equal(grant_set_version(a, &v), -XEN_ENOSYS);
    v = 0;
    assert_int_equal(grant_set_version(a, &v), -XEN_EINVAL);
    v = 3;
    assert_int_equal(grant_set_version(a, &v), -XEN_EINVAL);
}

static void out_of_memory(void **state)
{
    struct gnttab_setup_table s = {.nr_frames = 2};
    uint64_t frames[2];
    mfn_t mfn;

    grant(3, 5, 0);
    fixture_memory_out();
    assert_int_equal(map(3, 100, true, NULL), GNTST_no_space);
    assert_int_equal(grant_frame(a, 1, &mfn), -XEN_ENOMEM);
    grant_setup_table(a, &s, frames);
    assert_int_equal(s.status, GNTST_general_error);
    fixture_check();
    fixture_memory_back();

    /* Handles there are, but no table for the second-stage map at that place. */
    assert_int_equal(map(3, 100, true, NULL), GNTST_okay);
    fixture_memory_out();
    assert_int_equal(map(3, 1ull << 30, true, NULL), GNTST_general_error);
    assert_int_equal(refs_of(a, 5), 2);
    fixture_check();
    fixture_memory_back();
    assert_int_equal(map(3, 1ull << 30, true, NULL), GNTST_okay);
    assert_int_equal(grant_frame(a, 1, &mfn), 0);
    page_put(page_of(mfn));
    fixture_check();
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)

UNIT_MAIN(TEST(round_trip), TEST(map_flag_errors), TEST(map_errors), TEST(frozen_frames),
          TEST(granted_to_others_only_once), TEST(record_decides), TEST(pins_overflow),
          TEST(entry_changes_under_us), TEST(unmap_errors), TEST(batch), TEST(maptrack_exhaustion),
          TEST(over_ram), TEST(flush_first), TEST(own_grant), TEST(granter_dies), TEST(mapper_dies),
          TEST(dying_maps_nothing), TEST(growing), TEST(versions), TEST(out_of_memory))

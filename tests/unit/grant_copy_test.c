/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property: a grant copy moves exactly the bytes named, between pages that both ends allow, and
 * leaves no pin and no reference behind once the call has ended; statuses as addendum B1.12.
 */
#include "unit/domains.h"

#include "domain/grant_table.h"

static struct domain *a, *b; /* both grant; b copies */
static struct grant_entry_v1 *entry_a, *entry_b;

static struct grant_entry_v1 *entries(struct domain *d)
{
    mfn_t mfn;

    assert_int_equal(grant_frame(d, 0, &mfn), 0);
    page_put(page_of(mfn));
    return sim_phys(mfn);
}

static int setup(void **state)
{
    fixture_begin();
    a = fixture_domain(1, 1, 16);
    b = fixture_domain(2, 1, 16);
    entry_a = entries(a);
    entry_b = entries(b);
    for (unsigned int gfn = 0; gfn < 16; gfn++)
        for (unsigned int i = 0; i < PAGE_SIZE; i++) {
            ((uint8_t *)fixture_gfn(a, gfn))[i] = (uint8_t)(gfn * 31 + i);
            ((uint8_t *)fixture_gfn(b, gfn))[i] = 0xee;
        }
    return 0;
}

static void grant(struct grant_entry_v1 *e, uint32_t ref, domid_t domid, uint32_t gfn,
                  unsigned int flags)
{
    e[ref] = (struct grant_entry_v1){(uint16_t)(GTF_permit_access | flags), domid, gfn};
}

/* From ref of a into b's own gfn. */
static struct gnttab_copy from_ref(uint32_t ref, uint64_t gfn)
{
    struct gnttab_copy op = {.flags = GNTCOPY_source_gref, .len = PAGE_SIZE, .status = 99};

    op.source.u.ref = ref;
    op.source.domid = 1;
    op.dest.u.gmfn = gfn;
    op.dest.domid = DOMID_SELF;
    return op;
}

/* From b's own gfn into ref of a. */
static struct gnttab_copy to_ref(uint64_t gfn, uint32_t ref)
{
    struct gnttab_copy op = {.flags = GNTCOPY_dest_gref, .len = PAGE_SIZE, .status = 99};

    op.source.u.gmfn = gfn;
    op.source.domid = DOMID_SELF;
    op.dest.u.ref = ref;
    op.dest.domid = 1;
    return op;
}

static int copy(struct gnttab_copy op)
{
    struct grant_copy_cache cache = {0};

    grant_copy(b, &op, &cache);
    grant_copy_end(b, &cache);
    fixture_check();
    return op.status;
}

static uint32_t refs_of(struct domain *d, uint64_t gfn)
{
    return page_refs(page_of(p2m_lookup(d, _gfn(gfn)).mfn));
}

static void whole_pages(void **state)
{
    grant(entry_a, 3, 2, 5, GTF_readonly);
    assert_int_equal(copy(from_ref(3, 7)), GNTST_okay);
    assert_memory_equal(fixture_gfn(b, 7), fixture_gfn(a, 5), PAGE_SIZE);
    assert_int_equal(entry_a[3].flags, GTF_permit_access | GTF_readonly);
    grant(entry_a, 4, 2, 6, 0);
    assert_int_equal(copy(to_ref(8, 4)), GNTST_okay);
    assert_memory_equal(fixture_gfn(a, 6), fixture_gfn(b, 8), PAGE_SIZE);
    assert_int_equal(entry_a[4].flags, GTF_permit_access);
    assert_int_equal(refs_of(a, 6), 1);
    assert_int_equal(refs_of(b, 8), 1);
}

static void parts(void **state)
{
    struct gnttab_copy op;
    const uint8_t *dst = fixture_gfn(b, 7), *src = fixture_gfn(a, 5);

    grant(entry_a, 3, 2, 5, 0);
    op = from_ref(3, 7);
    op.source.offset = 1000;
    op.dest.offset = 33;
    op.len = 77;
    assert_int_equal(copy(op), GNTST_okay);
    assert_int_equal(dst[32], 0xee);
    assert_memory_equal(dst + 33, src + 1000, 77);
    assert_int_equal(dst[110], 0xee);
    op.source.offset = op.dest.offset = 4095;
    op.len = 1;
    assert_int_equal(copy(op), GNTST_okay);
    assert_int_equal(dst[4095], src[4095]);
    op.len = 0;
    op.source.offset = 4096;
    assert_int_equal(copy(op), GNTST_okay);
    op.len = 1;
    assert_int_equal(copy(op), GNTST_bad_copy_arg);
    op.source.offset = 0;
    op.dest.offset = 4096;
    assert_int_equal(copy(op), GNTST_bad_copy_arg);
    op.dest.offset = 1;
    op.len = PAGE_SIZE;
    assert_int_equal(copy(op), GNTST_bad_copy_arg);
    op.source.offset = op.dest.offset = op.len = 0xffff;
    assert_int_equal(copy(op), GNTST_bad_copy_arg);
}

static void between_refs_and_within(void **state)
{
    struct gnttab_copy op = {.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref, .len = PAGE_SIZE};

    /* Both granted, one by the caller to itself. */
    grant(entry_a, 3, 2, 5, GTF_readonly);
    grant(entry_b, 9, 2, 7, 0);
    op.source.u.ref = 3;
    op.source.domid = 1;
    op.dest.u.ref = 9;
    op.dest.domid = DOMID_SELF;
    assert_int_equal(copy(op), GNTST_okay);
    assert_memory_equal(fixture_gfn(b, 7), fixture_gfn(a, 5), PAGE_SIZE);
    assert_int_equal(entry_b[9].flags, GTF_permit_access);
    op.dest.domid = 2;
    assert_int_equal(copy(op), GNTST_okay);

    /* Neither: own memory to own memory, overlapping in one page. */
    op = (struct gnttab_copy){.len = 100};
    op.source.u.gmfn = op.dest.u.gmfn = 7;
    op.source.domid = op.dest.domid = DOMID_SELF;
    op.dest.offset = 50;
    assert_int_equal(copy(op), GNTST_okay);
    assert_memory_equal((uint8_t *)fixture_gfn(b, 7) + 100, (uint8_t *)fixture_gfn(a, 5) + 50, 50);
}

static void errors(void **state)
{
    struct gnttab_copy op;

    grant(entry_a, 3, 2, 5, GTF_readonly);
    op = from_ref(3, 7);
    op.dest.domid = 2; /* its own number is not SELF */
    assert_int_equal(copy(op), GNTST_permission_denied);
    op.dest.domid = 1;
    assert_int_equal(copy(op), GNTST_permission_denied);
    op = from_ref(3, 16);
    assert_int_equal(copy(op), GNTST_bad_page);
    op = from_ref(3, ~0ull);
    assert_int_equal(copy(op), GNTST_bad_page);
    op = from_ref(3, 7);
    op.source.domid = 77;
    assert_int_equal(copy(op), GNTST_bad_domain);
    op.source.domid = DOMID_XEN;
    assert_int_equal(copy(op), GNTST_bad_domain);
    assert_int_equal(copy(from_ref(512, 7)), GNTST_bad_gntref);
    assert_int_equal(copy(from_ref(0xffffffff, 7)), GNTST_bad_gntref);
    assert_int_equal(copy(from_ref(4, 7)), GNTST_general_error);
    assert_int_equal(copy(to_ref(7, 3)), GNTST_general_error); /* read-only */
    grant(entry_a, 3, 1, 5, 0);
    assert_int_equal(copy(from_ref(3, 7)), GNTST_general_error); /* for another */
    grant(entry_a, 3, 2, 99, 0);
    assert_int_equal(copy(from_ref(3, 7)), GNTST_bad_page);
    assert_int_equal(entry_a[3].flags, GTF_permit_access);
    assert_int_equal(((uint8_t *)fixture_gfn(b, 7))[0], 0xee);
    assert_int_equal(((uint8_t *)fixture_gfn(a, 5))[0], 5 * 31);
}

static void read_only_destination(void **state)
{
    mfn_t mfn = p2m_lookup(b, _gfn(7)).mfn;

    grant(entry_a, 3, 2, 5, 0);
    assert_int_equal(p2m_set(b, _gfn(7), mfn, 0, P2M_RAM_RO, NULL), 0);
    assert_int_equal(copy(from_ref(3, 7)), GNTST_bad_page);
    assert_int_equal(copy(to_ref(7, 3)), GNTST_okay);
    assert_int_equal(p2m_set(b, _gfn(7), mfn, 0, P2M_RAM, NULL), 0);
}

static unsigned int hook_calls;

static void entry_hook(void *host)
{
    hook_calls += host == &entry_a[3];
}

/* The same operand again costs no second pin; each other one ends the pin before. */
static void pin_reuse(void **state)
{
    struct grant_copy_cache cache = {0};
    struct gnttab_copy op;

    grant(entry_a, 3, 2, 5, 0);
    grant(entry_a, 4, 2, 6, 0);
    hook_calls = 0;
    sim_atomic_hook = entry_hook;
    for (unsigned int i = 0; i < 8; i++) {
        op = from_ref(3, 7 + i % 2);
        grant_copy(b, &op, &cache);
        assert_int_equal(op.status, GNTST_okay);
        assert_int_equal(entry_a[3].flags, GTF_permit_access | GTF_reading);
        if (i == 0)
            entry_a[3].frame = 9; /* too late */
    }
    assert_int_equal(hook_calls, 1);
    assert_memory_equal(fixture_gfn(b, 8), fixture_gfn(a, 5), PAGE_SIZE);
    assert_int_equal(refs_of(a, 5), 2);
    op = from_ref(4, 7);
    grant_copy(b, &op, &cache);
    assert_int_equal(op.status, GNTST_okay);
    assert_int_equal(entry_a[3].flags, GTF_permit_access);
    assert_int_equal(refs_of(a, 5), 1);
    assert_int_equal(entry_a[4].flags, GTF_permit_access | GTF_reading);
    /* A failure keeps nothing of its side, and the next operation starts afresh. */
    op = from_ref(99, 7);
    grant_copy(b, &op, &cache);
    assert_int_equal(op.status, GNTST_general_error);
    assert_int_equal(entry_a[4].flags, GTF_permit_access);
    /* The same page is one pin for reading and one for writing. */
    op = from_ref(4, 7);
    op.flags |= GNTCOPY_dest_gref;
    op.dest = op.source;
    grant_copy(b, &op, &cache);
    assert_int_equal(op.status, GNTST_okay);
    assert_int_equal(entry_a[4].flags, GTF_permit_access | GTF_reading | GTF_writing);
    grant_copy_end(b, &cache);
    sim_atomic_hook = NULL;
    assert_int_equal(entry_a[4].flags, GTF_permit_access);
    assert_int_equal(refs_of(a, 6), 1);
    fixture_check();
}

/* The granting domain dies with a pin held in the middle of a call. */
static void granter_dies(void **state)
{
    struct grant_copy_cache cache = {0};
    struct gnttab_copy op;

    grant(entry_a, 3, 2, 5, 0);
    op = from_ref(3, 7);
    grant_copy(b, &op, &cache);
    assert_int_equal(op.status, GNTST_okay);
    fixture_kill(a);
    op = from_ref(3, 8);
    grant_copy(b, &op, &cache);
    assert_int_equal(op.status, GNTST_okay); /* pinned before */
    grant_copy_end(b, &cache);
    fixture_step();
    assert_int_equal(copy(from_ref(3, 7)), GNTST_bad_domain);
}

/* A mapped grant is as good as own memory. */
static void into_a_mapping(void **state)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = 100 << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 3, .dom = 1};

    grant(entry_a, 3, 2, 5, 0);
    grant(entry_a, 4, 2, 6, GTF_readonly);
    grant_map(b, &m);
    assert_int_equal(m.status, GNTST_okay);
    assert_int_equal(copy(from_ref(4, 100)), GNTST_okay);
    assert_memory_equal(fixture_gfn(a, 5), fixture_gfn(a, 6), PAGE_SIZE);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)

UNIT_MAIN(TEST(whole_pages), TEST(parts), TEST(between_refs_and_within), TEST(errors),
          TEST(read_only_destination), TEST(pin_reuse), TEST(granter_dies), TEST(into_a_mapping))

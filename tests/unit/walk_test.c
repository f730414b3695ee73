/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arch/x86/walk: in each paging mode, every size of page translates, each right and reserved bit
 * gives the fault and error code of the manual, and accessed and dirty bits are set as the CPU
 * would, not more.
 */
#include "unit/fixture.h"

#include "arch/x86/walk/walk.h"
#include "lib/bits.h"
#include "mem/window.h"

static struct domain d;
static struct vcpu v;
static struct vcpu_control c;

enum { P = 1, RW = 2, US = 4, A = 32, D = 64, PS = 128 };
#define NX BIT(63)

enum mode { UNPAGED, PAGED32, PAE, LONG };

/* Tables at gfn 1 (top) to 4 (lowest); the page walked is at linear `at`. */
static uint64_t at;
static enum mode mode;

static void *entry(unsigned int level)
{
    static const unsigned int bits[] = {0, 10, 9, 9}, levels[] = {0, 2, 3, 4};
    unsigned int gfn = 1 + levels[mode] - level;
    uint64_t index = at >> (12 + bits[mode] * (level - 1)) & ((1u << bits[mode]) - 1);

    return (char *)sim_phys(p2m_lookup(&d, _gfn(gfn)).mfn) + index * (mode == PAGED32 ? 4 : 8);
}

static void put(unsigned int level, uint64_t pte)
{
    memcpy(entry(level), &pte, mode == PAGED32 ? 4 : 8);
}

static uint64_t get(unsigned int level)
{
    uint64_t pte = 0;

    memcpy(&pte, entry(level), mode == PAGED32 ? 4 : 8);
    return pte;
}

/* Tables that lead to level 1 with all rights; the leaf is at 0x123000. */
static void setup(enum mode m, uint64_t linear)
{
    static const unsigned int levels[] = {0, 2, 3, 4};

    mode = m;
    at = linear;
    c = (struct vcpu_control){
        .cr0 = BIT(16) | (m ? BIT(31) : 0),
        .cr3 = 0x1000,
        .cr4 = m == PAGED32 ? BIT(4) : BIT(5) | BIT(20) | BIT(21),
        .efer = m == LONG ? BIT(8) | BIT(10) | BIT(11) : 0,
    };
    sim_init(SIM_RAM_SIZE, 1);
    fixture_domain(&d, &v, 1);
    for (uint64_t gfn = 1; gfn <= 4; gfn++)
        memset(sim_phys(fixture_ram(&d, gfn)), 0, PAGE_SIZE);
    for (unsigned int level = levels[m]; level > 1; level--)
        put(level,
            (uint64_t)(2 + levels[m] - level) << 12 | (m == PAE && level == 3 ? P : P | RW | US));
    if (m)
        put(1, 0x123000 | P | RW | US);
}

#define NO_FAULT 0xffffffffu
static gpa_t gpa;

static uint32_t try(unsigned int access)
{
    uint32_t error;

    return walk(&v, &c, at, access, &gpa, &error) ? error : NO_FAULT;
}

static void translates(void **state)
{
    static const uint64_t linear[] = {0xfffffff012345678, 0x89abc567, 0xc9abc567,
                                      0xffff87654321fedc};

    for (enum mode m = UNPAGED; m <= LONG; m++) {
        setup(m, linear[m]);
        assert_int_equal(try(0), NO_FAULT);
        assert_int_equal(gpa.v, m ? 0x123000 | (at & 0xfff) : 0x12345678);
        assert_int_equal(try(WALK_WRITE), NO_FAULT);
        fixture_end(&d);
    }
}

static void large_pages(void **state)
{
    setup(PAGED32, 0x89abc567);
    put(2, 0xffc00000 | 0x5 << 13 | P | RW | US | PS); /* PSE-36: bits 32..39 */
    assert_int_equal(try(0), NO_FAULT);
    assert_int_equal(gpa.v, 0x5ffebc567);
    put(2, get(2) | BIT(21));
    assert_int_equal(try(0), PF_PRESENT | PF_RESERVED);
    c.cr4 = 0; /* no PSE: the bit means nothing */
    put(2, 0x2000 | P | RW | US | PS);
    assert_int_equal(try(0), NO_FAULT);
    assert_int_equal(gpa.v, 0x123567);
    fixture_end(&d);

    setup(PAE, 0xc9abc567);
    put(2, 0x40000000 | P | RW | US | PS);
    assert_int_equal(try(0), NO_FAULT);
    assert_int_equal(gpa.v, 0x400bc567);
    put(2, get(2) | BIT(13));
    assert_int_equal(try(0), PF_PRESENT | PF_RESERVED);
    put(3, get(3) | PS);
    assert_int_equal(try(0), PF_PRESENT | PF_RESERVED);
    fixture_end(&d);

    setup(LONG, 0xffff87654321fedc);
    put(2, 0x3f40000000 | P | RW | US | PS | BIT(12));
    assert_int_equal(try(0), NO_FAULT);
    assert_int_equal(gpa.v, 0x3f4001fedc);
    put(3, 0x3f40000000 | P | RW | US | PS);
    assert_int_equal(try(0), NO_FAULT);
    assert_int_equal(gpa.v, 0x3f4321fedc);
    put(3, get(3) | BIT(29));
    assert_int_equal(try(0), PF_PRESENT | PF_RESERVED);
    put(4, get(4) | PS);
    assert_int_equal(try(0), PF_PRESENT | PF_RESERVED);
    fixture_end(&d);
}

/* Each level can take a right away. */
static void rights(void **state)
{
    for (enum mode m = PAGED32; m <= LONG; m++) {
        unsigned int levels = m == PAGED32 ? 2 : m == PAE ? 2 : 4;
        for (unsigned int level = 1; level <= levels; level++) {
            setup(m, 0x400000);
            put(level, get(level) & ~(uint64_t)US);
            assert_int_equal(try(WALK_USER), PF_PRESENT | PF_USER);
            assert_int_equal(try(WALK_USER | WALK_WRITE), PF_PRESENT | PF_USER | PF_WRITE);
            assert_int_equal(try(WALK_WRITE | WALK_SMAP), NO_FAULT);
            put(level, (get(level) | US) & ~(uint64_t)RW);
            assert_int_equal(try(WALK_USER), NO_FAULT);
            assert_int_equal(try(WALK_WRITE), PF_PRESENT | PF_WRITE);
            c.cr0 &= ~BIT(16); /* WP */
            assert_int_equal(try(WALK_WRITE), NO_FAULT);
            assert_int_equal(try(WALK_USER | WALK_WRITE), PF_PRESENT | PF_USER | PF_WRITE);
            put(level, get(level) & ~(uint64_t)P);
            assert_int_equal(try(WALK_WRITE), PF_WRITE);
            assert_int_equal(try(0), 0);
            fixture_end(&d);
        }
    }
}

static void execution(void **state)
{
    setup(LONG, 0x400000);
    assert_int_equal(try(WALK_USER | WALK_FETCH), NO_FAULT);
    assert_int_equal(try(WALK_FETCH), PF_PRESENT | PF_FETCH); /* SMEP */
    c.cr4 &= ~BIT(20);
    assert_int_equal(try(WALK_FETCH), NO_FAULT);
    put(3, get(3) | NX);
    assert_int_equal(try(WALK_FETCH), PF_PRESENT | PF_FETCH);
    assert_int_equal(try(WALK_USER | WALK_FETCH), PF_PRESENT | PF_USER | PF_FETCH);
    assert_int_equal(try(0), NO_FAULT);
    c.efer &= ~BIT(11); /* without NXE the bit is reserved, and there is no fetch bit */
    assert_int_equal(try(WALK_FETCH), PF_PRESENT | PF_RESERVED);
    assert_int_equal(try(0), PF_PRESENT | PF_RESERVED);
    fixture_end(&d);
}

static void smap(void **state)
{
    setup(LONG, 0x400000);
    assert_int_equal(try(WALK_SMAP), PF_PRESENT);
    assert_int_equal(try(WALK_SMAP | WALK_WRITE), PF_PRESENT | PF_WRITE);
    assert_int_equal(try(0), NO_FAULT);
    c.cr4 &= ~BIT(21);
    assert_int_equal(try(WALK_SMAP), NO_FAULT);
    fixture_end(&d);
}

static void reserved(void **state)
{
    for (unsigned int level = 1; level <= 4; level++) {
        setup(LONG, 0x400000);
        put(level, get(level) | BIT(52) | BIT(62)); /* software's */
        assert_int_equal(try(0), NO_FAULT);
        put(level, get(level) | BIT(51));
        assert_int_equal(try(WALK_WRITE), PF_PRESENT | PF_RESERVED | PF_WRITE);
        fixture_end(&d);
    }
    setup(PAE, 0x400000);
    put(1, get(1) | BIT(52));
    assert_int_equal(try(0), PF_PRESENT | PF_RESERVED);
    fixture_end(&d);
    setup(LONG, 0x0000800000000000);
    assert_int_equal(try(0), 0); /* not canonical */
    fixture_end(&d);
}

static void accessed_and_dirty(void **state)
{
    for (enum mode m = PAGED32; m <= LONG; m++) {
        unsigned int levels = m == PAGED32 ? 2 : m == PAE ? 3 : 4;
        setup(m, 0x400000);
        put(1, get(1) & ~(uint64_t)RW);
        assert_int_equal(try(WALK_WRITE), PF_PRESENT | PF_WRITE);
        assert_int_equal(get(1) & (A | D), 0);
        assert_int_equal(try(0), NO_FAULT);
        assert_int_equal(get(1) & (A | D), A);
        put(1, get(1) | RW);
        assert_int_equal(try(WALK_WRITE), NO_FAULT);
        assert_int_equal(get(1) & (A | D), A | D);
        for (unsigned int level = 2; level <= levels; level++)
            assert_int_equal(get(level) & (A | D), m == PAE && level == 3 ? 0 : A);
        fixture_end(&d);
    }
}

/* A remembered walk never answers differently from a new one, whatever was changed meanwhile. */
static void remembered(void **state)
{
    unsigned int same = 0, done = 0;

    setup(LONG, 0x400000);
    for (uint64_t i = 0; i < 64; i++)
        fixture_ram(&d, 0x123 + i);
    uint64_t *root = sim_phys(fixture_ram(&d, 5));
    memset(root, 0, PAGE_SIZE);
    root[at >> 39 & 511] = 0x2000 | P | US;
    window_serve(1);
    srand(2);
    for (int step = 0; step < 60000; step++) {
        at = 0x400000 + (uint64_t)rand() % 3 * PAGE_SIZE;
        if (!(get(1) & P))
            put(1, (0x123ULL + (uint64_t)rand() % 64) << 12 | P | RW | US);
        switch (rand() % 40) {
        case 0: {
            static const uint64_t bits[] = {P, RW, US, A, D, PS, NX, BIT(51), BIT(12)};
            unsigned int level = 1 + (unsigned int)rand() % 4;
            put(level, get(level) ^ bits[rand() % (level == 1 ? 9 : 8)]);
            break;
        }
        case 1:
            put(4, 0x2000 | P | RW | US);
            put(3, 0x3000 | P | RW | US);
            put(2, 0x4000 | P | RW | US);
            break;
        case 2:
            c.cr4 ^= BIT(20 + (unsigned int)rand() % 2);
            break;
        case 3:
            c.efer ^= BIT(11);
            break;
        case 4:
            c.cr0 ^= BIT(16);
            break;
        case 5:
            window_forget_all();
            break;
        case 7: /* another root, without a right */
            c.cr3 ^= 0x1000 ^ 0x5000;
            break;
        case 6: /* a table moves to another frame */
            if (rand() % 10 == 0) {
                uint64_t gfn = 1 + (uint64_t)rand() % 4, copy[512];
                memcpy(copy, sim_phys(p2m_lookup(&d, _gfn(gfn)).mfn), PAGE_SIZE);
                struct page *old = page_of(p2m_lookup(&d, _gfn(gfn)).mfn);
                assert_true(page_get(old, d.id)); /* so that it is not the new one */
                fixture_drop(&d, gfn);
                memcpy(sim_phys(fixture_ram(&d, gfn)), copy, PAGE_SIZE);
                put(5 - (unsigned int)gfn, get(5 - (unsigned int)gfn) ^ US);
                page_put(old);
            }
            break;
        }
        unsigned int access = (unsigned int)rand() % 16;
        struct walk_memo before = this_cpu()->walk[at >> 12 & 15];
        uint32_t first = try(access);
        gpa_t found = gpa;
        same += !memcmp(&before, &this_cpu()->walk[at >> 12 & 15], sizeof(before));
        if (first == NO_FAULT) {
            assert_int_equal(gpa.v, found.v);
            unsigned int leaf = get(3) & PS ? 3 : get(2) & PS ? 2 : 1;
            assert_true(c.cr3 != 0x1000 || get(4) & A);
            assert_true(get(leaf) & A);
            assert_true(!(access & WALK_WRITE) || get(leaf) & D);
            done++;
        }
        if (rand() % 2)
            continue;
        struct walk_memo kept[WALK_MEMO_SLOTS];
        memcpy(kept, this_cpu()->walk, sizeof(kept));
        memset(this_cpu()->walk, 0, sizeof(kept));
        assert_int_equal(try(access), first);
        if (first == NO_FAULT)
            assert_int_equal(gpa.v, found.v);
        memcpy(this_cpu()->walk, kept, sizeof(kept));
    }
    assert_true(same > 1000 && done > 1000);
    window_serve(FRAME_OWNER_NONE);
    fixture_end(&d);
}

/* Tables outside RAM; a table that may not be written keeps its bits but works. */
static void table_memory(void **state)
{
    setup(LONG, 0x400000);
    mfn_t mfn = p2m_lookup(&d, _gfn(4)).mfn;
    assert_int_equal(p2m_set(&d, _gfn(4), mfn, 0, P2M_RAM_RO, NULL), 0);
    assert_int_equal(try(WALK_WRITE), NO_FAULT);
    assert_int_equal(get(1) & (A | D), 0);
    assert_int_equal(p2m_set(&d, _gfn(4), mfn, 0, P2M_RAM, NULL), 0);
    fixture_drop(&d, 3);
    assert_int_equal(try(WALK_WRITE), PF_WRITE);
    c.cr3 = BITS(12, 51);
    assert_int_equal(try(0), 0);
    fixture_end(&d);
}

UNIT_MAIN(cmocka_unit_test(translates), cmocka_unit_test(large_pages), cmocka_unit_test(rights),
          cmocka_unit_test(execution), cmocka_unit_test(smap), cmocka_unit_test(reserved),
          cmocka_unit_test(accessed_and_dirty), cmocka_unit_test(table_memory),
          cmocka_unit_test(remembered))

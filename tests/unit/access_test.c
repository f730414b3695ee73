/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/access.h: reads and writes of any size and place agree with a flat model of the address
 * space, across pages and page sizes; what is not there or not allowed is -XEN_EFAULT; warm reads
 * write no window and invalidate nothing; no reference is left behind.
 */
#include "unit/fixture.h"

#include "guest/access.h"
#include "lib/bits.h"
#include "mem/window.h"

static struct domain d;
static struct vcpu v;
static struct vcpu_priv priv;
static struct vcpu_control control;

static void get_control(struct vcpu *which, struct vcpu_control *c)
{
    assert_ptr_equal(which, &v);
    *c = control;
}
static const struct virt_ops ops = {.get_control = get_control};

/* Linear 0x400000 + n pages -> gfn 16 + 37 n mod PAGES, so that neighbours are not; tables at gfn
 * 1..4. User pages, all rights. */
enum { PAGES = 64, LINEAR = 0x400000 };

static uint64_t gfn_of(uint64_t page)
{
    return 16 + page * 37 % PAGES;
}

static uint64_t *table(uint64_t gfn)
{
    return sim_phys(p2m_lookup(&d, _gfn(gfn)).mfn);
}

static void setup(void)
{
    sim_init(SIM_RAM_SIZE, 2);
    fixture_domain(&d, &v, 1);
    v.priv = &priv;
    virt = &ops;
    control = (struct vcpu_control){.cr0 = BIT(31) | BIT(16),
                                    .cr3 = 0x1000,
                                    .cr4 = BIT(5) | BIT(21),
                                    .efer = BIT(10) | BIT(11)};
    for (uint64_t gfn = 1; gfn < 16 + PAGES; gfn++)
        memset(sim_phys(fixture_ram(&d, gfn)), 0, PAGE_SIZE);
    table(1)[0] = 0x2007;
    table(2)[0] = 0x3007;
    table(3)[2] = 0x4007;
    for (uint64_t i = 0; i < PAGES; i++)
        table(4)[i] = gfn_of(i) << 12 | 7;
    window_serve(1);
}

static void check_refs(void)
{
    for (uint64_t gfn = 1; gfn < 16 + PAGES; gfn++)
        assert_int_equal(page_refs(page_of(p2m_lookup(&d, _gfn(gfn)).mfn)), 1);
}

static void random_walk(void **state)
{
    static uint8_t model[PAGES * PAGE_SIZE], buf[3 * PAGE_SIZE];

    setup();
    srand(1);
    for (int step = 0; step < 5000; step++) {
        size_t n = (size_t)rand() % (rand() % 4 ? 100 : sizeof(buf));
        size_t at = (size_t)rand() % (sizeof(model) - n);
        switch (rand() % 5) {
        case 0:
            assert_int_equal(guest_read(&v, buf, LINEAR + at, n), 0);
            assert_memory_equal(buf, model + at, n);
            break;
        case 1:
            for (size_t i = 0; i < n; i++)
                buf[i] = (uint8_t)rand();
            assert_int_equal(guest_write(&v, LINEAR + at, buf, n), 0);
            memcpy(model + at, buf, n);
            break;
        case 2:
            assert_int_equal(guest_zero(&v, LINEAR + at, n), 0);
            memset(model + at, 0, n);
            break;
        case 3:
            n = min(n, PAGE_SIZE - at % PAGE_SIZE);
            gpa_t gpa = _gpa(gfn_of(at >> 12) << 12 | (at & 0xfff));
            assert_int_equal(gpa_write(&d, gpa, buf, n), 0);
            memcpy(model + at, buf, n);
            assert_int_equal(gpa_read(&d, buf, gpa, n), 0);
            assert_memory_equal(buf, model + at, n);
            break;
        case 4: /* another CPU replaces a frame by a copy */
            sim_cpu_set(1);
            uint64_t gfn = gfn_of((uint64_t)rand() % PAGES);
            uint8_t copy[PAGE_SIZE];
            memcpy(copy, table(gfn), PAGE_SIZE);
            fixture_drop(&d, gfn);
            memcpy(sim_phys(fixture_ram(&d, gfn)), copy, PAGE_SIZE);
            sim_cpu_set(0);
            break;
        }
    }
    check_refs();
    window_serve(FRAME_OWNER_NONE);
    fixture_end(&d);
}

static void refuses(void **state)
{
    uint8_t buf[8192];

    setup();
    assert_int_equal(guest_read(&v, buf, LINEAR - 1, 1), -XEN_EFAULT);
    assert_int_equal(guest_read(&v, buf, LINEAR + PAGES * PAGE_SIZE - 4, 8), -XEN_EFAULT);
    assert_int_equal(guest_read(&v, buf, ~0ULL - 3, 8), -XEN_EFAULT);
    assert_int_equal(guest_read(&v, buf, 0x900000000000, 8), -XEN_EFAULT);
    assert_int_equal(guest_read_at(&v, buf, LINEAR, ~0ULL / 8, 16), -XEN_EFAULT);
    assert_int_equal(guest_read_at(&v, buf, ~0ULL - 64, 2, 64), -XEN_EFAULT);
    assert_int_equal(guest_read(&v, buf, LINEAR - 1, 0), 0);
    assert_int_equal(gpa_read(&d, buf, _gpa(0), 1), -XEN_EFAULT);
    assert_int_equal(gpa_read(&d, buf, _gpa(((16ULL + PAGES) << 12) - 1), 2), -XEN_EFAULT);
    assert_int_equal(gpa_read(&d, buf, _gpa(~0ULL - 3), 8), -XEN_EFAULT);
    assert_int_equal(gpa_zero(&d, _gpa(~0ULL - 3), 8), -XEN_EFAULT);

    /* Read-only for the kernel, by its own tables or by the map. */
    table(4)[0] &= ~2ULL;
    assert_int_equal(guest_write(&v, LINEAR, buf, 1), -XEN_EFAULT);
    assert_int_equal(guest_read(&v, buf, LINEAR, 1), 0);
    table(4)[0] |= 2;
    assert_int_equal(guest_write(&v, LINEAR, buf, 1), 0);
    mfn_t mfn = p2m_lookup(&d, _gfn(gfn_of(0))).mfn;
    assert_int_equal(p2m_set(&d, _gfn(gfn_of(0)), mfn, 0, P2M_RAM_RO, NULL), 0);
    assert_int_equal(guest_write(&v, LINEAR, buf, 1), -XEN_EFAULT);
    assert_int_equal(guest_read(&v, buf, LINEAR, 1), 0);
    assert_int_equal(p2m_set(&d, _gfn(gfn_of(0)), mfn, 0, P2M_RAM, NULL), 0);
    check_refs();
    window_serve(FRAME_OWNER_NONE);
    fixture_end(&d);
}

/* At a random access, CPU 1 moves a page or a table to another frame; the old one is used for
 * something else at once. */
static unsigned int accesses_left;
static uint64_t moved_gfn;

static void move_frame(void)
{
    if (accesses_left-- != 0)
        return;
    uint64_t copy[512], *old = table(moved_gfn);
    struct page *pg = page_of(p2m_lookup(&d, _gfn(moved_gfn)).mfn);
    memcpy(copy, old, sizeof(copy));
    sim_cpu_set(1);
    assert_true(page_get(pg, d.id)); /* so that it is not the new one */
    fixture_drop(&d, moved_gfn);
    memcpy(sim_phys(fixture_ram(&d, moved_gfn)), copy, sizeof(copy));
    for (int i = 0; i < 512; i++)
        old[i] = 17 << 12 | 0x67; /* a good entry, that leads elsewhere */
    page_put(pg);
    sim_cpu_set(0);
}

static void changed_meanwhile(void **state)
{
    static const uint64_t gfns[] = {1, 2, 3, 4, 16};
    uint64_t buf[4];
    unsigned int moved = 0;

    setup();
    srand(4);
    for (int step = 0; step < 3000; step++) {
        moved_gfn = gfns[rand() % 5];
        table(gfn_of(0))[1] = 0x1234;
        memset(this_cpu()->walk, 0, rand() % 2 ? 0 : sizeof(this_cpu()->walk));
        accesses_left = (unsigned int)rand() % 10;
        sim_access_hook = move_frame;
        if (step % 2) {
            assert_int_equal(guest_read(&v, buf, LINEAR, sizeof(buf)), 0);
            sim_access_hook = NULL;
            assert_int_equal(buf[1], 0x1234);
        } else {
            buf[1] = (uint64_t)step;
            assert_int_equal(guest_write(&v, LINEAR, buf, sizeof(buf)), 0);
            sim_access_hook = NULL;
            /* A write to a page that goes meanwhile may be lost with it, not go astray. */
            assert_true(table(gfn_of(0))[1] == (uint64_t)step || moved_gfn == gfn_of(0));
        }
        moved += accesses_left > 100;
        assert_int_equal(table(17)[1], 0);
    }
    assert_true(moved > 1000);
    check_refs();
    window_serve(FRAME_OWNER_NONE);
    fixture_end(&d);
}

static void warm_reads_are_cheap(void **state)
{
    uint64_t buf[3];

    setup();
    assert_int_equal(guest_read(&v, buf, LINEAR, sizeof(buf)), 0);
    sim_count = (struct sim_count){0};
    for (int i = 0; i < 10; i++)
        assert_int_equal(guest_read(&v, buf, LINEAR, sizeof(buf)), 0);
    assert_int_equal(sim_count.window_writes + sim_count.invalidations, 0);
    window_serve(FRAME_OWNER_NONE);
    fixture_end(&d);
}

static void fetches(void **state)
{
    uint8_t buf[15];
    struct guest_fault fault;

    setup();
    control.cr4 |= BIT(20);
    control.cpl = 3;
    for (int i = 0; i < 15; i++)
        buf[i] = (uint8_t)i;
    assert_int_equal(guest_write(&v, LINEAR + 4090, buf, 15), 0);
    memset(buf, 0, 15);
    assert_int_equal(guest_fetch(&v, buf, LINEAR + 4090, 15, &fault), 15);
    for (int i = 0; i < 15; i++)
        assert_int_equal(buf[i], i);
    table(4)[1] |= BIT(63);
    assert_int_equal(guest_fetch(&v, buf, LINEAR + 4090, 15, &fault), 6);
    assert_int_equal(fault.address, LINEAR + 4096);
    assert_int_equal(fault.error, 0x15);
    assert_int_equal(guest_fetch(&v, buf, LINEAR + 4096, 15, &fault), 0);
    control.cpl = 0; /* SMEP */
    assert_int_equal(guest_fetch(&v, buf, LINEAR, 15, &fault), 0);
    assert_int_equal(fault.address, LINEAR);
    assert_int_equal(fault.error, 0x11);
    window_serve(FRAME_OWNER_NONE);
    fixture_end(&d);
}

static void emulated_access(void **state)
{
    struct guest_fault fault;
    gpa_t gpa;

    setup();
    control.cpl = 3;
    assert_int_equal(guest_emul_translate(&v, LINEAR + 5, true, false, &gpa, &fault), 0);
    assert_int_equal(gpa.v, (gfn_of(0) << 12) + 5);
    table(4)[0] = 0xfee00000 | 7;
    assert_int_equal(guest_emul_translate(&v, LINEAR + 0x30, false, false, &gpa, &fault),
                     -XEN_ENOENT);
    assert_int_equal(gpa.v, 0xfee00030);
    table(4)[0] = 0;
    assert_int_equal(guest_emul_translate(&v, LINEAR + 5, true, false, &gpa, &fault), -XEN_EFAULT);
    assert_int_equal(fault.address, LINEAR + 5);
    assert_int_equal(fault.error, 6);
    control.cpl = 0;
    assert_int_equal(guest_emul_translate(&v, LINEAR + 4096, false, false, &gpa, &fault),
                     -XEN_EFAULT); /* SMAP */
    assert_int_equal(fault.error, 1);
    priv.regs.rflags = 1u << 18;
    assert_int_equal(guest_emul_translate(&v, LINEAR + 4096, false, false, &gpa, &fault), 0);
    window_serve(FRAME_OWNER_NONE);
    fixture_end(&d);
}

UNIT_MAIN(cmocka_unit_test(random_walk), cmocka_unit_test(refuses),
          cmocka_unit_test(changed_meanwhile), cmocka_unit_test(warm_reads_are_cheap),
          cmocka_unit_test(fetches), cmocka_unit_test(emulated_access))

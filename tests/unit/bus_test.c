/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest/emul/bus.c: an access reaches the device whose row holds all of it, whatever the order in
 * which rows were added; overlaps are refused; what nobody claims is all ones.
 */
#include "unit/fixture.h"

#include "guest/emul/bus.h"

static struct domain d;
static struct vcpu v;

static struct {
    uintptr_t ctx;
    uint64_t offset, value;
    unsigned int size, calls;
} last;

static void dev_read(struct vcpu *w, void *ctx, uint64_t offset, unsigned int size, uint64_t *value)
{
    last.ctx = (uintptr_t)ctx;
    last.offset = offset;
    last.size = size;
    last.calls++;
    *value = 0x42;
}

static void dev_write(struct vcpu *w, void *ctx, uint64_t offset, unsigned int size, uint64_t value)
{
    dev_read(w, ctx, offset, size, &last.value);
    last.value = value;
}

static int add(enum bus_space space, uint64_t start, uint64_t size)
{
    const struct bus_device dev = {.name = "test",
                                   .space = space,
                                   .start = start,
                                   .size = size,
                                   .read = dev_read,
                                   .write = dev_write,
                                   .ctx = (void *)(uintptr_t)(start + 1)};

    return bus_add(&d, &dev);
}

static void begin(void)
{
    sim_init(SIM_RAM_SIZE, 1);
    memset(&d, 0, sizeof(d));
    lock_init(&d.lock, RANK_DOMAIN);
    v.domain = &d;
    assert_int_equal(bus_init(&d), 0);
}

static void end(void)
{
    bus_fini(&d);
    bus_fini(&d);
    fixture_grace();
}

static void unclaimed(void **state)
{
    static const unsigned int sizes[] = {1, 2, 4, 8};
    uint64_t value;

    begin();
    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
        value = bus_read(&v, BUS_MMIO, 0xfee00000, sizes[i]);
        assert_true(value == ~0ULL >> (64 - 8 * sizes[i]));
        bus_write(&v, BUS_MMIO, 0xfee00000, sizes[i], 0);
    }
    end();
}

static void overlaps(void **state)
{
    begin();
    assert_int_equal(add(BUS_MMIO, 0x1000, 0x100), 0);
    assert_int_equal(add(BUS_MMIO, 0x10ff, 1), -XEN_EEXIST);
    assert_int_equal(add(BUS_MMIO, 0xfff, 2), -XEN_EEXIST);
    assert_int_equal(add(BUS_MMIO, 0, 0x2000), -XEN_EEXIST);
    assert_int_equal(add(BUS_MMIO, 0x1000, 0x100), -XEN_EEXIST);
    assert_int_equal(add(BUS_MMIO, 0x1100, 0), -XEN_EINVAL);
    assert_int_equal(add(BUS_MMIO, ~0ULL, 2), -XEN_EINVAL);
    assert_int_equal(add(BUS_MMIO, 0x1100, 1), 0);
    assert_int_equal(add(BUS_MMIO, 0xfff, 1), 0);
    assert_int_equal(add(BUS_PORT, 0x1000, 1), 0); /* another space */
    end();
}

static void dispatch(void **state)
{
    uint64_t value;

    begin();
    /* 40 rows of 16 bytes with gaps of 16, added in a scattered order */
    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(add(BUS_PORT, (i * 7 % 40) * 32, 16), 0);
    for (uint64_t addr = 0; addr < 40 * 32; addr++)
        for (unsigned int size = 1; size <= 4; size *= 2) {
            bool inside = addr % 32 + size <= 16;

            last.calls = 0;
            value = bus_read(&v, BUS_PORT, addr, size);
            assert_int_equal(last.calls, inside);
            assert_true(value == (inside ? 0x42 : ~0ULL >> (64 - 8 * size)));
            if (!inside)
                continue;
            assert_int_equal(last.offset, addr % 32);
            assert_int_equal(last.size, size);
            assert_int_equal(last.ctx, addr / 32 * 32 + 1);
            bus_write(&v, BUS_PORT, addr, size, 0x99);
            assert_int_equal(last.value, 0x99);
        }
    value = bus_read(&v, BUS_MMIO, 0, 1);
    assert_int_equal(value, 0xff);
    end();
}

/* A device without one of its functions. */
static void half_device(void **state)
{
    const struct bus_device dev = {
        .name = "half", .space = BUS_PORT, .start = 5, .size = 1, .read = dev_read};
    uint64_t value;

    begin();
    assert_int_equal(bus_add(&d, &dev), 0);
    bus_write(&v, BUS_PORT, 5, 1, 1);
    value = bus_read(&v, BUS_PORT, 5, 1);
    assert_int_equal(value, 0x42);
    end();
}

UNIT_MAIN(cmocka_unit_test(unclaimed), cmocka_unit_test(overlaps), cmocka_unit_test(dispatch),
          cmocka_unit_test(half_device))

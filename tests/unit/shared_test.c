/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain/shared.h: only the domain's own plain RAM is registered, it is held while registered, and
 * vcpu_info is where the ABI says.
 */
#include "unit/fixture.h"

#include "domain/shared.h"

#include "port/mem.h"

static struct domain d;
static struct vcpu v;

static void registers(void **state)
{
    struct shared_page page = {MFN_NONE};

    sim_init(SIM_RAM_SIZE, 1);
    fixture_domain(&d, &v, 1);
    mfn_t mfn = fixture_ram(&d, 4);
    assert_false(shared_present(&page));
    assert_int_equal(shared_register(&d, _gfn(5), &page), -XEN_EINVAL);
    assert_int_equal(shared_register(&d, _gfn(4), &page), 0);
    assert_true(shared_present(&page));
    assert_int_equal(page_refs(page_of(mfn)), 2);
    fixture_drop(&d, 4); /* gone from the map, still there */
    void *va = shared_map(&page);
    assert_int_equal(mem_load64(va), 4);
    shared_unmap(va);
    shared_release(&page);
    shared_release(&page);
    assert_int_equal(page_owner(page_of(mfn)), FRAME_OWNER_FREE);
    fixture_end(&d);
}

static void vcpu_info(void **state)
{
    sim_init(SIM_RAM_SIZE, 1);
    fixture_domain(&d, &v, 1);
    assert_null(vcpu_info_map(&v));
    mfn_t mfn = fixture_ram(&d, 4), own = fixture_ram(&d, 5);
    assert_int_equal(shared_register(&d, _gfn(4), &d.shared_info), 0);
    v.id = 3;
    void *va = vcpu_info_map(&v);
    mem_store8(va, 0xaa);
    shared_unmap(va);
    assert_int_equal(((uint8_t *)sim_phys(mfn))[3 * 64], 0xaa);
    v.id = 32;
    assert_null(vcpu_info_map(&v));
    assert_int_equal(shared_register(&d, _gfn(5), &v.info), 0);
    v.info_offset = 4032;
    va = vcpu_info_map(&v);
    mem_store8(va, 0xbb);
    shared_unmap(va);
    assert_int_equal(((uint8_t *)sim_phys(own))[4032], 0xbb);
    shared_release(&v.info);
    shared_release(&d.shared_info);
    fixture_end(&d);
}

static void layouts(void **state)
{
    d.wide = true;
    assert_int_equal(shared_layout(&d)->evtchn_mask, 2560);
    assert_int_equal(shared_layout(&d)->wc_sec_hi, 3084);
    d.wide = false; /* numbers of a 32-bit compilation of the public header */
    assert_int_equal(shared_layout(&d)->evtchn_mask, 2176);
    assert_int_equal(shared_layout(&d)->wc_version, 2304);
    assert_int_equal(shared_layout(&d)->wc_sec_hi, 2340);
}

UNIT_MAIN(cmocka_unit_test(registers), cmocka_unit_test(vcpu_info), cmocka_unit_test(layouts))

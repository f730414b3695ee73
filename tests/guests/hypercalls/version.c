/* SPDX-License-Identifier: Apache-2.0 */
/* Hypercall numbers that do not exist, and xen_version. Public header: xen/version.h. */
#include "checks.h"

const unsigned long bad_pointers[] = BAD_POINTERS;
const unsigned int bad_pointer_count = ARRAY_SIZE(bad_pointers);

void check_numbers(void)
{
    static const unsigned int absent[] = {
        __HYPERVISOR_set_trap_table,
        __HYPERVISOR_mmu_update,
        __HYPERVISOR_set_gdt,
        __HYPERVISOR_stack_switch,
        __HYPERVISOR_set_callbacks,
        __HYPERVISOR_fpu_taskswitch,
        __HYPERVISOR_set_debugreg,
        __HYPERVISOR_get_debugreg,
        __HYPERVISOR_update_descriptor,
        11,
        __HYPERVISOR_update_va_mapping,
        __HYPERVISOR_update_va_mapping_otherdomain,
        __HYPERVISOR_iret,
        __HYPERVISOR_set_segment_base,
        __HYPERVISOR_nmi_op,
        __HYPERVISOR_callback_op,
        __HYPERVISOR_kexec_op,
        38,
        43,
        47,
        48 /* mca */,
        56,
        63,
        64,
        1000,
        0x7fffffff,
        0x80000000,
        0xffffffff,
    };
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
        long rc = hypercall(absent[i], 0, 0, 0, 0, 0);
        CHECK(rc == -XEN_ENOSYS, "hypercall %u gives %ld, want -ENOSYS", absent[i], rc);
    }
}

static bool contains(const char *text, const char *word)
{
    for (; *text; text++)
        if (!memcmp(text, word, strlen(word)))
            return true;
    return false;
}

static void check_features(void)
{
    struct xen_feature_info f = {.submap_idx = 0};
    static const unsigned int want[] = {
        XENFEAT_writable_page_tables,      XENFEAT_auto_translated_physmap,
        XENFEAT_hvm_callback_vector,       XENFEAT_hvm_safe_pvclock,
        XENFEAT_memory_op_vnode_supported, XENFEAT_not_direct_mapped};
    EXPECT(xen_version(XENVER_get_features, &f), 0);
    print("features %x", f.submap);
    for (size_t i = 0; i < ARRAY_SIZE(want); i++)
        CHECK(f.submap >> want[i] & 1, "feature %u is missing", want[i]);
    CHECK(!(f.submap >> XENFEAT_hvm_pirqs & 1), "hvm_pirqs is for HVM only");
    CHECK(!(f.submap >> XENFEAT_dom0 & 1), "this is not dom0");
    f.submap_idx = 1;
    EXPECT(xen_version(XENVER_get_features, &f), -XEN_EINVAL);
    EXPECT_EFAULT(xen_version(XENVER_get_features, bad));
}

void check_version(void)
{
    static union {
        char text[1024];
        struct xen_compile_info info;
        struct xen_platform_parameters params;
        struct xen_build_id build_id;
    } u;
    EXPECT(xen_version(XENVER_version, 0), 0x40011);
    EXPECT(xen_version(XENVER_version, bad_pointers[0]), 0x40011);
    EXPECT(xen_version(XENVER_extraversion, u.text), 0);
    print("extraversion '%s'", u.text);
    CHECK(u.text[0] == '.', "extraversion does not start with a point");
    EXPECT_EFAULT(xen_version(XENVER_extraversion, bad));
    EXPECT(xen_version(XENVER_compile_info, &u.info), 0);
    CHECK(u.info.compiler[0] >= ' ', "no compiler in compile_info");
    EXPECT_EFAULT(xen_version(XENVER_compile_info, bad));
    EXPECT(xen_version(XENVER_capabilities, u.text), 0);
    print("capabilities '%s'", u.text);
    CHECK(contains(u.text, "hvm-3.0-x86_32 ") && contains(u.text, "hvm-3.0-x86_64"),
          "capabilities lack hvm-3.0-*");
    EXPECT_EFAULT(xen_version(XENVER_capabilities, bad));
    EXPECT(xen_version(XENVER_changeset, u.text), 0);
    EXPECT(xen_version(XENVER_platform_parameters, &u.params), 0);
    if (GUEST_BITS == 64)
        EXPECT(u.params.virt_start, 0xffff800000000000);
    check_features();
    EXPECT(xen_version(XENVER_pagesize, 0), 4096);
    EXPECT(xen_version(XENVER_pagesize, u.text), -XEN_EINVAL);
    EXPECT(xen_version(XENVER_guest_handle, u.text), 0);
    EXPECT_EFAULT(xen_version(XENVER_guest_handle, bad));
    EXPECT(xen_version(XENVER_commandline, u.text), 0);
    CHECK(!memcmp(u.text, "<denied>", 9), "command line shown to a guest: '%s'", u.text);
    EXPECT(xen_version(XENVER_build_id, 0), -XEN_EPERM);
    EXPECT(xen_version(11, 0), -XEN_ENOSYS);
    EXPECT(xen_version(0xffffffff, 0), -XEN_ENOSYS);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* hvm_op, vm_assist, console_io, set_timer_op, multicall. Public headers: xen/hvm/hvm_op.h, xen.h.
 */
#include "checks.h"

static void check_params(void)
{
    static const uint32_t may_get[] = {0, 1, 2, 15, 17, 18, 19, 34, 35, 36, 37};
    static const uint32_t may_set[] = {0, 15, 19, 34, 36, 37}; /* and 2, 18, which have a use */
    static const uint32_t gone[] = {4, 13, 20, 21, 22, 23, 24, 25, 26, 30};
    uint64_t v;
    for (uint32_t i = 0; i < HVM_NR_PARAMS; i++) {
        bool listed = false, set = i == 2 || i == 18, deprecated = false;
        for (size_t k = 0; k < ARRAY_SIZE(may_get); k++)
            listed |= may_get[k] == i;
        for (size_t k = 0; k < ARRAY_SIZE(may_set); k++)
            set |= may_set[k] == i;
        for (size_t k = 0; k < ARRAY_SIZE(gone); k++)
            deprecated |= gone[k] == i;
        long want = deprecated ? -XEN_EINVAL : listed ? 0 : -XEN_EPERM;
        long rc = hvm_param_get(i, &v);
        CHECK(rc == want, "get of HVM param %u gives %ld, want %ld", i, rc, want);
        if (set)
            continue;
        want = deprecated ? -XEN_EINVAL : -XEN_EPERM;
        rc = hvm_param_set(i, 0);
        CHECK(rc == want, "set of HVM param %u gives %ld, want %ld", i, rc, want);
    }
    EXPECT(hvm_param_get(HVM_NR_PARAMS, &v), -XEN_EINVAL);
    EXPECT(hvm_param_set(HVM_NR_PARAMS, 0), -XEN_EINVAL);
    EXPECT(hvm_param_get(0xffffffff, &v), -XEN_EINVAL);
    EXPECT(hvm_param_set(HVM_PARAM_VM_GENERATION_ID_ADDR, 0x1234), 0);
    EXPECT(hvm_param_get(HVM_PARAM_VM_GENERATION_ID_ADDR, &v), 0);
    EXPECT(v, 0x1234);
    EXPECT(hvm_param_set(HVM_PARAM_VM_GENERATION_ID_ADDR, 0), 0);
    EXPECT(hvm_param_set(HVM_PARAM_CALLBACK_IRQ, 1), 0); /* a GSI: kept and ignored */

    struct xen_hvm_param p = {.domid = 0x123, .index = 0};
    EXPECT(hvm_op(HVMOP_get_param, &p), -XEN_ESRCH);
    EXPECT_EFAULT(hvm_op(HVMOP_get_param, bad));
    EXPECT_EFAULT(hvm_op(HVMOP_set_param, bad));
}

void check_hvm(void)
{
    check_params();
    struct xen_hvm_evtchn_upcall_vector up = {.vcpu = 0, .vector = 0x0f};
    EXPECT(hvm_op(HVMOP_set_evtchn_upcall_vector, &up), -XEN_EINVAL);
    up.vcpu = 77;
    up.vector = 0x30;
    EXPECT(hvm_op(HVMOP_set_evtchn_upcall_vector, &up), -XEN_ENOENT);
    EXPECT_EFAULT(hvm_op(HVMOP_set_evtchn_upcall_vector, bad));
    struct xen_hvm_get_mem_type type = {.domid = DOMID_SELF, .pfn = 0x100};
    EXPECT(hvm_op(HVMOP_get_mem_type, &type), 0);
    EXPECT(type.mem_type, HVMMEM_ram_rw);
    type.pfn = 0xe0000;
    EXPECT(hvm_op(HVMOP_get_mem_type, &type), 0);
    EXPECT(type.mem_type, HVMMEM_mmio_dm);
    EXPECT_EFAULT(hvm_op(HVMOP_get_mem_type, bad));
    struct xen_hvm_pagetable_dying dying = {.domid = DOMID_SELF};
    EXPECT(hvm_op(HVMOP_pagetable_dying, &dying), -XEN_EINVAL);
    EXPECT(hvm_op(100, 0), -XEN_ENOSYS);
    EXPECT(hvm_op(0x7fffffff, 0), -XEN_ENOSYS);
}

void check_misc(void)
{
    static char text[] = "written by console_io\n";
    if (on_xen) {
        EXPECT(console_io(CONSOLEIO_write, sizeof(text) - 1, text), -XEN_EPERM);
    } else {
        EXPECT(console_io(CONSOLEIO_write, sizeof(text) - 1, text), 0);
        EXPECT(console_io(CONSOLEIO_write, 0, text), 0);
        EXPECT_EFAULT(console_io(CONSOLEIO_write, 10, bad));
        EXPECT(console_io(17, 0, text), -XEN_ENOSYS);
    }

    EXPECT(vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
    EXPECT(vm_assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag), 0);
    EXPECT(vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), -XEN_EINVAL);
    EXPECT(vm_assist(VMASST_CMD_enable, 1000), -XEN_EINVAL);
    EXPECT(vm_assist(2, VMASST_TYPE_runstate_update_flag), -XEN_ENOSYS);

    EXPECT(set_timer_op(now_ns() + 1000000000ull), 0);
    EXPECT(set_timer_op(0ull), 0);
}

void check_multicall(void)
{
    static struct multicall_entry list[600];
    list[0].op = __HYPERVISOR_xen_version;
    list[0].args[0] = XENVER_version;
    list[1].op = 1000;
    list[2].op = __HYPERVISOR_multicall;
    list[3].op = __HYPERVISOR_xen_version;
    list[3].args[0] = XENVER_extraversion;
    list[3].args[1] = (xen_ulong_t)bad_pointers[0];
    EXPECT(multicall(list, 4), 0);
    EXPECT(list[0].result, 0x40011);
    EXPECT((long)list[1].result, -XEN_ENOSYS);
    EXPECT((long)list[2].result, -XEN_EINVAL);
    EXPECT((long)list[3].result, -XEN_EFAULT);
    EXPECT(multicall(list, 0), 0);
    EXPECT_EFAULT(multicall(bad, 1));

    for (size_t i = 0; i < ARRAY_SIZE(list); i++)
        list[i] = (struct multicall_entry){.op = __HYPERVISOR_xen_version};
    EXPECT(multicall(list, ARRAY_SIZE(list)), 0);
    unsigned int right = 0;
    for (size_t i = 0; i < ARRAY_SIZE(list); i++)
        right += list[i].result == 0x40011;
    EXPECT(right, ARRAY_SIZE(list));
}

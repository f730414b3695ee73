/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xen_version and vm_assist: hypercalls.md S1.3. Krypton answers as Xen 4.17, the extra version
 * names it.
 */
#include "guest/hypercall/hypercall.h"

#include "lib/nospec.h"
#include "lib/string.h"
#include "core/param.h"
#include "core/version.h"
#include "domain/privilege.h"
#include "guest/access.h"

#define XEN_VERSION        0x00040011
#define GUEST_CAPABILITIES "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 "
#define VIRT_START         0xffff800000000000ULL

static const uint32_t features =
    1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
    1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock |
    1u << XENFEAT_memory_op_vnode_supported | 1u << XENFEAT_not_direct_mapped;

static long version_text(struct call *c, const char *text, size_t size)
{
    char buf[64] = {0};
    size_t limit = min(size, sizeof(buf)) - 1, n = min(strlen(text), limit);

    memcpy(buf, text, n);
    if (guest_write(c->v, c->arg[1], buf, min(size, sizeof(buf))))
        return -XEN_EFAULT;
    if (size > sizeof(buf) && guest_zero(c->v, c->arg[1] + sizeof(buf), size - sizeof(buf)))
        return -XEN_EFAULT;
    return 0;
}

static long version_compile_info(struct call *c)
{
    struct xen_compile_info info = {0};

    (void)str_copy(info.compiler, KRYPTON_COMPILER, sizeof(info.compiler));
    (void)str_copy(info.compile_by, "krypton", sizeof(info.compile_by));
    (void)str_copy(info.compile_domain, "", sizeof(info.compile_domain));
    (void)str_copy(info.compile_date, "", sizeof(info.compile_date));
    return guest_write(c->v, c->arg[1], &info, sizeof(info));
}

static long version_features(struct call *c)
{
    struct xen_feature_info info;

    if (guest_read(c->v, &info, c->arg[1], sizeof(info)))
        return -XEN_EFAULT;
    if (info.submap_idx)
        return -XEN_EINVAL;
    info.submap = features | (c->d->is_hardware ? 1u << XENFEAT_dom0 : 0);
    return guest_write(c->v, c->arg[1], &info, sizeof(info));
}

static long version_platform(struct call *c)
{
    uint64_t start = VIRT_START;

    return guest_write(c->v, c->arg[1], &start, c->compat ? 4 : 8);
}

static long version_read_build_id(struct call *c)
{
    struct xen_build_id head;
    size_t size = version_build_id_size;

    if (!size)
        return -XEN_ENODATA;
    if (!c->arg[1])
        return (long)size;
    if (guest_read(c->v, &head, c->arg[1], sizeof(head.len)))
        return -XEN_EFAULT;
    if (!head.len)
        return -XEN_EINVAL;
    if (head.len < size)
        return -XEN_ENOBUFS;
    if (guest_write(c->v, c->arg[1] + offsetof(struct xen_build_id, buf), version_build_id, size))
        return -XEN_EFAULT;
    return (long)size;
}

long do_xen_version(struct call *c)
{
    uint32_t cmd = (uint32_t)c->arg[0];
    bool denied;

    if (likely(cmd == XENVER_version))
        return XEN_VERSION;
    denied = privilege_version(c->d, cmd);
    switch (cmd) {
    case XENVER_extraversion:
        return version_text(c, denied ? "<denied>" : KRYPTON_EXTRAVERSION,
                            sizeof(xen_extraversion_t));
    case XENVER_compile_info:
        return version_compile_info(c);
    case XENVER_capabilities:
        return version_text(c, GUEST_CAPABILITIES, sizeof(xen_capabilities_info_t));
    case XENVER_changeset:
        return version_text(c, denied ? "<denied>" : KRYPTON_VERSION, sizeof(xen_changeset_info_t));
    case XENVER_platform_parameters:
        return version_platform(c);
    case XENVER_get_features:
        return version_features(c);
    case XENVER_pagesize:
        if (c->arg[1])
            return -XEN_EINVAL;
        return denied ? 0 : (long)PAGE_SIZE;
    case XENVER_guest_handle:
        return guest_write(c->v, c->arg[1], c->d->handle, sizeof(c->d->handle));
    case XENVER_commandline:
        return version_text(c, denied ? "<denied>" : version_command_line,
                            sizeof(xen_commandline_t));
    case XENVER_build_id:
        return denied ? -XEN_EPERM : version_read_build_id(c);
    default:
        return -XEN_ENOSYS;
    }
}

/* Only the flag that marks a runstate area as being rewritten exists for HVM callers. */
long do_vm_assist(struct call *c)
{
    if ((uint32_t)c->arg[1] != VMASST_TYPE_runstate_update_flag)
        return -XEN_EINVAL;
    switch ((uint32_t)c->arg[0]) {
    case VMASST_CMD_enable:
        c->d->runstate_flag = true;
        return 0;
    case VMASST_CMD_disable:
        c->d->runstate_flag = false;
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

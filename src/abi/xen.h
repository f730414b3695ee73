/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public Xen 4.17 ABI, from Debian's libxen-dev. The files of src/abi/ are the only ones that
 * include <xen/...>. Layouts of 32-bit callers are in abi/compat.h, Krypton's own numbers in
 * abi/loader.h.
 */
#ifndef KR_ABI_XEN_H
#define KR_ABI_XEN_H

#include <stddef.h>
#include <stdint.h>

#define __XEN_INTERFACE_VERSION__ 0x00041100
#define __XEN_TOOLS__             1

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <xen/xen.h>
#include <xen/errno.h> /* XEN_EXXX; Krypton returns them negated */
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/io/console.h>
#include <xen/elfnote.h>
#pragma GCC diagnostic pop

/* Never seen by a guest: a call is to be executed again. The number is left out of the public list
 * for everybody but the hypervisor. */
#define XEN_ERESTART 85

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intercepted exceptions. #DB and #AC are intercepted so that the CPU cannot deliver them for ever
 * (CVE-2015-5307, CVE-2015-8104) and go back to the guest. #UD is looked at for VMCALL, which a
 * guest may use where the CPU has VMMCALL. #MC belongs to the host.
 */
#include "exit/exit.h"

#include "core/printk.h"
#include "guest/fetch.h"
#include "arch/x86/insn/decode.h"

#define VEC_UD     6
#define VEC_MC     18
#define OP_0F01    0x0f01u
#define VMCALL_LEN 3u

static bool exception_is_vmcall(struct vcpu *v, struct vmexit *x)
{
    uint8_t b[VMCALL_LEN];
    struct vcpu_control c;

    if (fetch_bytes(v, b, sizeof(b)) != sizeof(b) || b[0] != 0x0f || b[1] != 0x01 || b[2] != 0xc1)
        return false;
    virt->get_control(v, &c);
    x->len = VMCALL_LEN;
    x->call.mode = (uint8_t)virt->mode(v);
    x->call.cpl = c.cpl;
    return true;
}

enum verdict ex_exception(struct vcpu *v, struct vmexit *x)
{
    if (x->exc.vector == VEC_MC)
        panic("machine check while d%uv%u was running", v->domain->id, v->id);
    if (x->exc.vector == VEC_UD && exception_is_vmcall(v, x))
        return ex_call(v, x);
    vcpu_raise_exception(v, x->exc.vector, x->exc.has_error, x->exc.error);
    return VERDICT_FAULT;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default policy of privilege.h (hypercalls.md S0.3): a control domain may do all, a domain
 * may act on itself where an operation says so.
 */
#include "domain/privilege.h"

int privilege_control(const struct domain *caller)
{
    return caller->is_control ? 0 : -XEN_EPERM;
}

int privilege_target(const struct domain *caller, const struct domain *target)
{
    return caller == target || caller->is_control ? 0 : -XEN_EPERM;
}

int privilege_console_write(const struct domain *caller)
{
    return caller->is_console || caller->is_control ? 0 : -XEN_EPERM;
}

int privilege_version(const struct domain *caller, unsigned int cmd)
{
    if (cmd != XENVER_commandline && cmd != XENVER_build_id)
        return 0;
    return privilege_control(caller);
}

/* What a guest may do with its own parameters (hypercalls.md S1.6). */
static const bool self_set[HVM_NR_PARAMS] = {
    [HVM_PARAM_CALLBACK_IRQ] = true,
    [HVM_PARAM_STORE_EVTCHN] = true,
    [HVM_PARAM_CONSOLE_EVTCHN] = true,
    [HVM_PARAM_ACPI_IOPORTS_LOCATION] = true,
    [HVM_PARAM_VM_GENERATION_ID_ADDR] = true,
    [HVM_PARAM_X87_FIP_WIDTH] = true,
    [HVM_PARAM_VM86_TSS] = true,
    [HVM_PARAM_VM86_TSS_SIZED] = true,
};
static const bool self_get[HVM_NR_PARAMS] = {
    [HVM_PARAM_CALLBACK_IRQ] = true,
    [HVM_PARAM_STORE_PFN] = true,
    [HVM_PARAM_STORE_EVTCHN] = true,
    [HVM_PARAM_VM86_TSS] = true,
    [HVM_PARAM_CONSOLE_PFN] = true,
    [HVM_PARAM_CONSOLE_EVTCHN] = true,
    [HVM_PARAM_ACPI_IOPORTS_LOCATION] = true,
    [HVM_PARAM_VM_GENERATION_ID_ADDR] = true,
    [HVM_PARAM_ALTP2M] = true,
    [HVM_PARAM_X87_FIP_WIDTH] = true,
    [HVM_PARAM_VM86_TSS_SIZED] = true,
};

int privilege_hvm_param(const struct domain *caller, const struct domain *target, uint32_t index,
                        bool set)
{
    if (caller != target)
        return privilege_control(caller);
    if (caller->is_control)
        return 0;
    return (set ? self_set : self_get)[index] ? 0 : -XEN_EPERM;
}

int privilege_grant(const struct domain *caller, const struct domain *target)
{
    (void)caller;
    (void)target; /* the granter's table decides */
    return 0;
}

int privilege_evtchn_peer(const struct domain *caller, const struct domain *remote)
{
    (void)caller;
    (void)remote; /* the unbound port names who may bind */
    return 0;
}

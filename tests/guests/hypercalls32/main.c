/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: what the guest hypercalls does, for a 32-bit caller: other registers, other layouts of
 * the structures, results as 32-bit numbers.
 *
 * RUN: memory=64M vcpus=3
 */
#include "../hypercalls/checks.h"

GUEST_MAIN
{
    check_numbers();
    check_version();
    check_memory();
    check_evtchn();
    check_sched();
    check_vcpu();
    check_hvm();
    check_misc();
    check_multicall();
}

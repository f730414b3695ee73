/* SPDX-License-Identifier: Apache-2.0 */
/* What floor 5 adds to every domain: see guest.h. */
#include "guest/guest.h"

#include "domain/upcall.h"
#include "guest/console/guest_console.h"
#include "guest/emul/bus.h"
#include "arch/x86/dev/vlapic.h"

/* Linux measures its TSC against PIT counter 2 for as long as the counter reads all ones: 100,000
 * reads in a boot. There is no PIT; a zero says so at once. */
static void pit_read(struct vcpu *v, void *ctx, uint64_t offset, unsigned int size, uint64_t *value)
{
    (void)v;
    (void)ctx;
    (void)offset;
    (void)size;
    *value = 0;
}

static const struct bus_device pit_counter2 = {
    .name = "PIT counter 2", .space = BUS_PORT, .start = 0x42, .size = 1, .read = pit_read};

static int guest_create(struct domain *d)
{
    int err = bus_init(d);

    if (!err)
        err = vlapic_domain_init(d);
    return err ? err : bus_add(d, &pit_counter2);
}

static void guest_destroy(struct domain *d)
{
    guest_console_destroy(d);
    if (d->bus)
        bus_fini(d);
}

static const struct domain_hooks hooks = {
    .create = guest_create, .release = guest_console_release, .destroy = guest_destroy};

void guest_init(void)
{
    domain_hooks = &hooks;
    intc = &vlapic_intc;
}

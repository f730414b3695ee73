/* SPDX-License-Identifier: Apache-2.0 */
/* What floor 5 adds to every domain: see guest.h. */
#include "guest/guest.h"

#include "domain/upcall.h"
#include "guest/console/guest_console.h"
#include "guest/emul/bus.h"
#include "arch/x86/dev/vlapic.h"

static int guest_create(struct domain *d)
{
    int err = bus_init(d);

    return err ? err : vlapic_domain_init(d);
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

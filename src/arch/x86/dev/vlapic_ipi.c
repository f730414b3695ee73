/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interprocessor interrupts of the vLAPIC: destinations and delivery (AMD APM vol. 2, 16.5 and
 * 16.6.3), and the start of a vCPU by INIT and start-up IPI (addendum B1.7).
 *
 * A start-up IPI may find its target still on the way to a stop on another CPU, so nobody but the
 * target's own CPU touches its state: the sender marks it initialised, asks for vlapic_start() by
 * VWORK_CALL and takes it up; before its next entry the target unloads itself, resets, and loads
 * what it has become. INIT only takes it down.
 */
#include "arch/x86/dev/vlapic_state.h"

#include "arch/x86/vcpu/reset.h"

enum delivery { IPI_FIXED, IPI_LOWEST, IPI_SMI, IPI_RESERVED, IPI_NMI, IPI_INIT, IPI_STARTUP };

#define ICR_DELIVERY(c)  ((c) >> 8 & 7)
#define ICR_LOGICAL      (1u << 11)
#define ICR_ASSERT       (1u << 14)
#define ICR_LEVEL        (1u << 15)
#define ICR_SHORTHAND(c) ((c) >> 18 & 3)
#define SHORT_NONE       0u
#define SHORT_SELF       1u
#define SHORT_OTHERS     3u

#define XAPIC_BROADCAST  0xffu
#define X2APIC_BROADCAST 0xffffffffu

static void vlapic_start(struct vcpu *v)
{
    struct vlapic *l = v->lapic;
    int64_t adjust = READ_ONCE(v->domain->vcpu[0]->tsc_adjust);

    virt->unload(v);
    reset_sipi(v, l->sipi_vector);
    virt->load(v);
    virt->inject(v, &(const struct vcpu_event){0});
    v->nmi_pending = false;
    virt->set_tpr(v, 0);
    vlapic_clear(l);
    v->tsc_adjust = adjust;
    virt->set_tsc_offset(v, (uint64_t)(v->domain->tsc_offset + adjust));
    vcpu_raise(v, VWORK_TIME);
}

static void ipi_init(struct vcpu *v)
{
    struct domain *d = v->domain;
    bool was;

    lock(&d->lock);
    was = v->initialised;
    v->initialised = false;
    unlock(&d->lock);
    if (was)
        vcpu_down(v);
}

static void ipi_startup(struct vcpu *v, uint8_t vector)
{
    struct domain *d = v->domain;
    bool start;

    lock(&d->lock);
    start = !v->initialised;
    if (start) {
        v->initialised = true;
        v->lapic->sipi_vector = vector;
        v->resume = vlapic_start;
    }
    unlock(&d->lock);
    if (!start)
        return;
    vcpu_raise(v, VWORK_CALL);
    vcpu_up(v);
}

static void ipi_deliver(struct vlapic *t, uint32_t command)
{
    struct vcpu *v = t->vcpu;

    switch (ICR_DELIVERY(command)) {
    case IPI_FIXED:
    case IPI_LOWEST:
        vlapic_set_irr(t, (uint8_t)command);
        break;
    case IPI_NMI:
        if (!(READ_ONCE(t->base) & BASE_ENABLE))
            break;
        WRITE_ONCE(v->nmi_pending, true);
        vcpu_raise(v, VWORK_EVENT);
        vcpu_wake(v);
        break;
    case IPI_INIT:
        if ((command & ICR_ASSERT) || !(command & ICR_LEVEL))
            ipi_init(v);
        break;
    case IPI_STARTUP:
        ipi_startup(v, (uint8_t)command);
        break;
    default: /* SMI: there is no SMM; the others are reserved */
        break;
    }
}

/* Is t meant by a logical destination? Clusters and the flat model of xAPIC, or x2APIC's. */
static bool ipi_logical_match(const struct vlapic *t, uint32_t dest)
{
    uint32_t ldr = READ_ONCE(t->reg[LAPIC_LDR]);

    if (vlapic_in_x2apic(t))
        return dest >> 16 == ldr >> 16 && (dest & ldr & 0xffff);
    ldr >>= 24;
    if (READ_ONCE(t->reg[LAPIC_DFR]) >> 28 == 0xf)
        return dest & ldr & 0xff;
    return (dest >> 4 & 0xf) == ldr >> 4 && (dest & ldr & 0xf);
}

static bool ipi_match(const struct vlapic *self, const struct vlapic *t, uint32_t dest,
                      uint32_t command)
{
    switch (ICR_SHORTHAND(command)) {
    case SHORT_NONE:
        break;
    case SHORT_SELF:
        return t == self;
    default:
        return ICR_SHORTHAND(command) != SHORT_OTHERS || t != self;
    }
    if (dest == (vlapic_in_x2apic(self) ? X2APIC_BROADCAST : XAPIC_BROADCAST))
        return true;
    return command & ICR_LOGICAL ? ipi_logical_match(t, dest) : vlapic_id(t->vcpu) == dest;
}

/* Lowest priority goes to one of the destinations: to that with the lowest TPR, and of equals to
 * the first after the sender, so that several senders spread. */
static void ipi_lowest(struct vlapic *self, uint32_t dest, uint32_t command)
{
    struct domain *d = self->vcpu->domain;
    struct vlapic *best = NULL;

    for (unsigned int i = 1; i <= d->max_vcpus; i++) {
        struct vlapic *t = d->vcpu[(self->vcpu->id + i) % d->max_vcpus]->lapic;

        if (ipi_match(self, t, dest, command) && vlapic_accepts(t) &&
            (!best || READ_ONCE(t->reg[LAPIC_TPR]) >> 4 < READ_ONCE(best->reg[LAPIC_TPR]) >> 4))
            best = t;
    }
    if (best)
        ipi_deliver(best, command);
}

void vlapic_send(struct vlapic *l, uint32_t dest, uint32_t command)
{
    struct domain *d = l->vcpu->domain;

    if (l->vcpu->loading)
        return; /* another vCPU would have the whole interface before the kernel is in place */
    if (ICR_DELIVERY(command) <= IPI_LOWEST && (command & LVT_VECTOR) < VLAPIC_FIRST_VECTOR) {
        vlapic_error(l, ESR_SEND_VECTOR);
        return;
    }
    if (ICR_SHORTHAND(command) == SHORT_SELF) {
        if (ICR_DELIVERY(command) == IPI_FIXED)
            ipi_deliver(l, command);
        return;
    }
    if (ICR_DELIVERY(command) == IPI_LOWEST) {
        ipi_lowest(l, dest, command);
        return;
    }
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (ipi_match(l, d->vcpu[i]->lapic, dest, command))
            ipi_deliver(d->vcpu[i]->lapic, command);
}

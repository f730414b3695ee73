/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vLAPIC's interrupt state: requests, service, priorities, end of interrupt, and its life. Its
 * registers as the guest sees them are in vlapic_regs.c. All interrupts are edge-triggered: there
 * is no IO-APIC, and level-triggered IPIs are no more.
 */
#include "arch/x86/dev/vlapic_state.h"
#include "arch/x86/dev/vmtrr.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "core/printk.h"
#include "domain/upcall.h"
#include "mem/heap.h"

#define VERSION_6_LVTS 0x50014u

static int highest(const uint64_t map[4])
{
    for (int i = 3; i >= 0; i--) {
        uint64_t word = READ_ONCE(map[i]);

        if (word)
            return i * 64 + (int)bits_last(word);
    }
    return -1;
}

static inline bool any(const uint64_t map[4])
{
    return READ_ONCE(map[0]) | READ_ONCE(map[1]) | READ_ONCE(map[2]) | READ_ONCE(map[3]);
}

/* A vector that stands already has been told; whoever set it wakes the vCPU. */
void vlapic_set_irr(struct vlapic *l, uint8_t vector)
{
    uint64_t bit = BIT(vector % 64);
    struct vcpu *v = l->vcpu;

    if (!vlapic_accepts(l) ||
        (__atomic_fetch_or(&l->irr[vector / 64], bit, __ATOMIC_SEQ_CST) & bit))
        return;
    vcpu_raise(v, VWORK_EVENT);
    vcpu_wake(v);
}

uint32_t vlapic_tpr(struct vlapic *l)
{
    uint8_t cr8 = virt->get_tpr(l->vcpu);

    if (l->reg[LAPIC_TPR] >> 4 != cr8)
        l->reg[LAPIC_TPR] = (uint32_t)cr8 << 4;
    return l->reg[LAPIC_TPR];
}

uint32_t vlapic_ppr(struct vlapic *l)
{
    uint32_t tpr = vlapic_tpr(l), isr = l->isr_top < 0 ? 0 : (uint32_t)l->isr_top & 0xf0;

    return tpr >> 4 >= isr >> 4 ? tpr : isr;
}

int vlapic_pending(struct vcpu *v)
{
    const struct vlapic *l = v->lapic;
    int vector;

    if (!any(l->irr))
        return -1;
    vector = highest(l->irr);
    if (vector < 0 || vector >> 4 <= (l->isr_top < 0 ? -1 : l->isr_top >> 4))
        return -1;
    return l->base & BASE_ENABLE ? vector : -1;
}

void vlapic_accept(struct vcpu *v, uint8_t vector)
{
    struct vlapic *l = v->lapic;
    uint64_t bit = BIT(vector % 64);

    __atomic_fetch_and(&l->irr[vector / 64], ~bit, __ATOMIC_SEQ_CST);
    l->isr[vector / 64] |= bit;
    l->isr_top = vector;
}

void vlapic_eoi(struct vlapic *l)
{
    if (l->isr_top < 0)
        return;
    l->isr[l->isr_top / 64] &= ~BIT(l->isr_top % 64);
    l->isr_top = any(l->isr) ? highest(l->isr) : -1;
    if (any(l->irr))
        vcpu_raise(l->vcpu, VWORK_EVENT);
}

void vlapic_local(struct vlapic *l, enum vlapic_register lvt)
{
    uint32_t entry = READ_ONCE(l->reg[lvt]);

    if (!(entry & LVT_MASKED) && (entry & LVT_VECTOR) >= VLAPIC_FIRST_VECTOR)
        vlapic_set_irr(l, (uint8_t)entry);
}

void vlapic_error(struct vlapic *l, uint32_t esr_bit)
{
    if (l->esr_pending & esr_bit)
        return;
    l->esr_pending |= esr_bit;
    vlapic_local(l, LAPIC_LVT_ERROR);
}

uint32_t vlapic_id(struct vcpu *v)
{
    return 2 * v->id;
}

uint64_t vlapic_base_msr(struct vcpu *v)
{
    return v->lapic->base;
}

void vlapic_set_tpr(struct vcpu *v, uint8_t cr8)
{
    v->lapic->reg[LAPIC_TPR] = (uint32_t)cr8 << 4;
}

uint8_t vlapic_get_tpr(struct vcpu *v)
{
    return (uint8_t)(v->lapic->reg[LAPIC_TPR] >> 4);
}

void vlapic_clear(struct vlapic *l)
{
    bool x2 = vlapic_in_x2apic(l);
    uint32_t id = vlapic_id(l->vcpu);

    vlapic_timer_stop(l);
    for (unsigned int i = 0; i < ARRAY_SIZE(l->irr); i++)
        __atomic_store_n(&l->irr[i], 0, __ATOMIC_SEQ_CST);
    memset(l->isr, 0, sizeof(l->isr));
    l->isr_top = -1;
    memset(l->reg, 0, sizeof(l->reg));
    l->reg[LAPIC_ID] = x2 ? id : id << 24;
    l->reg[LAPIC_LDR] = x2 ? (id >> 4) << 16 | 1u << (id & 15) : 0;
    l->reg[LAPIC_VERSION] = VERSION_6_LVTS;
    l->reg[LAPIC_DFR] = 0xffffffff;
    l->reg[LAPIC_SVR] = 0xff;
    for (unsigned int i = LAPIC_LVT_TIMER; i <= LAPIC_LVT_ERROR; i++)
        l->reg[i] = LVT_MASKED;
    l->esr_pending = 0;
    vlapic_timer_set_divider(l, 0);
}

static int vlapic_create(struct vcpu *v)
{
    struct vlapic *l = kalloc(sizeof(*l));

    if (!l)
        return -XEN_ENOMEM;
    l->vcpu = v;
    l->base = VLAPIC_BASE | BASE_ENABLE | (v->id ? 0 : BASE_BSP);
    v->lapic = l;
    vlapic_timer_init(l);
    vlapic_clear(l);
    return vmtrr_create(v);
}

static void vlapic_destroy(struct vcpu *v)
{
    ktimer_stop_sync(&v->lapic->timer);
    vmtrr_destroy(v);
    kfree(v->lapic);
    v->lapic = NULL;
}

static bool vlapic_present(struct vcpu *v)
{
    return v->lapic->base & BASE_ENABLE;
}

static bool vlapic_enabled(struct vcpu *v)
{
    return vlapic_accepts(v->lapic);
}

static void vlapic_request(struct vcpu *v, uint8_t vector)
{
    vlapic_set_irr(v->lapic, vector);
}

static bool vlapic_has_interrupt(struct vcpu *v)
{
    int vector = vlapic_pending(v);

    return vector >= 0 && (uint32_t)vector >> 4 > vlapic_tpr(v->lapic) >> 4;
}

static void vlapic_reset(struct vcpu *v)
{
    vlapic_clear(v->lapic);
}

const struct intc_ops vlapic_intc = {
    .create = vlapic_create,
    .destroy = vlapic_destroy,
    .present = vlapic_present,
    .enabled = vlapic_enabled,
    .request = vlapic_request,
    .has_interrupt = vlapic_has_interrupt,
    .reset = vlapic_reset,
};

void vlapic_dump(struct vcpu *v)
{
    const struct vlapic *l = v->lapic;

    log_info("  apic base %lx svr %x tpr %x isr %d irr %d ldr %x dfr %x icr %08x:%08x", l->base,
             l->reg[LAPIC_SVR], l->reg[LAPIC_TPR], l->isr_top, highest(l->irr), l->reg[LAPIC_LDR],
             l->reg[LAPIC_DFR], l->reg[LAPIC_ICR_HIGH], l->reg[LAPIC_ICR]);
    log_info("  lvt timer %x lint0 %x lint1 %x error %x, timer %x of %x %s",
             l->reg[LAPIC_LVT_TIMER], l->reg[LAPIC_LVT_LINT0], l->reg[LAPIC_LVT_LINT1],
             l->reg[LAPIC_LVT_ERROR], vlapic_timer_count(v->lapic), l->reg[LAPIC_TIMER_ICR],
             l->timer_armed ? "running" : "stopped");
}

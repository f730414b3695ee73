/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vLAPIC's registers as the guest sees them: the xAPIC page, the x2APIC MSRs, the base MSR.
 * AMD APM vol. 2, 16.3 and 16.11; Intel SDM vol. 3, 11.12. The page stays at VLAPIC_BASE: a write
 * of the base MSR that would move it is refused with #GP, as are transitions that the manual
 * forbids.
 */
#include "arch/x86/dev/vlapic_state.h"

#include "lib/bits.h"
#include "lib/nospec.h"
#include "domain/shared.h"
#include "guest/emul/bus.h"

#include "port/cpu.h"
#include "port/mem.h"

#define MSR_APIC_BASE    0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_X2APIC       0x800u

#define ICR_WRITABLE     0xccfffu
#define DFR_RESERVED     0x0fffffffu

/* Who may do what with a register; X = xAPIC page, 2 = x2APIC MSR. */
enum { RX = 1, WX = 2, R2 = 4, W2 = 8, READ = RX | R2, BOTH = RX | WX | R2 | W2 };

/* mask: bits that can be written; ignored: read-only ones. In x2APIC mode others raise #GP. */
static const struct vlapic_row {
    uint8_t access;
    uint32_t mask, ignored;
} rows[LAPIC_NR] = {
    [LAPIC_ID] = {READ, 0, 0},
    [LAPIC_VERSION] = {READ, 0, 0},
    [LAPIC_TPR] = {BOTH, 0xff, 0},
    [LAPIC_APR] = {RX, 0, 0},
    [LAPIC_PPR] = {READ, 0, 0},
    [LAPIC_EOI] = {WX | W2, 0, 0},
    [LAPIC_RRD] = {RX, 0, 0},
    [LAPIC_LDR] = {READ | WX, 0xff000000, 0},
    [LAPIC_DFR] = {RX | WX, 0xf0000000, 0},
    [LAPIC_SVR] = {BOTH, 0x3ff, 0},
    [LAPIC_ISR... LAPIC_ESR - 1] = {READ, 0, 0},
    [LAPIC_ESR] = {BOTH, 0, 0},
    [LAPIC_ICR] = {BOTH, ICR_WRITABLE, 0},
    [LAPIC_ICR_HIGH] = {RX | WX, 0xff000000, 0},
    [LAPIC_LVT_TIMER] = {BOTH, 0x700ff, 0x1000},
    [LAPIC_LVT_THERMAL] = {BOTH, 0x107ff, 0x1000},
    [LAPIC_LVT_PERF] = {BOTH, 0x107ff, 0x1000},
    [LAPIC_LVT_LINT0] = {BOTH, 0x1a7ff, 0x5000},
    [LAPIC_LVT_LINT1] = {BOTH, 0x1a7ff, 0x5000},
    [LAPIC_LVT_ERROR] = {BOTH, 0x100ff, 0x1000},
    [LAPIC_TIMER_ICR] = {BOTH, 0xffffffff, 0},
    [LAPIC_TIMER_CCR] = {READ, 0, 0},
    [LAPIC_TIMER_DCR] = {BOTH, 0xb, 0},
    [LAPIC_SELF_IPI] = {W2, 0xff, 0},
};

static uint32_t bank_word(const uint64_t map[4], unsigned int n)
{
    return (uint32_t)(READ_ONCE(map[n / 2 & 3]) >> (n % 2 * 32));
}

/* A register that may be read. */
static uint32_t reg_read(struct vlapic *l, unsigned int n)
{
    switch (n) {
    case LAPIC_TPR:
        return vlapic_tpr(l);
    case LAPIC_APR:
    case LAPIC_PPR:
        return vlapic_ppr(l);
    case LAPIC_TIMER_CCR:
        return vlapic_timer_count(l);
    default:
        if (n >= LAPIC_ISR && n < LAPIC_TMR)
            return bank_word(l->isr, n - LAPIC_ISR);
        if (n >= LAPIC_IRR && n < LAPIC_ESR)
            return bank_word(l->irr, n - LAPIC_IRR);
        return l->reg[n];
    }
}

/* While the APIC was off, an upcall may have found nobody to take it (addendum B1.4). */
static void svr_enabled(struct vcpu *v)
{
    struct vcpu_info *info;
    bool pending;

    smp_mb(); /* SVR is written before upcall_pending is read; the sender does it in reverse */
    if (!v->upcall_vector)
        return;
    info = vcpu_info_map(v);
    if (!info)
        return;
    pending = mem_load8(&info->evtchn_upcall_pending);
    shared_unmap(info);
    if (pending)
        vlapic_set_irr(v->lapic, v->upcall_vector);
}

static void svr_write(struct vlapic *l, uint32_t value)
{
    uint32_t old = l->reg[LAPIC_SVR];

    WRITE_ONCE(l->reg[LAPIC_SVR], value);
    if (!((old ^ value) & SVR_ENABLE))
        return;
    if (value & SVR_ENABLE)
        svr_enabled(l->vcpu);
    else
        for (unsigned int i = LAPIC_LVT_TIMER; i <= LAPIC_LVT_ERROR; i++)
            l->reg[i] |= LVT_MASKED;
}

static void tpr_write(struct vlapic *l, uint32_t value)
{
    struct vcpu *v = l->vcpu;

    l->reg[LAPIC_TPR] = value;
    virt->set_tpr(v, (uint8_t)(value >> 4));
    if (vlapic_pending(v) >= 0)
        vcpu_raise(v, VWORK_EVENT);
}

/* A register that may be written, with reserved bits gone. */
static void reg_write(struct vlapic *l, unsigned int n, uint32_t value)
{
    switch (n) {
    case LAPIC_EOI:
        vlapic_eoi(l);
        return;
    case LAPIC_TPR:
        tpr_write(l, value);
        return;
    case LAPIC_ICR:
        l->reg[n] = value;
        vlapic_send(l, l->reg[LAPIC_ICR_HIGH] >> 24, value);
        return;
    case LAPIC_TIMER_ICR:
        if ((l->reg[LAPIC_LVT_TIMER] & LVT_TIMER_MODE) != LVT_TIMER_DEADLINE) {
            l->reg[n] = value;
            vlapic_timer_restart(l);
        }
        return;
    case LAPIC_TIMER_DCR:
        vlapic_timer_set_divider(l, value);
        return;
    case LAPIC_SVR:
        svr_write(l, value);
        return;
    case LAPIC_DFR:
        WRITE_ONCE(l->reg[n], value | DFR_RESERVED);
        return;
    case LAPIC_ESR:
        l->reg[n] = l->esr_pending;
        l->esr_pending = 0;
        return;
    default:
        break;
    }
    if (n >= LAPIC_LVT_TIMER && n <= LAPIC_LVT_ERROR && !(l->reg[LAPIC_SVR] & SVR_ENABLE))
        value |= LVT_MASKED;
    if (n == LAPIC_LVT_TIMER)
        vlapic_timer_set_mode(l, value);
    else
        WRITE_ONCE(l->reg[n], value);
}

/* -- the page --------------------------------------------------------------------------------- */

/* A register is the first four bytes of its sixteen. Parts of it can be read, as CPUs allow. */
static void page_read(struct vcpu *v, void *ctx, uint64_t offset, unsigned int size,
                      uint64_t *value)
{
    struct vlapic *l = v->lapic;
    uint64_t n = offset >> 4;

    (void)ctx;
    if (!vlapic_in_xapic(l))
        return;
    *value = 0;
    if (n >= LAPIC_NR || !(rows[n = index_nospec(n, LAPIC_NR)].access & RX))
        vlapic_error(l, ESR_REGISTER);
    else if ((offset & 15) < 4)
        *value = (reg_read(l, (unsigned int)n) >> (offset & 3) * 8) & (~0ULL >> (64 - 8 * size));
}

static void page_write(struct vcpu *v, void *ctx, uint64_t offset, unsigned int size,
                       uint64_t value)
{
    struct vlapic *l = v->lapic;
    uint64_t n = offset >> 4;

    (void)ctx;
    if (!vlapic_in_xapic(l))
        return;
    if (n >= LAPIC_NR || !(rows[n = index_nospec(n, LAPIC_NR)].access & (RX | WX)))
        vlapic_error(l, ESR_REGISTER);
    else if ((rows[n].access & WX) && size == 4 && !(offset & 15))
        reg_write(l, (unsigned int)n, (uint32_t)value & rows[n].mask);
}

int vlapic_domain_init(struct domain *d)
{
    const struct bus_device page = {
        .name = "local APIC",
        .space = BUS_MMIO,
        .start = VLAPIC_BASE,
        .size = PAGE_SIZE,
        .read = page_read,
        .write = page_write,
    };

    return bus_add(d, &page);
}

/* -- MSRs ------------------------------------------------------------------------------------- */

static bool base_write(struct vcpu *v, uint64_t value)
{
    struct vlapic *l = v->lapic;
    uint64_t mode = value & BASE_MODE, old = l->base & BASE_MODE;

    if ((value & ~(BASE_BSP | BASE_MODE)) != VLAPIC_BASE)
        return false; /* moved, or reserved bits */
    if (mode == old)
        return true;
    if (mode == BASE_X2APIC || (old == BASE_MODE && mode == BASE_ENABLE) ||
        (!old && mode == BASE_MODE))
        return false;
    WRITE_ONCE(l->base, (l->base & ~BASE_MODE) | mode);
    if (old && mode) { /* to x2APIC: what was programmed stays, but the ids have another form */
        uint32_t id = vlapic_id(v);

        l->reg[LAPIC_ID] = id;
        WRITE_ONCE(l->reg[LAPIC_LDR], (id >> 4) << 16 | 1u << (id & 15));
    } else {
        vlapic_clear(l);
    }
    return true;
}

static bool x2apic_read(struct vlapic *l, uint32_t msr, uint64_t *value)
{
    uint64_t n = msr - MSR_X2APIC;

    if (!vlapic_in_x2apic(l) || n >= LAPIC_NR)
        return false;
    n = index_nospec(n, LAPIC_NR);
    if (!(rows[n].access & R2))
        return false;
    *value = reg_read(l, (unsigned int)n);
    if (n == LAPIC_ICR)
        *value |= (uint64_t)l->reg[LAPIC_ICR_HIGH] << 32;
    return true;
}

static bool x2apic_write(struct vlapic *l, uint32_t msr, uint64_t value)
{
    uint64_t n = msr - MSR_X2APIC;

    if (!vlapic_in_x2apic(l) || n >= LAPIC_NR)
        return false;
    n = index_nospec(n, LAPIC_NR);
    if (!(rows[n].access & W2))
        return false;
    if (n == LAPIC_ICR) {
        if ((uint32_t)value & ~ICR_WRITABLE)
            return false;
        l->reg[LAPIC_ICR] = (uint32_t)value;
        l->reg[LAPIC_ICR_HIGH] = (uint32_t)(value >> 32);
        vlapic_send(l, (uint32_t)(value >> 32), (uint32_t)value);
        return true;
    }
    if (value & ~(uint64_t)(rows[n].mask | rows[n].ignored))
        return false;
    value &= rows[n].mask;
    if (n == LAPIC_SELF_IPI)
        vlapic_send(l, 0, (uint32_t)value | 1u << 18);
    else
        reg_write(l, (unsigned int)n, (uint32_t)value);
    return true;
}

bool vlapic_read_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    if (msr == MSR_APIC_BASE)
        *value = v->lapic->base;
    else if (msr == MSR_TSC_DEADLINE)
        *value = vlapic_timer_deadline(v->lapic);
    else
        return x2apic_read(v->lapic, msr, value);
    return true;
}

bool vlapic_write_msr(struct vcpu *v, uint32_t msr, uint64_t value)
{
    if (likely(msr >= MSR_X2APIC))
        return x2apic_write(v->lapic, msr, value);
    if (msr == MSR_APIC_BASE)
        return base_write(v, value);
    if (msr != MSR_TSC_DEADLINE)
        return false;
    vlapic_timer_set_deadline(v->lapic, value);
    return true;
}

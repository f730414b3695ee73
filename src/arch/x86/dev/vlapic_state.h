/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the vlapic*.c files: the state of a vCPU's local APIC and the numbers of its registers.
 * Not for other files; they use vlapic.h.
 */
#ifndef KR_ARCH_X86_DEV_VLAPIC_STATE_H
#define KR_ARCH_X86_DEV_VLAPIC_STATE_H

#include "arch/x86/dev/vlapic.h"

/* A register's number: its offset in the xAPIC page / 16, its x2APIC MSR - 0x800. */
enum vlapic_register {
    LAPIC_ID = 0x02,
    LAPIC_VERSION = 0x03,
    LAPIC_TPR = 0x08,
    LAPIC_APR = 0x09,
    LAPIC_PPR = 0x0a,
    LAPIC_EOI = 0x0b,
    LAPIC_RRD = 0x0c,
    LAPIC_LDR = 0x0d,
    LAPIC_DFR = 0x0e,
    LAPIC_SVR = 0x0f,
    LAPIC_ISR = 0x10, /* 8 each */
    LAPIC_TMR = 0x18,
    LAPIC_IRR = 0x20,
    LAPIC_ESR = 0x28,
    LAPIC_ICR = 0x30,
    LAPIC_ICR_HIGH = 0x31,
    LAPIC_LVT_TIMER = 0x32,
    LAPIC_LVT_THERMAL = 0x33,
    LAPIC_LVT_PERF = 0x34,
    LAPIC_LVT_LINT0 = 0x35,
    LAPIC_LVT_LINT1 = 0x36,
    LAPIC_LVT_ERROR = 0x37,
    LAPIC_TIMER_ICR = 0x38, /* initial count */
    LAPIC_TIMER_CCR = 0x39, /* current count */
    LAPIC_TIMER_DCR = 0x3e, /* divide configuration */
    LAPIC_SELF_IPI = 0x3f,
    LAPIC_NR = 0x40,
};

#define BASE_BSP            (1ULL << 8)
#define BASE_X2APIC         (1ULL << 10)
#define BASE_ENABLE         (1ULL << 11)
#define BASE_MODE           (BASE_X2APIC | BASE_ENABLE)

#define SVR_ENABLE          (1u << 8)
#define LVT_MASKED          (1u << 16)
#define LVT_VECTOR          0xffu
#define LVT_TIMER_MODE      (3u << 17)
#define LVT_TIMER_PERIODIC  (1u << 17)
#define LVT_TIMER_DEADLINE  (2u << 17)

#define ESR_SEND_VECTOR     (1u << 5)
#define ESR_RECEIVE_VECTOR  (1u << 6)
#define ESR_REGISTER        (1u << 7)

#define VLAPIC_FIRST_VECTOR 16u /* lower ones are illegal */

struct vlapic {
    struct vcpu *vcpu;      /* (c) */
    uint64_t irr[4];        /* (a) any CPU */
    uint64_t isr[4];        /* own CPU, as all that says nothing else */
    int isr_top;            /* highest bit of isr, or -1 */
    uint64_t base;          /* the base MSR; read by others */
    uint32_t reg[LAPIC_NR]; /* by number; IRR, ISR, TMR, PPR, CCR are not in it. SVR, LDR, DFR, TPR
                               are read by others */
    uint32_t esr_pending;   /* errors since the last write of ESR */
    uint8_t sipi_vector;    /* [domain's lock] for vlapic_start() */

    struct spinlock timer_lock;
    struct ktimer timer;
    bool timer_armed;      /* [timer_lock] */
    uint8_t timer_shift;   /* [timer_lock] divider */
    nsec_t timer_start;    /* [timer_lock] when the count was at its initial value */
    nsec_t timer_expires;  /* [timer_lock] */
    uint64_t tsc_deadline; /* [timer_lock] guest TSC, 0: none */
};

static inline bool vlapic_in_x2apic(const struct vlapic *l)
{
    return (READ_ONCE(l->base) & BASE_MODE) == BASE_MODE;
}
static inline bool vlapic_in_xapic(const struct vlapic *l)
{
    return (READ_ONCE(l->base) & BASE_MODE) == BASE_ENABLE;
}
/* Takes fixed interrupts; any CPU. */
static inline bool vlapic_accepts(const struct vlapic *l)
{
    return (READ_ONCE(l->base) & BASE_ENABLE) && (READ_ONCE(l->reg[LAPIC_SVR]) & SVR_ENABLE);
}

/* vlapic.c */
void vlapic_set_irr(struct vlapic *l, uint8_t vector); /* any CPU; dropped when not enabled */
uint32_t vlapic_tpr(struct vlapic *l);                 /* CR8 taken into account [loaded] */
uint32_t vlapic_ppr(struct vlapic *l);                 /* [loaded] */
void vlapic_eoi(struct vlapic *l);
void vlapic_error(struct vlapic *l, uint32_t esr_bit);
/* The interrupt of a local vector table entry, unless it is masked. Any CPU. */
void vlapic_local(struct vlapic *l, enum vlapic_register lvt);
/* Registers as after INIT, the timer stopped; the mode and the id stay. Own CPU or stopped. */
void vlapic_clear(struct vlapic *l);

/* vlapic_timer.c; own CPU, but for the callback */
void vlapic_timer_init(struct vlapic *l);
void vlapic_timer_stop(struct vlapic *l);
uint32_t vlapic_timer_count(struct vlapic *l);
/* TIMER_ICR was written: starts over, or stops. */
void vlapic_timer_restart(struct vlapic *l);
/* New values of registers that change a timer that runs. */
void vlapic_timer_set_divider(struct vlapic *l, uint32_t dcr);
void vlapic_timer_set_mode(struct vlapic *l, uint32_t lvt);
uint64_t vlapic_timer_deadline(struct vlapic *l);
void vlapic_timer_set_deadline(struct vlapic *l, uint64_t tsc);

/* vlapic_ipi.c: a write of the interrupt command register. */
void vlapic_send(struct vlapic *l, uint32_t dest, uint32_t command);

#endif

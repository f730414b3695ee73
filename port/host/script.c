/* SPDX-License-Identifier: Apache-2.0 */
/* The scripted back end: see script.h. */
#include "script.h"

#include "lib/string.h"
#include "core/printk.h"
#include "mem/heap.h"

#include "port/cpu.h"
#include "port/feature.h"

#define CR0_PE    1ULL
#define CR0_ET    0x10ULL
#define CR0_PG    (1ULL << 31)
#define EFER_LME  (1ULL << 8)
#define EFER_LMA  (1ULL << 10)
#define RFLAGS_IF 0x200ULL
#define RFLAGS_VM (1ULL << 17)
#define ATTR_L    (1u << 9)
#define ATTR_D    (1u << 10)
#define PAT_RESET 0x0007040600070406ULL

static bool is_loaded_here(const struct vcpu *v)
{
    return v->virt->loaded_on == this_cpu()->id + 1;
}

/* -- life ------------------------------------------------------------------------------------- */

static int script_cpu_init(void)
{
    return 0;
}

static void script_cpu_fini(void)
{
}

static int script_vcpu_create(struct vcpu *v)
{
    v->virt = kalloc(sizeof(*v->virt));
    v->priv = kalloc(PAGE_SIZE);
    if (!v->virt || !v->priv)
        return -XEN_ENOMEM;
    v->priv_mfn = kva_mfn(v->priv).v;
    v->priv->regs.rflags = 2;
    v->virt->control.cr0 = CR0_ET;
    v->virt->sysregs.pat = PAT_RESET;
    v->virt->xcr0 = 1;
    return 0;
}

static void script_vcpu_destroy(struct vcpu *v)
{
    kfree(v->virt);
    kfree(v->priv);
    v->virt = NULL;
    v->priv = NULL;
}

void script_long_mode(struct vcpu *v, bool interrupts)
{
    struct virt_vcpu *s = v->virt;

    s->control.cr0 = CR0_PE | CR0_ET | CR0_PG;
    s->control.efer = EFER_LME | EFER_LMA;
    s->segs.seg[SEG_CS].attr = ATTR_L | 0x9b;
    v->priv->regs.rflags = interrupts ? 2 | RFLAGS_IF : 2;
}

/* -- entry and exit --------------------------------------------------------------------------- */

static void script_load(struct vcpu *v)
{
    BUG_ON(v->virt->loaded_on);
    v->virt->loaded_on = this_cpu()->id + 1;
    v->virt->loads++;
    host_xcr0_set(v->virt->xcr0);
}

static void script_unload(struct vcpu *v)
{
    BUG_ON(!is_loaded_here(v));
    v->virt->loaded_on = 0;
    v->virt->xcr0 = host_xcr0();
    host_xcr0_set(1);
}

static bool script_event_ready(struct vcpu *v)
{
    return (v->priv->regs.rflags & RFLAGS_IF) && !v->virt->shadow && !v->virt->pending.valid;
}

static bool script_window_open(struct vcpu *v)
{
    struct virt_vcpu *s = v->virt;

    return s->window && script_event_ready(v) &&
           (s->window_priority > 15 || s->window_priority > s->tpr);
}

/* The rules of virt.h and of the loop: who may be entered, and in which state of the CPU. */
static void script_check_entry(struct vcpu *v)
{
    BUG_ON(!is_loaded_here(v));
    BUG_ON(irq_enabled());
    BUG_ON(pcpu_shared[this_cpu()->id].serving != v->domain);
    BUG_ON(this_cpu()->held_locks);
}

static void script_run(struct vcpu *v, struct vmexit *x)
{
    struct virt_vcpu *s = v->virt;

    script_check_entry(v);
    s->entries++;
    s->taken = s->pending;
    s->pending.valid = false;
    if (s->taken.valid && s->taken.type == EVENT_NMI)
        s->nmi_blocked = true;
    memset(x, 0xa5, sizeof(*x));
    x->reason = VMEXIT_NONE;
    x->len = x->nr_bytes = 0;
    x->info = 0;
    if (!s->taken.valid && script_window_open(v))
        x->reason = VMEXIT_INTR_WINDOW;
    else if (s->guest)
        s->guest(v, x);
}

/* -- state ------------------------------------------------------------------------------------ */

static void script_get_control(struct vcpu *v, struct vcpu_control *c)
{
    *c = v->virt->control;
}

static void script_set_control(struct vcpu *v, const struct vcpu_control *c)
{
    v->virt->control = *c;
}

static void script_set_cr2(struct vcpu *v, uint64_t cr2)
{
    v->virt->control.cr2 = cr2;
}

static enum vcpu_mode script_mode(struct vcpu *v)
{
    const struct vcpu_control *c = &v->virt->control;
    uint16_t cs = v->virt->segs.seg[SEG_CS].attr;

    if (!(c->cr0 & CR0_PE))
        return MODE_REAL;
    if ((c->efer & EFER_LMA) && (cs & ATTR_L))
        return MODE_LONG64;
    if (v->priv->regs.rflags & RFLAGS_VM)
        return MODE_VM86;
    return cs & ATTR_D ? MODE_PROT32 : MODE_PROT16;
}

static void script_get_segs(struct vcpu *v, struct vcpu_segs *s)
{
    *s = v->virt->segs;
}

static void script_set_segs(struct vcpu *v, const struct vcpu_segs *s)
{
    v->virt->segs = *s;
    v->virt->control.cpl = (uint8_t)(s->seg[SEG_SS].attr >> 5 & 3);
}

static void script_get_sysregs(struct vcpu *v, struct vcpu_sysregs *s)
{
    *s = v->virt->sysregs;
}

static void script_set_sysregs(struct vcpu *v, const struct vcpu_sysregs *s)
{
    v->virt->sysregs = *s;
}

static void script_get_regs(struct vcpu *v, struct vcpu_regs *r)
{
    *r = v->priv->regs;
}

static void script_set_regs(struct vcpu *v, const struct vcpu_regs *r)
{
    v->priv->regs = *r;
}

static void script_reset_fpu(struct vcpu *v)
{
    BUG_ON(v->virt->loaded_on);
    v->virt->xcr0 = 1;
    v->virt->sysregs.tsc_aux = 0;
    v->virt->fpu_resets++;
}

/* -- events and controls ---------------------------------------------------------------------- */

static bool script_nmi_ready(struct vcpu *v)
{
    return !v->virt->nmi_blocked && !v->virt->shadow && !v->virt->pending.valid;
}

static bool script_event_pending(struct vcpu *v, struct vcpu_event *e)
{
    if (e)
        *e = v->virt->pending;
    return v->virt->pending.valid;
}

static void script_inject(struct vcpu *v, const struct vcpu_event *e)
{
    v->virt->pending = *e;
}

static void script_window(struct vcpu *v, bool on, uint8_t priority)
{
    v->virt->window = on;
    v->virt->window_priority = priority;
}

static void script_set_tpr(struct vcpu *v, uint8_t cr8)
{
    v->virt->tpr = cr8;
}

static uint8_t script_get_tpr(struct vcpu *v)
{
    return v->virt->tpr;
}

static void script_set_tsc_offset(struct vcpu *v, uint64_t offset)
{
    v->virt->tsc_offset = offset;
}

static void script_flush_guest(struct vcpu *v)
{
    v->virt->flushes++;
}

static void script_debug_registers(struct vcpu *v)
{
    v->virt->debug_exits++;
}

static void script_set_xcr0(struct vcpu *v, uint64_t xcr0)
{
    v->virt->xcr0 = xcr0;
    host_xcr0_set(xcr0);
}

static void script_clear_shadow(struct vcpu *v)
{
    v->virt->shadow = false;
}

static void script_dump(struct vcpu *v)
{
    log_info("  scripted vCPU: rip %lx rflags %lx", v->priv->regs.rip, v->priv->regs.rflags);
}

const struct virt_ops script_ops = {
    .name = "script",
    .cpu_init = script_cpu_init,
    .cpu_fini = script_cpu_fini,
    .vcpu_create = script_vcpu_create,
    .vcpu_destroy = script_vcpu_destroy,
    .load = script_load,
    .unload = script_unload,
    .run = script_run,
    .get_control = script_get_control,
    .set_control = script_set_control,
    .set_cr2 = script_set_cr2,
    .mode = script_mode,
    .get_segs = script_get_segs,
    .set_segs = script_set_segs,
    .get_sysregs = script_get_sysregs,
    .set_sysregs = script_set_sysregs,
    .get_regs = script_get_regs,
    .set_regs = script_set_regs,
    .reset_fpu = script_reset_fpu,
    .event_ready = script_event_ready,
    .nmi_ready = script_nmi_ready,
    .event_pending = script_event_pending,
    .inject = script_inject,
    .window = script_window,
    .set_tpr = script_set_tpr,
    .get_tpr = script_get_tpr,
    .set_tsc_offset = script_set_tsc_offset,
    .flush_guest = script_flush_guest,
    .debug_registers = script_debug_registers,
    .set_xcr0 = script_set_xcr0,
    .clear_shadow = script_clear_shadow,
    .dump = script_dump,
};

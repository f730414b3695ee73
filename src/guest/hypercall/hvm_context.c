/* SPDX-License-Identifier: Apache-2.0 */
/* VCPUOP_initialise: see hvm_context.h. */
#include "guest/hypercall/hvm_context.h"

#include "domain/policy.h"
#include "domain/shared.h"
#include "arch/x86/vcpu/reset.h"

#define CR0_PE        1ULL
#define CR0_ET        0x10ULL
#define CR0_NW        (1ULL << 29)
#define CR0_CD        (1ULL << 30)
#define CR0_PG        (1ULL << 31)
#define CR4_PAE       (1ULL << 5)
#define EFER_LME      (1ULL << 8)
#define EFER_LMA      (1ULL << 10)

#define ATTR_ACCESSED 1u
#define ATTR_BUSY     2u
#define ATTR_CODE     8u
#define ATTR_S        0x10u
#define ATTR_P        0x80u
#define ATTR_L        0x200u
#define ATTR_D        0x400u
#define ATTR_G        0x800u
#define ATTR_MASK     0xfffu
#define DPL(attr)     (((attr) >> 5) & 3)

struct state {
    struct vcpu_control control;
    struct vcpu_segs segs;
    struct vcpu_regs regs;
};

static uint32_t limit_bytes(uint32_t limit, uint16_t attr)
{
    return attr & ATTR_G ? (limit << 12) | 0xfff : limit;
}

static struct vcpu_segment segment(uint32_t base, uint32_t limit, uint16_t attr)
{
    return (struct vcpu_segment){.attr = attr, .limit = limit_bytes(limit, attr), .base = base};
}

/* A data segment is absent or an accessed data or readable code segment of allowed privilege. */
static bool data_ok(const struct vcpu_segment *s, unsigned int cs_dpl)
{
    return !(s->attr & ATTR_P) || ((s->attr & ATTR_S) && DPL(s->attr) <= cs_dpl);
}

static bool state_32(const struct vcpu_hvm_x86_32 *r, struct state *s)
{
    struct vcpu_segment *seg = s->segs.seg;

    if (r->pad1 || r->pad2[0] || r->pad2[1] || r->pad2[2])
        return false;
    s->regs = (struct vcpu_regs){
        .gpr = {r->eax, r->ecx, r->edx, r->ebx, r->esp, r->ebp, r->esi, r->edi},
        .rip = r->eip,
        .rflags = r->eflags | 2,
    };
    s->control = (struct vcpu_control){
        .cr0 = r->cr0 | CR0_ET, .cr3 = r->cr3, .cr4 = r->cr4, .efer = r->efer};
    seg[SEG_CS] = segment(r->cs_base, r->cs_limit, r->cs_ar | ATTR_ACCESSED);
    seg[SEG_DS] = segment(r->ds_base, r->ds_limit, r->ds_ar ? r->ds_ar | ATTR_ACCESSED : 0);
    seg[SEG_SS] = segment(r->ss_base, r->ss_limit, r->ss_ar ? r->ss_ar | ATTR_ACCESSED : 0);
    seg[SEG_ES] = segment(r->es_base, r->es_limit, r->es_ar ? r->es_ar | ATTR_ACCESSED : 0);
    seg[SEG_TR] = segment(r->tr_base, r->tr_limit, r->tr_ar | ATTR_BUSY);
    seg[SEG_LDTR].attr = 0x82;
    return (r->cs_ar & (ATTR_P | ATTR_S | ATTR_CODE)) == (ATTR_P | ATTR_S | ATTR_CODE) &&
           !((r->cs_ar | r->ds_ar | r->ss_ar | r->es_ar | r->tr_ar) & ~ATTR_MASK) &&
           r->eip <= seg[SEG_CS].limit && DPL(r->ss_ar) == DPL(r->cs_ar) &&
           data_ok(&seg[SEG_DS], DPL(r->cs_ar)) && data_ok(&seg[SEG_ES], DPL(r->cs_ar)) &&
           (r->tr_ar & (ATTR_P | ATTR_S)) == ATTR_P &&
           (!(r->efer & EFER_LMA) || (r->efer & EFER_LME));
}

static bool state_64(const struct vcpu_hvm_x86_64 *r, struct state *s)
{
    const uint64_t need_cr0 = CR0_PE | CR0_PG;

    s->regs = (struct vcpu_regs){
        .gpr = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi},
        .rip = r->rip,
        .rflags = r->rflags | 2,
    };
    s->control = (struct vcpu_control){
        .cr0 = r->cr0 | CR0_ET, .cr3 = r->cr3, .cr4 = r->cr4, .efer = r->efer | EFER_LMA};
    for (unsigned int i = SEG_ES; i <= SEG_DS; i++)
        s->segs.seg[i] = segment(0, 0xfffff, 0xc93);
    s->segs.seg[SEG_CS] = segment(0, 0xfffff, 0xa9b);
    s->segs.seg[SEG_LDTR].attr = 0x82;
    s->segs.seg[SEG_TR] = segment(0, 0x67, 0x8b);
    return (r->cr0 & need_cr0) == need_cr0 && (r->cr4 & CR4_PAE) && (r->efer & EFER_LME) &&
           (uint64_t)((int64_t)(r->rip << 16) >> 16) == r->rip;
}

/* Also what the CPU itself would refuse to enter (AMD APM vol. 2, 15.5.1). */
static bool control_ok(const struct vcpu *v, const struct vcpu_control *c, uint16_t cs)
{
    const struct domain *d = v->domain;
    const uint16_t both = ATTR_L | ATTR_D;
    bool long_mode = (c->efer & EFER_LME) && (c->cr0 & CR0_PG);

    return !((c->cr0 & CR0_NW) && !(c->cr0 & CR0_CD)) &&
           !(long_mode && (!(c->cr4 & CR4_PAE) || (cs & both) == both)) && !(c->cr0 >> 32) &&
           !(c->cr4 & ~policy_cr4_valid(d)) && !((c->efer & ~EFER_LMA) & ~policy_efer_valid(d)) &&
           !((c->cr0 & CR0_PG) && !(c->cr0 & CR0_PE)) && !(c->cr3 >> policy_phys_bits(d));
}

long hvm_context_initialise(struct vcpu *v, const struct vcpu_hvm_context *ctx)
{
    struct state s = {0};
    bool ok = !ctx->pad;

    if (v->id >= XEN_LEGACY_MAX_VCPUS && !shared_present(&v->info))
        return -XEN_EINVAL;
    if (READ_ONCE(v->initialised))
        return -XEN_EEXIST;
    if (ctx->mode == VCPU_HVM_MODE_32B)
        ok = ok && state_32(&ctx->cpu_regs.x86_32, &s);
    else if (ctx->mode == VCPU_HVM_MODE_64B)
        ok = ok && state_64(&ctx->cpu_regs.x86_64, &s);
    else
        ok = false;
    if (!ok || !control_ok(v, &s.control, s.segs.seg[SEG_CS].attr))
        return -XEN_EINVAL;
    lock(&v->domain->lock);
    ok = !v->initialised && !v->running;
    if (ok) {
        reset_sipi(v, 0);
        virt->set_control(v, &s.control);
        virt->set_segs(v, &s.segs);
        virt->set_regs(v, &s.regs);
        v->initialised = true;
    }
    unlock(&v->domain->lock);
    return ok ? 0 : -XEN_EEXIST;
}

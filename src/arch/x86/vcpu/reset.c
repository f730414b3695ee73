/* SPDX-License-Identifier: Apache-2.0 */
/* The states a vCPU starts in: see reset.h. */
#include "arch/x86/vcpu/reset.h"

#define CR0_PE         1ULL
#define CR0_MP         2ULL
#define CR0_ET         0x10ULL
#define CR0_NE         0x20ULL
#define CR0_PG         (1ULL << 31)
#define CR4_PAE        (1ULL << 5)
#define CR4_OSFXSR     (1ULL << 9)
#define CR4_OSXMMEXCPT (1ULL << 10)
#define EFER_LME       (1ULL << 8)
#define EFER_LMA       (1ULL << 10)
#define EFER_NXE       (1ULL << 11)
#define DR6_RESET      0xffff0ff0ULL
#define DR7_RESET      0x400ULL
#define PAT_RESET      0x0007040600070406ULL

/* Packed attributes, see virt.h. */
#define ATTR_CODE32    0xc9bu
#define ATTR_CODE64    0xa9bu
#define ATTR_DATA32    0xc93u
#define ATTR_REAL      0x093u
#define ATTR_REAL_CODE 0x09bu
#define ATTR_TSS32     0x08bu
#define ATTR_LDT       0x082u

static void reset_common(struct vcpu *v, const struct vcpu_control *c, const struct vcpu_segs *segs,
                         struct vcpu_regs *r)
{
    const struct vcpu_sysregs sys = {.pat = PAT_RESET, .dr6 = DR6_RESET, .dr7 = DR7_RESET};

    r->rflags = 2;
    virt->set_control(v, c);
    virt->set_segs(v, segs);
    virt->set_sysregs(v, &sys);
    virt->set_regs(v, r);
    virt->reset_fpu(v);
}

static void reset_flat(struct vcpu_segs *s, uint16_t code, uint16_t data)
{
    for (unsigned int i = SEG_ES; i <= SEG_GS; i++)
        s->seg[i] = (struct vcpu_segment){.attr = data, .limit = 0xffffffff};
    s->seg[SEG_CS].attr = code;
    s->seg[SEG_LDTR] = (struct vcpu_segment){.attr = ATTR_LDT};
    s->seg[SEG_TR] = (struct vcpu_segment){.attr = ATTR_TSS32, .limit = 0x67};
}

void reset_pvh(struct vcpu *v, uint32_t entry, uint32_t start_info)
{
    const struct vcpu_control c = {.cr0 = CR0_PE | CR0_ET};
    struct vcpu_regs r = {.rip = entry, .gpr[R_BX] = start_info};
    struct vcpu_segs s = {0};

    reset_flat(&s, ATTR_CODE32, ATTR_DATA32);
    s.seg[SEG_FS] = s.seg[SEG_GS] = (struct vcpu_segment){0};
    reset_common(v, &c, &s, &r);
}

void reset_loader(struct vcpu *v, gpa_t cr3, uint64_t entry, uint64_t stack, uint64_t info)
{
    const struct vcpu_control c = {
        .cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_PG,
        .cr3 = cr3.v,
        .cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT,
        .efer = EFER_LME | EFER_LMA | EFER_NXE,
    };
    struct vcpu_regs r = {.rip = entry, .gpr[R_SP] = stack, .gpr[R_DI] = info};
    struct vcpu_segs s = {0};

    reset_flat(&s, ATTR_CODE64, ATTR_DATA32);
    s.seg[SEG_CS].sel = 8; /* never reloaded: the loader has no descriptor table */
    reset_common(v, &c, &s, &r);
}

void reset_sipi(struct vcpu *v, uint8_t vector)
{
    const struct vcpu_control c = {.cr0 = CR0_ET};
    struct vcpu_regs r = {0};
    struct vcpu_segs s = {.gdt.limit = 0xffff, .idt.limit = 0xffff};

    for (unsigned int i = SEG_ES; i <= SEG_GS; i++)
        s.seg[i] = (struct vcpu_segment){.attr = ATTR_REAL, .limit = 0xffff};
    s.seg[SEG_CS] = (struct vcpu_segment){.sel = (uint16_t)(vector << 8),
                                          .attr = ATTR_REAL_CODE,
                                          .limit = 0xffff,
                                          .base = (uint64_t)vector << 12};
    s.seg[SEG_LDTR] = (struct vcpu_segment){.attr = ATTR_LDT, .limit = 0xffff};
    s.seg[SEG_TR] = (struct vcpu_segment){.attr = ATTR_TSS32, .limit = 0xffff};
    reset_common(v, &c, &s, &r);
}

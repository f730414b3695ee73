/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle of insn/exec.c: one engine of libunicorn per mode. unicorn_disagrees() runs one
 * instruction here and there from the same state and compares registers, flags, and every access to
 * memory with its value. Memory has content everywhere: a hash of the address.
 */
#ifndef TESTS_UNIT_INSN_UNICORN_H
#define TESTS_UNIT_INSN_UNICORN_H

#include <string.h>

#include <unicorn/unicorn.h>

#include "arch/x86/insn/alu.h"
#include "arch/x86/insn/exec.h"

#define CODE_BASE  0x10000ULL /* of 64 KiB; CS of 16-bit mode has this base */
#define GDT_BASE   0x30000ULL
#define ADDR_LIMIT (1ULL << 40)
#define LOG_MAX    64

struct insn_case {
    enum insn_mode mode;
    uint8_t bytes[INSN_MAX];
    uint64_t gpr[16];
    uint64_t rflags;
    unsigned bound; /* for insn_exec() */
};

struct access {
    bool write;
    uint64_t linear;
    unsigned bytes;
    uint64_t val; /* what is written */
};

/* One side's accesses in order. */
struct access_log {
    struct access a[LOG_MAX];
    unsigned n;
    bool skip; /* an address where the engines have no memory to test with */
};

struct machine {
    uc_engine *uc;
    uint64_t next; /* offset of the next case's code: each has its own bytes, for the code cache */
    uint64_t seg_base[6];
    struct access_log log;
};

static const int uc_gpr[2][16] = {
    {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX, UC_X86_REG_ESP, UC_X86_REG_EBP,
     UC_X86_REG_ESI, UC_X86_REG_EDI},
    {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX, UC_X86_REG_RSP, UC_X86_REG_RBP,
     UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8, UC_X86_REG_R9, UC_X86_REG_R10, UC_X86_REG_R11,
     UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15},
};

static inline uint8_t hash_byte(uint64_t linear)
{
    return (uint8_t)(((linear + 77) * 0x9e3779b97f4a7c15ULL) >> 56);
}

/* A value of the log's memory: the hash, changed by the writes so far. */
static inline uint8_t log_byte(const struct access_log *log, uint64_t linear)
{
    uint8_t v = hash_byte(linear);
    for (unsigned k = 0; k < log->n; k++) {
        const struct access *a = &log->a[k];
        if (a->write && linear - a->linear < a->bytes)
            v = (uint8_t)(a->val >> (8 * (linear - a->linear)));
    }
    return v;
}

static inline void log_add(struct access_log *log, bool write, uint64_t linear, unsigned bytes,
                           uint64_t val)
{
    if (log->n < LOG_MAX)
        log->a[log->n++] = (struct access){write, linear, bytes, val};
    else
        log->skip = true;
}

/* The hooks of insn_exec(). */
struct hooks {
    struct machine *m;
    struct access_log log;
};

static inline uint64_t hook_base(void *ctx, enum insn_seg seg)
{
    return ((struct hooks *)ctx)->m->seg_base[seg];
}

static inline int hook_read(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes,
                            uint64_t *val)
{
    struct hooks *h = ctx;
    *val = 0;
    for (unsigned k = 0; k < bytes; k++)
        *val |= (uint64_t)log_byte(&h->log, linear + k) << (8 * k);
    log_add(&h->log, false, linear, bytes, 0);
    return 0;
}

static inline int hook_write(void *ctx, enum insn_seg seg, uint64_t linear, unsigned bytes,
                             uint64_t val)
{
    log_add(&((struct hooks *)ctx)->log, true, linear, bytes, val);
    return 0;
}

static inline void uc_access(uc_engine *uc, uc_mem_type type, uint64_t addr, int size,
                             int64_t value, void *user)
{
    struct machine *m = user;
    bool write = type == UC_MEM_WRITE;
    log_add(&m->log, write, addr, (unsigned)size,
            write ? zero_extend((uint64_t)value, (unsigned)size) : 0);
}

/* A flat descriptor with base; `type` is 3 for data and 0xb for code. */
static inline void put_descriptor(uc_engine *uc, unsigned n, uint64_t base, unsigned type)
{
    uint64_t d = 0x00c090000000ffffULL | 0x000f000000000000ULL | (uint64_t)type << 40;
    d |= (base & 0xffffff) << 16 | (base >> 24) << 56;
    uc_mem_write(uc, GDT_BASE + 8 * n, &d, sizeof(d));
}

static inline void segments_init(struct machine *m, enum insn_mode mode)
{
    static const int reg[6] = {UC_X86_REG_ES, UC_X86_REG_CS, UC_X86_REG_SS,
                               UC_X86_REG_DS, UC_X86_REG_FS, UC_X86_REG_GS};
    if (mode == INSN_64) {
        m->seg_base[INSN_FS] = 0x123456780ULL;
        m->seg_base[INSN_GS] = 0x7654321000ULL;
        uc_reg_write(m->uc, UC_X86_REG_FS_BASE, &m->seg_base[INSN_FS]);
        uc_reg_write(m->uc, UC_X86_REG_GS_BASE, &m->seg_base[INSN_GS]);
        return;
    }
    uc_x86_mmr gdtr = {.base = GDT_BASE, .limit = 0xff};
    if (mode == INSN_32) {
        put_descriptor(m->uc, INSN_CS + 1, 0, 0xb);
        uc_reg_write(m->uc, UC_X86_REG_GDTR, &gdtr);
    }
    for (unsigned s = 0; s < 6; s++) {
        uint64_t sel = mode == INSN_32 ? 8 * (s + 1)
                       : s == INSN_CS  ? CODE_BASE >> 4
                                       : 0x4321 + 0x1111 * s;
        m->seg_base[s] = mode == INSN_16 ? sel << 4 : s == INSN_CS ? 0 : 0x11223340 * (s + 1);
        if (mode == INSN_32 && s != INSN_CS)
            put_descriptor(m->uc, s + 1, m->seg_base[s], 3);
        if (mode == INSN_16 || s != INSN_CS)
            uc_reg_write(m->uc, reg[s], &sel);
    }
}

static inline struct machine *machine_get(enum insn_mode mode)
{
    static struct machine machines[INSN_64 + 1];
    struct machine *m = &machines[mode];
    uc_hook hook;
    if (m->uc)
        return m;
    uc_mode um = mode == INSN_16 ? UC_MODE_16 : mode == INSN_32 ? UC_MODE_32 : UC_MODE_64;
    if (uc_open(UC_ARCH_X86, um, &m->uc) != UC_ERR_OK)
        abort();
    if (uc_mem_map(m->uc, CODE_BASE, 0x10000, UC_PROT_ALL) != UC_ERR_OK ||
        uc_mem_map(m->uc, GDT_BASE, PAGE_SIZE, UC_PROT_ALL) != UC_ERR_OK)
        abort();
    segments_init(m, mode);
    uc_hook_add(m->uc, &hook, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, (void *)uc_access, m, 1, 0);
    return m;
}

/* Maps (or unmaps) the pages of the log's accesses and gives the bytes their content. */
static inline bool map_log(struct machine *m, const struct access_log *log, bool map)
{
    for (unsigned k = 0; k < log->n; k++) {
        const struct access *a = &log->a[k];
        uint64_t last = a->linear + a->bytes - 1;
        if (last < a->linear || last >= ADDR_LIMIT)
            return false;
        for (uint64_t page = a->linear & PAGE_MASK; page <= last; page += PAGE_SIZE) {
            if ((page >= CODE_BASE && page < CODE_BASE + 0x10000) || page == GDT_BASE)
                return false;
            if (map)
                uc_mem_map(m->uc, page, PAGE_SIZE, UC_PROT_ALL); /* may be there */
            else
                uc_mem_unmap(m->uc, page, PAGE_SIZE); /* may be gone */
        }
    }
    for (unsigned k = 0; map && k < log->n; k++)
        for (uint64_t b = 0; b < log->a[k].bytes; b++) {
            uint8_t v = hash_byte(log->a[k].linear + b);
            uc_mem_write(m->uc, log->a[k].linear + b, &v, 1);
        }
    return true;
}

/* Status flags that the manual defines after this instruction. */
static inline uint64_t defined_flags(const struct insn *i)
{
    bool bit =
        i->op == 0x0fa3 || i->op == 0x0fab || i->op == 0x0fb3 || i->op == 0x0fbb || i->op == 0x0fba;
    unsigned alu_op = i->op < 0x40                            ? i->op >> 3
                      : i->op >= 0x80 && i->op <= 0x83        ? i->reg & 7u
                      : i->op == 0x84 || i->op == 0x85        ? ALU_AND
                      : (i->op | 1) == 0xf7 && i->reg % 8 < 2 ? ALU_AND
                                                              : ALU_ADD;
    bool logic = alu_op == ALU_AND || alu_op == ALU_OR || alu_op == ALU_XOR;
    return bit ? CF | ZF : CF | PF | ZF | SF | OF | (logic ? 0 : AF);
}

/*
 * Where libunicorn 2.0 differs from the manual in 64-bit mode: an override of ES, CS, SS or DS ends
 * one of FS or GS, and a REX before another prefix counts.
 */
static inline bool odd_prefixes(const struct insn_case *c, const struct insn *i)
{
    bool rex = false;
    for (unsigned k = 0; i->mode == INSN_64 && k < i->len; k++) {
        uint8_t b = c->bytes[k];
        bool is_rex = (b & 0xf0) == 0x40;
        if (!is_rex && !memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", b, 11))
            return false;
        if (rex || ((b & 0xe7) == 0x26 && i->seg >= INSN_FS))
            return true;
        rex = is_rex;
    }
    return false;
}

/*
 * What libunicorn 2.0 refuses or gets wrong: C6 and C7 with REX.R, TEST by /1, MOVBE on every CPU
 * model, the flags of LOCK NEG.
 */
static inline bool oracle_fails(const struct insn *i)
{
    unsigned ext = i->reg & 7, op = i->op & ~1u;
    return (op == 0xc6 && i->reg == 8) || (op == 0xf6 && (ext == 1 || (ext == 3 && i->lock))) ||
           op == 0x38f0;
}

/* Byte by byte after the end: libunicorn splits what crosses a page. */
static inline const char *memory_disagrees(struct machine *m, const struct access_log *ours)
{
    for (unsigned k = 0; k < ours->n; k++)
        for (unsigned b = 0; b < ours->a[k].bytes; b++) {
            uint8_t v = 0;
            uint64_t linear = ours->a[k].linear + b;
            uc_mem_read(m->uc, linear, &v, 1);
            if (v != log_byte(ours, linear))
                return "memory";
        }
    return NULL;
}

static inline const char *logs_disagree(const struct insn *i, const struct access_log *ours,
                                        const struct access_log *its)
{
    for (unsigned k = 0; k < ours->n; k++)
        if ((ours->a[k].linear & ~PAGE_MASK) + ours->a[k].bytes > PAGE_SIZE)
            return NULL;
    if (ours->n != its->n)
        return "number of accesses";
    /* Which operand of CMPS is read first is nobody's business. */
    bool cmps = (i->op | 1) == 0xa7;
    for (unsigned k = 0; k < ours->n; k++) {
        const struct access *a = &ours->a[k], *b = &its->a[cmps ? k ^ 1 : k];
        if (a->write != b->write || a->linear != b->linear || a->bytes != b->bytes)
            return "access";
        if (a->val != b->val)
            return "value written";
    }
    return NULL;
}

/* Runs the case in the engine; the result goes to gpr and rflags. */
static inline const char *unicorn_run(struct machine *m, const struct insn_case *c,
                                      const struct insn *i, uint64_t rip, uint64_t *gpr,
                                      uint64_t *rflags)
{
    unsigned regs = c->mode == INSN_64 ? 16 : 8;
    const int *ids = uc_gpr[c->mode == INSN_64];
    uint64_t code = c->mode == INSN_16 ? CODE_BASE + rip : rip;
    uc_mem_write(m->uc, code, c->bytes, sizeof(c->bytes));
    for (unsigned r = 0; r < regs; r++)
        uc_reg_write(m->uc, ids[r], &c->gpr[r]);
    uc_reg_write(m->uc, UC_X86_REG_EFLAGS, &c->rflags);
    uc_err e = uc_emu_start(m->uc, code, code + i->len, 0, 64);
    for (unsigned r = 0; r < regs; r++) {
        gpr[r] = 0;
        uc_reg_read(m->uc, ids[r], &gpr[r]);
    }
    *rflags = 0;
    uc_reg_read(m->uc, UC_X86_REG_EFLAGS, rflags);
    uint64_t end = 0;
    uc_reg_read(m->uc, c->mode == INSN_64 ? UC_X86_REG_RIP : UC_X86_REG_EIP, &end);
    if (e != UC_ERR_OK)
        return uc_strerror(e);
    return end != rip + i->len && end != code + i->len ? "end" : NULL;
}

enum { UC_SKIPPED, UC_COMPARED };

/* The reason of a disagreement, or NULL; *what says whether there was something to compare. */
static inline const char *unicorn_disagrees(const struct insn_case *c, int *what)
{
    static const struct insn_ops ops = {hook_base, hook_read, hook_write, NULL, NULL, NULL};
    struct machine *m = machine_get(c->mode);
    struct hooks h = {.m = m};
    struct insn i;
    *what = UC_SKIPPED;
    if (insn_decode(&i, c->bytes, sizeof(c->bytes), c->mode) != INSN_OK || oracle_fails(&i) ||
        odd_prefixes(c, &i))
        return NULL;

    m->next = (m->next + 32) & 0xffff;
    uint64_t rip = c->mode == INSN_16 ? m->next : CODE_BASE + m->next, gpr[16], its[16], flags;
    memcpy(gpr, c->gpr, sizeof(gpr));
    struct insn_cpu cpu = {.gpr = gpr, .rip = rip, .rflags = c->rflags, .ops = &ops, .ctx = &h};
    int rc;
    do {
        rc = insn_exec(&i, &cpu, c->bound);
        if (rc == INSN_AGAIN && !i.rep)
            return "repeats without REP";
    } while (rc == INSN_AGAIN && !h.log.skip);
    if (rc != INSN_DONE || h.log.skip)
        return NULL;

    m->log.n = 0;
    const char *why = NULL;
    if (map_log(m, &h.log, true)) {
        *what = UC_COMPARED;
        why = unicorn_run(m, c, &i, rip, its, &flags);
        if (!why)
            why = memory_disagrees(m, &h.log);
        if (!why)
            why = logs_disagree(&i, &h.log, &m->log);
        for (unsigned r = 0; !why && r < (c->mode == INSN_64 ? 16 : 8); r++)
            if (its[r] != gpr[r])
                why = "register";
        if (!why && ((flags ^ cpu.rflags) & defined_flags(&i)))
            why = "flags";
    }
    map_log(m, &h.log, false);
    return why;
}

#endif

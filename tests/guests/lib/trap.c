/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch of exceptions and interrupts; trap.h says the rules. */
#include "guest.h"

struct probe {
    uint32_t insn, after;
};
extern const struct probe probe_table[], probe_table_end[];
extern uint8_t trap_stubs[];

static void (*handlers[256])(struct regs *);
unsigned long trap_cr2;

void trap_handler(unsigned int vector, void (*fn)(struct regs *))
{
    handlers[vector] = fn;
}

static bool probe_handles(struct regs *r)
{
    for (const struct probe *p = probe_table; p < probe_table_end; p++) {
        if (p->insn != r->ip)
            continue;
        r->ip = p->after;
        r->di = FAULT(r->vector, r->error & 0xffff);
        return true;
    }
    return false;
}

void trap_dispatch(struct regs *r)
{
    struct cpu *c = this_cpu();
    unsigned int v = r->vector & 0xff;
    if (v == 14)
        trap_cr2 = read_cr2();
    if (v < 32 && probe_handles(r))
        return;
    c->count[v]++;
    if (handlers[v])
        handlers[v](r);
    else if (v < 32)
        test_error("exception %u error %lx at %lx cr2 %lx flags %lx vCPU %u", v, r->error, r->ip,
                   trap_cr2, r->flags, c->id);
    else
        c->unexpected++;
}

void trap_init(void)
{
    for (unsigned int v = 0; v < 256; v++)
        idt_set(v, (unsigned long)trap_stubs + v * 16, 0);
    trap_init_cpu();
}

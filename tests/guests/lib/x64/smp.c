/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the other vCPUs by INIT and SIPI through the trampoline of entry.S, at a page below
 * 1 MiB that guest_start has no more use for.
 */
#include "apic.h"
#include "guest.h"

#define TRAMPOLINE_PAGE 0x8000ul

extern const uint8_t trampoline[], trampoline_end[];
extern uint64_t ap_stack_end;
noreturn_fn void ap_start(void);

static uint8_t stacks[MAX_CPUS - 1][STACK_SIZE] aligned_to(16384);
static struct {
    void (*fn)(void *);
    void *arg;
    unsigned int state; /* 0 not started, 1 running, 2 done */
} jobs[MAX_CPUS];

struct cpu *cpu_get(unsigned int id)
{
    extern struct cpu boot_stack_start;
    return id ? (struct cpu *)(void *)stacks[id - 1] : &boot_stack_start;
}

unsigned int cpu_count(void)
{
    unsigned int n = 0;
    while (n < MAX_CPUS && vcpu_op(VCPUOP_is_up, n, 0) >= 0)
        n++;
    return n;
}

bool cpu_done(unsigned int id)
{
    return __atomic_load_n(&jobs[id].state, __ATOMIC_ACQUIRE) == 2;
}

noreturn_fn void ap_start(void)
{
    struct cpu *c = this_cpu();
    trap_init_cpu();
    apic_enable();
    c->apic_id = apic_id();
    __atomic_store_n(&jobs[c->id].state, 1, __ATOMIC_RELEASE);
    jobs[c->id].fn(jobs[c->id].arg);
    __atomic_store_n(&jobs[c->id].state, 2, __ATOMIC_RELEASE);
    for (;;)
        __asm__ volatile("sti\n hlt");
}

bool cpu_start(unsigned int id, void (*fn)(void *), void *arg)
{
    struct cpu *c = cpu_get(id);
    memset(c, 0, sizeof(*c));
    c->id = id;
    jobs[id].fn = fn;
    jobs[id].arg = arg;
    jobs[id].state = 0;
    memcpy((void *)TRAMPOLINE_PAGE, trampoline, (size_t)(trampoline_end - trampoline));
    ap_stack_end = (uint64_t)c + STACK_SIZE;

    apic_icr(2 * id, ICR_INIT | ICR_ASSERT);
    delay_us(100);
    for (int i = 0; i < 2; i++) {
        apic_icr(2 * id, ICR_STARTUP | ICR_ASSERT | TRAMPOLINE_PAGE >> 12);
        delay_us(100);
    }
    uint64_t end = now_ns() + 2000000000;
    while (!__atomic_load_n(&jobs[id].state, __ATOMIC_ACQUIRE))
        if (now_ns() > end)
            return false;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: a guest that executes random bytes at CPL 0, with all its memory writable, harms nobody
 * but itself. An exception or a timer interrupt starts the next round; a watchdog ends what spins
 * with interrupts off. Whatever it does to itself is right; the guest beside it must not notice.
 *
 * RUN: memory=32M vcpus=1 restart=never -- seed=1
 * RUN: memory=32M vcpus=1 restart=never -- seed=2
 * RUN: memory=32M vcpus=1 restart=never -- seed=3
 * BESIDE: innocent
 * END: any
 */
#include "apic.h"
#include "guest.h"

#define TIMER 0x20

static uint8_t code[2 * PAGE_SIZE] aligned_to(4096);
static uint8_t trap_stack[STACK_SIZE] aligned_to(16384);
static uint64_t state;
static unsigned int events;

uint64_t random_regs[15]; /* loaded before the jump */
uint64_t random_sp;
void random_run(void *at);
extern uint8_t random_back[];

__asm__(".pushsection .text\n"
        "random_run:\n"
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov %rsp, random_sp\n"
        "mov %rdi, %rax\n"
        "lea random_regs, %r15\n"
        "mov (%r15), %rbx\n mov 8(%r15), %rcx\n mov 16(%r15), %rdx\n mov 24(%r15), %rsi\n"
        "mov 32(%r15), %rdi\n mov 40(%r15), %rbp\n mov 48(%r15), %r8\n mov 56(%r15), %r9\n"
        "mov 64(%r15), %r10\n mov 72(%r15), %r11\n mov 80(%r15), %r12\n mov 88(%r15), %r13\n"
        "mov 96(%r15), %r14\n mov 104(%r15), %r15\n"
        "sti\n"
        "jmp *%rax\n"
        "random_back:\n"
        "mov random_sp, %rsp\n"
        "cld\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
        "ret\n"
        ".popsection\n");

static uint64_t random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void back(struct regs *r)
{
    events++;
    if (r->vector == TIMER)
        apic_eoi();
    r->ip = (unsigned long)random_back;
    r->sp = random_sp;
    r->cs = 0x08;
    r->ss = 0x10;
    r->flags = 2;
}

/* Addresses and small numbers get further than arbitrary 64-bit values. */
static uint64_t random_value(void)
{
    uint64_t v = random();
    switch (v >> 62) {
    case 0:
        return v & 0x1ffffff;
    case 1:
        return v & 0x3f;
    case 2:
        return 0xc0000000 | (v & 0x1ff);
    default:
        return v;
    }
}

GUEST_MAIN
{
    uint64_t rounds = param_num("rounds", 3000);
    struct sched_watchdog dog = {.timeout = 10};
    state = param_num("seed", 1) * 0x9e3779b97f4a7c15ull + 1;
    trap_own_stack(trap_stack + STACK_SIZE);
    for (unsigned int v = 0; v < 256; v++)
        trap_handler(v, back);
    apic_enable();
    apic_write(APIC_TIMER_DIVIDE, 0xb);
    apic_write(APIC_LVT_TIMER, TIMER | APIC_TIMER_PERIODIC);
    sched_op(SCHEDOP_watchdog, &dog);
    for (uint64_t i = 0; i < rounds; i++) {
        for (size_t k = 0; k < sizeof(code); k += 8)
            *(uint64_t *)(void *)&code[k] = random();
        for (size_t k = 0; k < ARRAY_SIZE(random_regs); k++)
            random_regs[k] = random_value();
        apic_write(APIC_TIMER_INITIAL, 100000); /* 1 ms */
        random_run(code + random() % PAGE_SIZE);
    }
    cli();
    print("%llu rounds, %u exceptions and interrupts", (unsigned long long)rounds, events);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: no guest can hurt Krypton or another guest by what it asks for. It attacks by `mode` for
 * `seconds` on all its vCPUs, with random numbers from `seed`; to get an error for each attempt or
 * to be stopped are both right, and the guest beside it, which checks memory and clock, must notice
 * nothing.
 *
 * LINK: 0x1100000
 * RUN: memory=32M vcpus=2 restart=never -- mode=pointers
 * RUN: memory=32M vcpus=2 restart=never -- mode=storm seed=1
 * RUN: memory=32M vcpus=2 restart=never -- mode=storm seed=2
 * RUN: memory=32M vcpus=2 restart=never -- mode=msrs
 * RUN: memory=32M vcpus=2 restart=never -- mode=ports
 * RUN: memory=32M vcpus=2 restart=never -- mode=apic
 * RUN: memory=32M vcpus=2 restart=never -- mode=mmio
 * RUN: memory=32M vcpus=2 restart=never -- mode=console
 * RUN: memory=32M vcpus=2 restart=never -- mode=events
 * RUN: memory=32M vcpus=2 restart=never -- mode=grants
 * RUN: memory=64M vcpus=2 restart=never -- mode=memory
 * BESIDE: innocent
 * END: any
 */
#include "attacks.h"
#include "apic.h"

static uint64_t state[MAX_CPUS], attempts[MAX_CPUS], tsc_end;

static const struct {
    const char *name;
    void (*run)(void);
} attacks[] = {
    {"pointers", attack_pointers}, {"storm", attack_storm},   {"msrs", attack_msrs},
    {"ports", attack_ports},       {"apic", attack_apic},     {"mmio", attack_mmio},
    {"console", attack_console},   {"events", attack_events}, {"grants", attack_grants},
    {"memory", attack_memory},
};
static unsigned int chosen;

uint64_t random(void)
{
    uint64_t *s = &state[this_cpu()->id];
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

uint64_t random_pick(const uint64_t *list, unsigned int n)
{
    return list[random() % n];
}

bool attack_over(void)
{
    return rdtsc() > tsc_end;
}

void attack_count(void)
{
    attempts[this_cpu()->id]++;
}

static void ignore(struct regs *r)
{
    if (r->vector >= 32)
        apic_eoi();
}

static void attack(void *arg)
{
    (void)arg;
    while (!attack_over())
        attacks[chosen].run();
}

GUEST_MAIN
{
    unsigned int n = cpu_count();
    for (chosen = 0; chosen < ARRAY_SIZE(attacks); chosen++)
        if (param_is("mode", attacks[chosen].name))
            break;
    if (chosen == ARRAY_SIZE(attacks))
        test_error("mode=%s is unknown", param("mode") ? param("mode") : "(none)");
    for (unsigned int i = 0; i < MAX_CPUS; i++)
        state[i] = (param_num("seed", 1) + 1000 * i) * 0x9e3779b97f4a7c15ull + 1;
    for (unsigned int v = 32; v < 256; v++)
        trap_handler(v, ignore);
    trap_handler(2, ignore); /* NMIs of its own making */
    apic_enable();
    tsc_end = rdtsc() + param_num("seconds", 4) * 1000 * tsc_khz();
    for (unsigned int i = 1; i < n; i++)
        if (!cpu_start(i, attack, NULL))
            test_error("vCPU %u does not start", i);
    attack(NULL);
    for (unsigned int i = 0; i < n; i++)
        print("vCPU %u: %llu attempts", i, (unsigned long long)attempts[i]);
}

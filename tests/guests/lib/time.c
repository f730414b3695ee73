/* SPDX-License-Identifier: Apache-2.0 */
/* Time from the shared info page: pvclock readings and waits. Public header: xen.h, vcpu_time_info.
 */
#include "guest.h"

static uint8_t shared_page[PAGE_SIZE] aligned_to(4096);

struct shared_info *shared_info_map(void)
{
    static int mapped, lock;
    struct shared_info *s = (void *)shared_page;
    if (__atomic_load_n(&mapped, __ATOMIC_ACQUIRE))
        return s;
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        cpu_relax();
    if (!mapped)
        shared_width_init();
    if (!mapped && map_shared_page(XENMAPSPACE_shared_info, 0, shared_page))
        test_error("the shared info page cannot be mapped");
    __atomic_store_n(&mapped, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    return s;
}

uint64_t pvclock_read(const struct vcpu_time_info *t)
{
    const volatile struct vcpu_time_info *v = t;
    uint64_t delta, base;
    uint32_t version, mul;
    int8_t shift;
    do {
        version = v->version;
        barrier();
        base = v->system_time;
        mul = v->tsc_to_system_mul;
        shift = v->tsc_shift;
        delta = rdtsc() - v->tsc_timestamp;
        barrier();
    } while ((version & 1) || version != v->version);
    delta = shift < 0 ? delta >> -shift : delta << shift;
    return base + (delta >> 32) * mul + ((delta & 0xffffffff) * mul >> 32);
}

uint64_t now_ns(void)
{
    struct cpu *c = this_cpu();
    struct vcpu_info *info = c->vcpu_info ? c->vcpu_info : &shared_info_map()->vcpu_info[c->id];
    return pvclock_read(&info->time);
}

uint32_t tsc_khz(void)
{
    return cpuid(0x40000003, 0).c;
}

void delay_us(uint64_t us)
{
    uint64_t end = now_ns() + us * 1000;
    while (now_ns() < end)
        cpu_relax();
}

bool wait_until(const volatile unsigned int *p, unsigned int value, uint64_t us)
{
    uint64_t end = now_ns() + us * 1000;
    while (*p != value) {
        if (now_ns() > end)
            return *p == value;
        cpu_relax();
    }
    return true;
}

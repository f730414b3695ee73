/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System time from the calling CPU's stamp. Only its own CPU reads or writes a stamp here, and
 * writes it with interrupts off; the version is for readers on other CPUs and for time records.
 */
#include "core/clock.h"
#include "core/pcpu.h"
#include "lib/muldiv.h"

uint64_t clock_tsc_hz;
bool clock_tsc_stable;
uint64_t clock_wall_ns;

static nsec_t stamp_time(const struct clock_stamp *s, uint64_t tsc)
{
    struct time_scale scale = {s->mul, s->shift};

    /* Another CPU's TSC may be a little behind the base. */
    if (unlikely(tsc < s->base_tsc))
        return s->base_ns - (nsec_t)time_scale_apply(scale, s->base_tsc - tsc);
    return s->base_ns + (nsec_t)time_scale_apply(scale, tsc - s->base_tsc);
}

nsec_t clock_at_tsc(uint64_t tsc)
{
    return stamp_time(&pcpu_shared[this_cpu()->id].clock, tsc);
}

nsec_t clock_now(void)
{
    return likely(pcpus_ready) ? clock_at_tsc(cpu_tsc()) : 0;
}

void clock_stamp_set(uint64_t base_tsc, nsec_t base_ns, uint32_t mul, int8_t shift)
{
    struct clock_stamp *s = &pcpu_shared[this_cpu()->id].clock;
    struct clock_stamp new = {
        .version = s->version + 2,
        .base_tsc = base_tsc,
        .base_ns = base_ns,
        .mul = mul,
        .shift = shift,
    };
    bool irqs = irq_enabled();

    irq_disable();
    uint64_t tsc = cpu_tsc();
    nsec_t back = stamp_time(s, tsc) - stamp_time(&new, tsc);
    if (s->mul && back > 0)
        new.base_ns += back;
    WRITE_ONCE(s->version, s->version + 1);
    smp_wmb();
    s->base_tsc = new.base_tsc;
    s->base_ns = new.base_ns;
    s->mul = new.mul;
    s->shift = new.shift;
    smp_wmb();
    WRITE_ONCE(s->version, new.version);
    if (irqs)
        irq_enable();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timekeeping on the machine: choice of the platform clock, the measurement at boot, the comparison
 * of the CPUs' TSCs, the stamps of core/clock.h and their renewal.
 */
#include "host/time.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/host/lapic.h"
#include "arch/x86/host/platform_clocks.h"
#include "core/clock.h"
#include "core/pcpu.h"
#include "core/printk.h"

#define MEASURE_NS    MSEC(8)
#define RENEWAL       SEC(1)
#define WARP_ROUNDS   2000u
#define WARP_LIMIT_NS USEC(2000)

static struct platform_clock clock_source;
static struct time_scale source_scale;
static struct spinlock source_lock = SPINLOCK_INIT(RANK_TIMER);
static uint64_t source_last, source_total; /* [source_lock] */

static struct time_sample sample_of[MAX_CPUS]; /* own CPU */
static struct ktimer renewal[MAX_CPUS];

/* Nanoseconds since time_init(), counted by the platform clock. Often enough for its wrap. */
static nsec_t source_now(void)
{
    uint64_t now, total;

    lock(&source_lock);
    now = clock_source.read();
    source_total += (now - source_last) & clock_source.mask;
    source_last = now;
    total = source_total;
    unlock(&source_lock);
    return (nsec_t)time_scale_apply(source_scale, total);
}

/* The two clocks at one moment: of a few tries the one that an SMI or the like disturbed least. */
static struct time_sample sample_take(void)
{
    struct time_sample best = {0, 0};
    uint64_t best_span = UINT64_MAX;

    for (unsigned int i = 0; i < 5; i++) {
        uint64_t before = cpu_tsc();
        nsec_t ns = source_now();
        uint64_t span = cpu_tsc() - before;

        if (span < best_span) {
            best_span = span;
            best = (struct time_sample){before + span / 2, ns};
        }
    }
    return best;
}

static void source_choose(const struct acpi_info *acpi)
{
    if (!hpet_probe(acpi, &clock_source) && !pm_timer_probe(acpi, &clock_source) &&
        !pit_probe(acpi, &clock_source))
        panic("no platform clock: neither HPET, PM timer nor PIT counts");
    source_scale = time_scale_make(clock_source.hz, SEC(1));
    source_last = clock_source.read();
}

static void wall_clock_read(const struct acpi_info *acpi)
{
    struct rtc_registers r;
    uint64_t seconds;

    if ((acpi->has_fadt && (acpi->boot_arch & ACPI_BOOT_NO_CMOS)) || !rtc_read(&r) ||
        rtc_decode(&r, &seconds)) {
        log_warn("no CMOS clock: the date starts at 1970");
        return;
    }
    clock_wall_ns = seconds * (uint64_t)SEC(1) - (uint64_t)clock_now();
}

void time_init(const struct acpi_info *acpi)
{
    struct time_sample a, b;
    struct time_scale scale;
    uint32_t left;
    uint64_t span;

    source_choose(acpi);
    lapic_timer_start_raw();
    a = sample_take();
    do
        b.ns = source_now();
    while (b.ns - a.ns < MEASURE_NS);
    b = sample_take();
    left = lapic_timer_left();
    span = (uint64_t)(b.ns - a.ns);

    clock_tsc_hz = muldiv(b.tsc - a.tsc, SEC(1), span);
    if (!clock_tsc_hz)
        panic("the TSC does not count");
    scale = time_scale_make(clock_tsc_hz, SEC(1));
    clock_stamp_set(a.tsc, a.ns, scale.mul, scale.shift);
    sample_of[this_cpu()->id] = b;
    lapic_timer_set_rate(muldiv(UINT32_MAX - left, SEC(1), span));
    wall_clock_read(acpi);
    log_info("Platform clock: %s at %lu Hz; TSC %lu.%03lu MHz%s", clock_source.name,
             clock_source.hz, clock_tsc_hz / 1000000, clock_tsc_hz / 1000 % 1000,
             lapic_timer_is_deadline() ? ", TSC deadline timer" : "");
}

/* -- two CPUs compare ------------------------------------------------------------------------- */

/* The meeting of the boot CPU and a new one. */
static struct {
    struct spinlock lock;
    uint32_t here, base; /* arrivals: counts on for ever; six a meeting, from base */
    uint64_t last, warp; /* [lock] latest TSC seen by either; greatest step back */
    nsec_t ns;           /* the boot CPU's time at the end */
} meet = {.lock = SPINLOCK_INIT(RANK_TIMER)};
static bool unsynchronised;

static void meet_at(uint32_t count)
{
    __atomic_fetch_add(&meet.here, 1, __ATOMIC_SEQ_CST);
    while (READ_ONCE(meet.here) < count)
        cpu_relax();
}

/* Both CPUs at once: a TSC that is less than one which the other CPU has just seen. */
static void warp_test(void)
{
    uint64_t start = cpu_tsc(), limit = muldiv(clock_tsc_hz, (uint64_t)WARP_LIMIT_NS, SEC(1));

    for (unsigned int i = 0; i < WARP_ROUNDS && cpu_tsc() - start < limit; i++) {
        uint64_t tsc;

        lock(&meet.lock);
        tsc = cpu_tsc();
        if (tsc < meet.last)
            meet.warp = max(meet.warp, meet.last - tsc);
        meet.last = tsc;
        unlock(&meet.lock);
    }
}

void time_check_cpu(void)
{
    uint32_t base = meet.base;

    meet.last = meet.warp = 0;
    meet_at(base + 2);
    warp_test();
    meet_at(base + 4);
    if (meet.warp)
        unsynchronised = true;
    meet.ns = clock_now();
    meet_at(base + 6);
    meet.base = base + 6;
}

void time_cpu_init(void)
{
    struct clock_stamp first = pcpu_shared[0].clock;

    uint32_t base = meet.base;
    uint64_t before;

    meet_at(base + 2);
    warp_test();
    meet_at(base + 4);
    before = cpu_tsc();
    meet_at(base + 6);
    if (meet.warp) /* TSCs differ: start where the boot CPU was a moment ago */
        clock_stamp_set(before, meet.ns, first.mul, first.shift);
    else
        clock_stamp_set(first.base_tsc, first.base_ns, first.mul, first.shift);
}

void time_decide(void)
{
    clock_tsc_stable = cpu_has(CPU_INVARIANT_TSC) && !unsynchronised;
    log_info("TSC: %s, %s%s", cpu_has(CPU_INVARIANT_TSC) ? "invariant" : "not invariant",
             unsynchronised ? "not synchronised" : "synchronised",
             clock_tsc_stable     ? ": stable"
             : clock_source.brief ? ": not checked, the platform clock wraps too soon"
                                  : ": checked each second");
}

/* -- renewal ---------------------------------------------------------------------------------- */

static void renew(void *arg)
{
    unsigned int cpu = this_cpu()->id;
    struct time_sample now = sample_take();
    struct time_stamp stamp;

    (void)arg;
    if (time_restamp(&sample_of[cpu], &now, clock_at_tsc(now.tsc), &stamp)) {
        clock_stamp_set(now.tsc, stamp.base_ns, stamp.scale.mul, stamp.scale.shift);
        sample_of[cpu] = now;
    }
    ktimer_start(&renewal[cpu], clock_now() + RENEWAL, cpu);
}

void time_cpu_start(void)
{
    unsigned int cpu = this_cpu()->id;

    if (clock_tsc_stable || clock_source.brief)
        return;
    sample_of[cpu] = sample_take();
    ktimer_init(&renewal[cpu], renew, NULL);
    ktimer_start(&renewal[cpu], clock_now() + RENEWAL, cpu);
}

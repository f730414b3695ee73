/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug keys about the machine as Krypton sees it: memory, clocks, trace, console ring.
 */
#include "core/clock.h"
#include "core/keys.h"
#include "core/printk.h"
#include "core/trace.h"
#include "domain/domain.h"
#include "guest/console/log.h"
#include "guest/console/terminal.h"
#include "mem/heap.h"

/* -- m ---------------------------------------------------------------------------------------- */

static const char *owner_text(unsigned int owner)
{
    switch (owner) {
    case FRAME_OWNER_FREE:
        return "free";
    case FRAME_OWNER_KRYPTON:
        return "Krypton's, with an address";
    case FRAME_OWNER_PRIVATE:
        return "Krypton's, without one";
    default:
        return "modules, firmware, devices";
    }
}

#define SCAN_MAX (1u << 20) /* frames: 4 GiB, a few milliseconds */

static void owners_show(void)
{
    static const uint16_t owners[] = {FRAME_OWNER_FREE, FRAME_OWNER_KRYPTON, FRAME_OWNER_PRIVATE,
                                      FRAME_OWNER_NONE};
    uint64_t n[ARRAY_SIZE(owners)] = {0}, domains = 0, end = min(frame_limit, (uint64_t)SCAN_MAX);

    for (uint64_t i = 0; i < end; i++) {
        unsigned int owner, k = 0;

        if (!frame_valid(_mfn(i)))
            continue;
        owner = page_owner(page_of(_mfn(i)));
        while (k < ARRAY_SIZE(owners) && owners[k] != owner)
            k++;
        if (k < ARRAY_SIZE(owners))
            n[k]++;
        else
            domains++;
    }
    log_info("frames below %#lx: %lu of domains", end, domains);
    for (unsigned int k = 0; k < ARRAY_SIZE(owners); k++)
        log_info("  %lu %s", n[k], owner_text(owners[k]));
}

static void key_memory(void)
{
    struct domain *d;
    int id = -1;

    log_info("heap: %lu of %lu MiB free", heap_free_pages() >> 8, heap_total_pages() >> 8);
    while ((d = domain_next(id))) {
        id = d->id;
        log_info("  d%u %s: %lu pages, %lu p2m tables of %lu", d->id, d->name, d->tot_pages,
                 d->p2m.pool_pages, d->p2m.pool_limit);
        domain_put(d);
    }
    owners_show();
}
DEBUG_KEY('m', "memory", key_memory);

/* -- t, T ------------------------------------------------------------------------------------- */

static void key_clocks(void)
{
    unsigned int cpu;

    log_info("now %ld ns, TSC %lu Hz, %s", clock_now(), clock_tsc_hz,
             clock_tsc_stable ? "stable" : "not stable: stamps are renewed");
    for_each_cpu (cpu, &cpus_online) {
        const struct clock_stamp *s = &pcpu_shared[cpu].clock;

        log_info("  CPU %u: stamp %u, TSC %lu = %ld ns, mul %#x shift %d, next timer %ld", cpu,
                 READ_ONCE(s->version), s->base_tsc, s->base_ns, s->mul, s->shift,
                 READ_ONCE(pcpu_shared[cpu].timers.armed));
    }
}
DEBUG_KEY('t', "clocks of all CPUs", key_clocks);

static void key_trace(void)
{
    trace_dump(64);
}
DEBUG_KEY('T', "the last 64 trace records of each CPU", key_trace);

/* -- w ---------------------------------------------------------------------------------------- */

#define REPLAY_PAUSE MSEC(10)

/* Own to the key and its timer. */
static struct {
    struct ktimer timer;
    uint32_t at, end;
} replay;

/* As much as the device takes; what is shown again is not kept again. */
static void replay_step(void *arg)
{
    char piece[256];
    uint32_t n;

    (void)arg;
    while ((int32_t)(replay.end - replay.at) > 0 && terminal_room()) {
        n = min((uint32_t)sizeof(piece), replay.end - replay.at);
        n = console_log_read(&replay.at, piece, n);
        terminal_show(piece, n);
    }
    if ((int32_t)(replay.end - replay.at) > 0)
        ktimer_start(&replay.timer, clock_now() + REPLAY_PAUSE, this_cpu()->id);
    else
        log_info("end of the console ring");
}

static void key_replay(void)
{
    if ((int32_t)(replay.end - replay.at) > 0)
        return;
    replay.at = console_log_oldest();
    replay.end = console_log_newest();
    ktimer_init(&replay.timer, replay_step, NULL);
    replay_step(NULL);
}
DEBUG_KEY('w', "show the console ring again", key_replay);

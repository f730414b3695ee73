/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: what other guests do is not felt here: this one fills its memory with a pattern and
 * reads it again and again, wakes by timer every 10 ms, watches its clock, and calls SUCCESS after
 * `seconds` when no word changed, time never went back and no wake-up was later than `late`
 * milliseconds. The one to run beside hostile guests.
 *
 * RUN: memory=32M vcpus=1 -- seconds=6
 */
#include "events.h"
#include "pattern.h"

static uint64_t *memory, *memory_end;

static uint64_t ram_end(void)
{
    const struct hvm_memmap_table_entry *m = (const void *)start_info.memmap_paddr;
    uint64_t image = (uint64_t)guest_image_end;
    for (uint32_t i = 0; i < start_info.memmap_entries; i++)
        if (m[i].type == XEN_HVM_MEMMAP_TYPE_RAM && image > m[i].addr &&
            image < m[i].addr + m[i].size)
            return m[i].addr + m[i].size;
    return image;
}

static uint64_t check_memory(uint64_t seed)
{
    uint64_t bad = 0;
    for (uint64_t *p = memory; p < memory_end; p++) {
        if (*p == pattern_word(p, seed))
            continue;
        if (!bad++)
            fail("%llx at %p, want %llx", (unsigned long long)*p, (void *)p,
                 (unsigned long long)pattern_word(p, seed));
    }
    return bad;
}

GUEST_MAIN
{
    uint64_t end = now_ns() + param_num("seconds", 6) * 1000000000;
    uint64_t limit = param_num("late", 8000) * 1000000, last = 0, worst = 0, wakes = 0, rounds = 0;
    uint64_t seed = own_domid() + 1ull;
    evtchn_port_t port = (evtchn_port_t)port_virq(VIRQ_TIMER, 0);
    two_mask(port, true); /* polled for */
    /* Without a stable TSC the guest's clock and the hypervisor's differ for a moment. */
    uint64_t slack = vcpu_info_of(0)->time.flags & XEN_PVCLOCK_TSC_STABLE_BIT ? 0 : 1000000;
    slack *= on_xen ? 30 : 1;
    memory = (uint64_t *)guest_image_end;
    memory_end = (uint64_t *)ram_end();
    for (uint64_t *p = memory; p < memory_end; p++)
        *p = pattern_word(p, seed);
    while (now_ns() < end && fail_count < 5) {
        uint64_t start = now_ns(), due = start + 10000000;
        if (start < last)
            fail("time went back by %llu ns", (unsigned long long)(last - start));
        two_clear(port);
        struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = due};
        EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
        while (!two_pending(port))
            port_poll(port, 0);
        last = now_ns();
        if (last + slack < due)
            fail("woken %llu ns early", (unsigned long long)(due - last));
        if (last > due && last - due > worst)
            worst = last - due;
        if (++wakes % 8 == 0) {
            check_memory(seed);
            rounds++;
        }
    }
    CHECK(worst <= limit, "a wake-up came %llu ms late", (unsigned long long)worst / 1000000);
    CHECK(rounds, "memory was never checked");
    check_memory(seed);
    print("%llu KiB checked %llu times, %llu wake-ups, the worst %llu us late",
          (unsigned long long)(memory_end - memory) / 128, (unsigned long long)rounds,
          (unsigned long long)wakes, (unsigned long long)worst / 1000);
}

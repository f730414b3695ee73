/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The benchmark guest: instructions per operation, by RDTSC on an emulator that counts one
 * nanosecond per instruction (tools/bench). Each figure is the median of RUNS single operations
 * without the cost of reading the TSC; guest and hypervisor are counted together. A second copy,
 * role=server, gives the pages and answers the events for what needs another guest; it sleeps
 * meanwhile.
 *
 * RUN: memory=32M vcpus=1 -- role=client peer=2
 * PEER: memory=32M vcpus=1 -- role=server peer=1
 */
#include "bench.h"

#define RUNS 101

struct peer peer;
static uint64_t empty; /* of two readings of the TSC */

static uint64_t median(uint64_t *v, unsigned int n)
{
    for (unsigned int i = 1; i < n; i++)
        for (unsigned int k = i; k > 0 && v[k] < v[k - 1]; k--) {
            uint64_t t = v[k];
            v[k] = v[k - 1];
            v[k - 1] = t;
        }
    return v[n / 2];
}

static uint64_t measure(bench_fn op)
{
    static uint64_t sample[RUNS];
    for (unsigned int i = 0; i < RUNS; i++) {
        uint64_t start = rdtsc();
        op();
        sample[i] = rdtsc() - start - empty;
    }
    return median(sample, RUNS);
}

static void nothing(void)
{
    barrier();
}

void bench_report(const char *name, uint64_t cost, unsigned int reach, unsigned int xen)
{
    char goal[48] = "", other[48] = "";
    if (reach)
        text_format(goal, sizeof(goal), "  (reach %5u)", reach);
    if (xen)
        text_format(other, sizeof(other), "  Xen 4.17: %u", xen);
    print("BENCH %-22s %7llu per op%s%s%s", name, (unsigned long long)cost, goal, other,
          reach && cost > reach ? "  OVER" : "");
}

void bench_run(const char *name, bench_fn op, unsigned int reach, unsigned int xen)
{
    for (unsigned int i = 0; i < 8; i++)
        op(); /* warms what can be warm */
    bench_report(name, measure(op), reach, xen);
}

uint64_t bench_median(uint64_t *v, unsigned int n)
{
    return median(v, n);
}

/* Answers each event with one, asleep in between, until the client says stop. */
static void serve(void)
{
    while (!READ_ONCE(peer.page->words[0])) {
        port_poll(peer.port, 0);
        two_clear(peer.port);
        port_send(peer.port);
    }
}

GUEST_MAIN
{
    uint64_t sample[RUNS];
    if (!peer_wanted())
        test_error("role= and peer= are missing");
    peer_meet(&peer);
    two_mask(peer.port, true);
    two_clear(peer.port);
    if (peer.server) {
        bench_give(&peer);
        peer_step(&peer, 2);
        serve();
        peer_part(&peer);
        return;
    }
    peer_step(&peer, 2);
    /* The server goes to sleep. */
    uint64_t end = now_ns() + 50000000;
    while (now_ns() < end)
        sched_op(SCHEDOP_yield, 0);

    for (unsigned int i = 0; i < RUNS; i++) {
        uint64_t start = rdtsc();
        nothing();
        sample[i] = rdtsc() - start;
    }
    empty = median(sample, RUNS);
    print("reading the TSC twice: %llu", (unsigned long long)empty);
    bench_exits();
    bench_domains();
    bench_events();
    WRITE_ONCE(peer.page->words[0], 1);
    port_send(peer.port);
    peer_part(&peer);
}

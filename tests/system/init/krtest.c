/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test guest asks of its virtual CPUs, time and memory; started by tests/system/init/init.
 *   krtest domain   prints the domain id (CPUID 0x40000004, <xen/arch-x86/cpuid.h>), -1 without one
 *   krtest spin S   keeps every CPU busy for S seconds
 *   krtest time     no CPU sees a clock behind what another one has seen; a second takes a second
 *   krtest smp      every CPU counts, and hands a token round a ring of CPUs (wake-ups across CPUs)
 *   krtest mem      half of the free memory keeps what is written into it
 * A failure prints its reason and exits 1.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS 64

static int cpus;

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;

    if (clock_gettime(clock, &t) != 0)
        fail("clock %d: %s", clock, strerror(errno));
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        fail("CPU %d: %s", cpu, strerror(errno));
    if (sched_getcpu() != cpu)
        fail("pinned to CPU %d, runs on %d", cpu, sched_getcpu());
}

/* Runs f(cpu) on every CPU at once. */
static void on_all_cpus(void *(*f)(void *))
{
    pthread_t thread[MAX_CPUS];

    for (intptr_t i = 0; i < cpus; i++)
        if (pthread_create(&thread[i], NULL, f, (void *)i) != 0)
            fail("no thread for CPU %d", (int)i);
    for (int i = 0; i < cpus; i++)
        pthread_join(thread[i], NULL);
}

static int domain(void)
{
    unsigned int a, b, c, d;

    __cpuid(0x40000000, a, b, c, d);
    if (b != 0x566e6558 || a < 0x40000004) /* "XenV" */
        return -1;
    __cpuid_count(0x40000004, 0, a, b, c, d);
    return a & (1u << 4) ? (int)c : -1;
}

static int64_t spin_until;

static void *spin_on(void *arg)
{
    pin((int)(intptr_t)arg);
    while (now_ns(CLOCK_MONOTONIC) < spin_until)
        ;
    return NULL;
}

static pthread_mutex_t time_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t time_seen, time_end;

#define TIME_READS 10 /* at least, on each CPU */

static void *time_on(void *arg)
{
    int64_t t = 0;

    pin((int)(intptr_t)arg);
    for (int i = 0; i < TIME_READS || t < time_end; i++) {
        pthread_mutex_lock(&time_lock);
        t = now_ns(CLOCK_MONOTONIC);
        if (t < time_seen)
            fail("CPU %d is %lld ns behind what was seen before", (int)(intptr_t)arg,
                 (long long)(time_seen - t));
        time_seen = t;
        pthread_mutex_unlock(&time_lock);
    }
    return NULL;
}

/* Wall clock less monotonic clock; of many looks the one that was interrupted least. */
static int64_t wall_offset(void)
{
    int64_t least = INT64_MAX, offset = 0;

    for (int i = 0; i < 100; i++) {
        int64_t before = now_ns(CLOCK_MONOTONIC), wall = now_ns(CLOCK_REALTIME);
        int64_t took = now_ns(CLOCK_MONOTONIC) - before;

        if (took < least) {
            least = took;
            offset = wall - before;
        }
    }
    return offset;
}

static void time_test(void)
{
    struct timespec second = {1, 0};
    int64_t mono, offset, slept, drift;

    time_end = now_ns(CLOCK_MONOTONIC) + 2000000000ll;
    on_all_cpus(time_on);
    offset = wall_offset();
    mono = now_ns(CLOCK_MONOTONIC);
    nanosleep(&second, NULL);
    slept = now_ns(CLOCK_MONOTONIC) - mono;
    drift = wall_offset() - offset;
    if (slept < 1000000000ll || slept > 10000000000ll)
        fail("a second of sleep took %lld us", (long long)(slept / 1000));
    if (llabs(drift) > 50000000ll)
        fail("clocks differ by %lld us in a second", (long long)(drift / 1000));
    if (mono + offset < 1704067200ll * 1000000000ll) /* 2024-01-01: no machine here is older */
        fail("the wall clock says %lld", (long long)((mono + offset) / 1000000000ll));
}

#define SMP_ROUNDS 200
#define SMP_WORK   100000

static int ring[MAX_CPUS][2];
static atomic_long smp_sum;

static void *smp_on(void *arg)
{
    int cpu = (int)(intptr_t)arg;
    int token;

    pin(cpu);
    for (int i = 0; i < SMP_WORK; i++)
        atomic_fetch_add(&smp_sum, 1);
    for (int round = 0; round < SMP_ROUNDS; round++) {
        if (read(ring[cpu][0], &token, sizeof(token)) != sizeof(token) ||
            token != round * cpus + cpu)
            fail("CPU %d round %d: token %d", cpu, round, token);
        token++;
        if (write(ring[(cpu + 1) % cpus][1], &token, sizeof(token)) != sizeof(token))
            fail("CPU %d round %d: %s", cpu, round, strerror(errno));
        if (sched_getcpu() != cpu)
            fail("CPU %d became %d", cpu, sched_getcpu());
    }
    return NULL;
}

static void smp_test(void)
{
    int token = 0;

    for (int i = 0; i < cpus; i++)
        if (pipe(ring[i]) != 0)
            fail("pipe: %s", strerror(errno));
    if (write(ring[0][1], &token, sizeof(token)) != sizeof(token))
        fail("write: %s", strerror(errno));
    on_all_cpus(smp_on);
    if (smp_sum != (long)cpus * SMP_WORK)
        fail("counted %ld of %ld", smp_sum, (long)cpus * SMP_WORK);
}

static void mem_test(void)
{
    struct sysinfo info;
    size_t words;
    uint64_t *p;

    sysinfo(&info);
    words = info.freeram * info.mem_unit / 2 / sizeof(*p);
    p = malloc(words * sizeof(*p));
    if (p == NULL)
        fail("no memory for %zu words", words);
    for (uint64_t turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < words; i++)
            p[i] = (i * 0x9e3779b97f4a7c15ull) ^ -turn;
        for (size_t i = 0; i < words; i++)
            if (p[i] != ((i * 0x9e3779b97f4a7c15ull) ^ -turn))
                fail("word %zu of %zu is %llx", i, words, (unsigned long long)p[i]);
    }
    printf("%zu MiB", words * sizeof(*p) >> 20);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus < 1 || cpus > MAX_CPUS)
        fail("%d CPUs", cpus);
    if (strcmp(what, "domain") == 0) {
        printf("%d\n", domain());
    } else if (strcmp(what, "spin") == 0) {
        spin_until = now_ns(CLOCK_MONOTONIC) + (argc > 2 ? atoll(argv[2]) : 1) * 1000000000ll;
        on_all_cpus(spin_on);
    } else if (strcmp(what, "time") == 0) {
        time_test();
    } else if (strcmp(what, "smp") == 0) {
        smp_test();
    } else if (strcmp(what, "mem") == 0) {
        mem_test();
    } else {
        fail("krtest: unknown '%s'", what);
    }
    return 0;
}

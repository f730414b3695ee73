/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of a test guest: a small PVH kernel per folder that checks one part of the interface
 * from the inside and prints one verdict line, `TEST <name>: SUCCESS|SKIP|ERROR|FAILURE <reason>`,
 * before it powers itself off. A test's main.c holds GUEST_MAIN followed by a block; its head
 * comment says which property it defends and how to run it, in lines that tests/system reads:
 *
 *     LINK: address it is linked at (1 MiB if not given; names ending in 32 are 32-bit guests)
 *     RUN: memory= vcpus= and other keys -- command line. Several lines are several tests
 *     BESIDE: another guest that must succeed meanwhile
 *     PEER: command lines of two of it that meet, as domains 1 and 2, with | between
 *     EXACT: words put first for a run on an exact clock (QEMU -icount), nobody 100 ms late
 *     END: poweroff (if not given), reboot, crash, or any
 */
#ifndef GUEST_H
#define GUEST_H

#include "abi/xen.h"
#include "cpu.h"
#include "hcall.h"
#include "lib/types.h"
#include "trap.h"

#define MAX_CPUS   8
#define STACK_SIZE 16384UL

/* One per vCPU, at the low end of its stack; the stack is STACK_SIZE bytes and aligned to that. */
struct cpu {
    unsigned int id; /* vCPU number */
    uint32_t apic_id;
    uint64_t unexpected;         /* interrupts without a handler */
    uint64_t count[256];         /* interrupts and unprobed exceptions by vector */
    struct vcpu_info *vcpu_info; /* the one in use; set by events_init */
};

static inline struct cpu *this_cpu(void)
{
    unsigned long sp;
    __asm__ volatile("mov %%" STACK_REG ", %0" : "=r"(sp));
    return (struct cpu *)(sp & ~(STACK_SIZE - 1));
}

extern const char guest_name[];
void guest_main(void);
#define GUEST_MAIN                          \
    const char guest_name[] = GUEST_FOLDER; \
    void guest_main(void)

extern char guest_image_start[], guest_image_end[];
extern struct hvm_start_info start_info; /* a copy */

/*
 * Parameters of the command line, `name=value` or `name`. param_num takes decimal, 0x and the
 * suffixes K, M, G. on_xen: `hv=xen` was given, the comparison run under Debian's Xen.
 */
const char *param(const char *name); /* value up to the next space in a static buffer, or NULL */
bool param_is(const char *name, const char *value);
uint64_t param_num(const char *name, uint64_t otherwise);
extern bool on_xen;

/*
 * One line is sent whole; longer ones are cut at 240 characters. The way is the PV console ring, or
 * console_io, or port 0xE9, whichever works first; console_use forces one.
 */
enum console { CONSOLE_AUTO, CONSOLE_RING, CONSOLE_IO, CONSOLE_E9 };
void console_use(enum console way);
void print(const char *fmt, ...) printf_like(1, 2);
void console_write(const char *s, size_t n);
int text_format(char *buf, int size, const char *fmt, ...) printf_like(3, 4);

/* Records a failed check and goes on; the first one becomes the reason in the verdict. */
void fail(const char *fmt, ...) printf_like(1, 2);
extern unsigned int fail_count, check_count;
#define CHECK(cond, ...)          \
    do {                          \
        check_count++;            \
        if (!(cond))              \
            fail("" __VA_ARGS__); \
    } while (0)
/* For numbers: prints the expression, what it gave and what was wanted. */
#define EXPECT(expr, want)                                                      \
    do {                                                                        \
        long long e_ = (long long)(expr), w_ = (long long)(want);               \
        check_count++;                                                          \
        if (e_ != w_)                                                           \
            fail("line %d: %s = %lld (0x%llx), want %lld", __LINE__, #expr, e_, \
                 (unsigned long long)e_, w_);                                   \
    } while (0)

/* They print the verdict and power off. Without one, the end of guest_main is the verdict. */
noreturn_fn void test_skip(const char *fmt, ...) printf_like(1, 2);
noreturn_fn void test_error(const char *fmt, ...) printf_like(1, 2);
noreturn_fn void test_end(void);
noreturn_fn void shutdown(unsigned int reason);

/* ------------------------------------------------------------------ time, time.c */
struct shared_info *shared_info_map(void); /* maps the page on first use */
uint64_t now_ns(void);                     /* pvclock of the calling vCPU */
uint64_t pvclock_read(const struct vcpu_time_info *t);
uint32_t tsc_khz(void);
void delay_us(uint64_t us); /* spins */
/* Spins until *p has the value or so many microseconds have passed; true if it has. */
bool wait_until(const volatile unsigned int *p, unsigned int value, uint64_t us);

/* ------------------------------------------------------------------ vCPUs, smp.c, 64-bit only */
unsigned int cpu_count(void); /* by VCPUOP_is_up */
/* INIT, SIPI, SIPI; runs fn(arg) on that vCPU, which then halts. False: did not answer in 2 s. */
bool cpu_start(unsigned int id, void (*fn)(void *), void *arg);
bool cpu_done(unsigned int id);
struct cpu *cpu_get(unsigned int id);

/* ------------------------------------------------------------------ other modes, 64-bit only */
unsigned long user_call(unsigned long (*fn)(unsigned long), unsigned long arg); /* at CPL 3 */
uint32_t compat_call(uint32_t code, uint32_t arg); /* 32-bit code of long mode; ends with lret */

#endif

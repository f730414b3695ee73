/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defends: an instruction that touches an emulated page does what the CPU would have done, in every
 * form that compilers and old code use: sizes, extensions, addressing, read-modify-write, string
 * instructions, flags; and memory with nothing behind it reads as all ones and swallows writes. The
 * scratch register is the APIC timer's initial count with the timer masked.
 *
 * RUN: memory=32M vcpus=1
 */
#include "apic.h"
#include "guest.h"

#define REG  (APIC_PAGE + APIC_TIMER_INITIAL)
#define HOLE 0xe0000000ul

static volatile uint32_t *const reg = (volatile uint32_t *)REG;
static uint32_t buffer[64] aligned_to(64);

/* The form `insn` with the register's address in rbx, the value in ax, gives the register `want`.
 */
#define WRITES(insn, value, want)                                                               \
    do {                                                                                        \
        uint64_t a_ = (value);                                                                  \
        *reg = 0x11223344;                                                                      \
        __asm__ volatile(insn : "+a"(a_) : "b"(REG), "c"(4ul), "d"(0x5566ul) : "memory", "cc"); \
        uint32_t got_ = *reg;                                                                   \
        CHECK(got_ == (uint32_t)(want), "'%s' left %x, want %x", insn, got_, (uint32_t)(want)); \
    } while (0)

/* The form `insn` reads the register, which holds 0x8899aabb, and leaves `want` in rax. */
#define READS(insn, before, want)                                                                \
    do {                                                                                         \
        uint64_t a_ = (before);                                                                  \
        *reg = 0x8899aabb;                                                                       \
        __asm__ volatile(insn : "+a"(a_) : "b"(REG), "c"(4ul), "d"(0x5566ul) : "memory", "cc");  \
        CHECK(a_ == (uint64_t)(want), "'%s' gave %llx, want %llx", insn, (unsigned long long)a_, \
              (unsigned long long)(want));                                                       \
        EXPECT(*reg, 0x8899aabb);                                                                \
    } while (0)

static void check_reads(void)
{
    READS("mov (%%rbx), %%eax", ~0ull, 0x8899aabb);
    READS("mov (%%rbx), %%ax", 0x1111111111111111, 0x111111111111aabb);
    READS("mov (%%rbx), %%al", 0x1111111111111111, 0x11111111111111bb);
    READS("mov 1(%%rbx), %%ah", 0, 0xaa00);
    READS("mov 3(%%rbx), %%al", 0, 0x88);
    READS("movzbl (%%rbx), %%eax", ~0ull, 0xbb);
    READS("movzwl (%%rbx), %%eax", ~0ull, 0xaabb);
    READS("movsbl (%%rbx), %%eax", 0, 0xffffffbb);
    READS("movsbq (%%rbx), %%rax", 0, 0xffffffffffffffbb);
    READS("movswl (%%rbx), %%eax", 0, 0xffffaabb);
    READS("movslq (%%rbx), %%rax", 0, 0xffffffff8899aabb);
    READS("movzwl 2(%%rbx), %%eax", 0, 0x8899);
    READS("mov -4(%%rbx,%%rcx,1), %%eax", 0, 0x8899aabb);
    READS("mov -0x20(%%rbx,%%rcx,8), %%eax", 0, 0x8899aabb);
    READS("mov 0xfee00380, %%eax", 0, 0x8899aabb); /* SIB without base */
    READS("addr32 mov (%%ebx), %%eax", 0, 0x8899aabb);
    READS("movabs 0xfee00380, %%eax", 0, 0x8899aabb); /* moffs64 */
    READS("addl $1, %%eax\n add (%%rbx), %%eax", 1, 0x8899aabd);
    READS("sub (%%rbx), %%eax", 0x8899aabc, 1);
    READS("and (%%rbx), %%eax", 0xff, 0xbb);
    READS("or (%%rbx), %%eax", 0x44, 0x8899aaff);
    READS("xor (%%rbx), %%eax", 0x8899aabb, 0);
    READS("cmp %%eax, (%%rbx)\n sete %%al", 0x8899aabb, 0x8899aa01);
    READS("cmp (%%rbx), %%eax\n setb %%al", 0x11111111, 0x11111101);
    READS("cmpl $0x8899aabb, (%%rbx)\n sete %%al", 0, 1);
    READS("cmpb $-0x45, (%%rbx)\n sete %%al", 0, 1);
    READS("test %%eax, (%%rbx)\n setz %%al", 0x44, 1);
    READS("testl $0x80000000, (%%rbx)\n setnz %%al", 0, 1);
    READS("btl $31, (%%rbx)\n setc %%al", 0, 1);
    READS("mov %%rbx, %%rsi\n lodsl", 0, 0x8899aabb);
}

static void check_writes(void)
{
    WRITES("mov %%eax, (%%rbx)", 0xcafe0001, 0xcafe0001);
    WRITES("movl $0x12345678, (%%rbx)", 0, 0x12345678);
    WRITES("mov %%eax, 0xfee00380", 0xcafe0002, 0xcafe0002);
    WRITES("movabs %%eax, 0xfee00380", 0xcafe0003, 0xcafe0003);
    WRITES("add %%eax, (%%rbx)", 1, 0x11223345);
    WRITES("addl $0x10, (%%rbx)", 0, 0x11223354);
    WRITES("stc\n adcl $0, (%%rbx)", 0, 0x11223345);
    WRITES("sub %%eax, (%%rbx)", 0x44, 0x11223300);
    WRITES("stc\n sbbl $0, (%%rbx)", 0, 0x11223343);
    WRITES("and %%eax, (%%rbx)", 0xffff, 0x3344);
    WRITES("andl $0xff, (%%rbx)", 0, 0x44);
    WRITES("or %%eax, (%%rbx)", 0x88, 0x112233cc);
    WRITES("orl $0x80000000, (%%rbx)", 0, 0x91223344);
    WRITES("xor %%eax, (%%rbx)", 0x11223344, 0);
    WRITES("lock orl $1, (%%rbx)", 0, 0x11223345);
    WRITES("incl (%%rbx)", 0, 0x11223345);
    WRITES("decl (%%rbx)", 0, 0x11223343);
    WRITES("notl (%%rbx)", 0, 0xeeddccbb);
    WRITES("negl (%%rbx)", 0, 0xeeddccbc);
    WRITES("btsl $0, (%%rbx)", 0, 0x11223345);
    WRITES("btrl $2, (%%rbx)", 0, 0x11223340);
    WRITES("btcl $31, (%%rbx)", 0, 0x91223344);
    WRITES("xchg %%eax, (%%rbx)", 0xabcd, 0xabcd);
    WRITES("cmpxchg %%edx, (%%rbx)", 0x11223344, 0x5566);
    WRITES("cmpxchg %%edx, (%%rbx)", 0x11223345, 0x11223344);
    WRITES("lock xadd %%eax, (%%rbx)", 2, 0x11223346);
    WRITES("mov %%rbx, %%rdi\n stosl", 0x7777, 0x7777);
}

/* What comes back in registers from exchanges, and flags from arithmetic. */
static void check_results(void)
{
    uint32_t a = 5;
    uint8_t carry, zero;
    *reg = 0x1000;
    __asm__ volatile("xchg %0, (%1)" : "+r"(a) : "r"(reg) : "memory");
    EXPECT(a, 0x1000);
    a = 7;
    __asm__ volatile("lock xadd %0, (%1)" : "+r"(a) : "r"(reg) : "memory");
    EXPECT(a, 5);
    EXPECT(*reg, 12);
    *reg = 0xffffffff;
    __asm__ volatile("addl $1, (%2)\n setc %0\n setz %1"
                     : "=q"(carry), "=q"(zero)
                     : "r"(reg)
                     : "memory", "cc");
    EXPECT(carry, 1);
    EXPECT(zero, 1);
    *reg = 0x7fffffff;
    __asm__ volatile("incl (%1)\n seto %0" : "=q"(carry) : "r"(reg) : "memory", "cc");
    EXPECT(carry, 1);
}

static void check_strings(void)
{
    void *to = buffer;
    const void *from = (const void *)REG;
    unsigned long n = 3;
    memset(buffer, 0, sizeof(buffer));
    *reg = 0x600d;
    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(n)::"memory");
    EXPECT(buffer[0], 0x600d);
    EXPECT((unsigned long)to - (unsigned long)buffer, 12);
    EXPECT((unsigned long)from - REG, 12);
    EXPECT(n, 0);
    buffer[1] = 0x600e;
    to = (void *)REG;
    from = &buffer[1];
    __asm__ volatile("movsl" : "+D"(to), "+S"(from)::"memory");
    EXPECT(*reg, 0x600e);
    n = 0;
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(n) : "a"(1) : "memory"); /* nothing */
    EXPECT((unsigned long)to - REG, 4);
    to = (void *)(HOLE + 64);
    n = 8;
    __asm__ volatile("std\n rep stosl\n cld" : "+D"(to), "+c"(n) : "a"(1) : "memory");
    EXPECT((unsigned long)to, HOLE + 32);
    to = buffer;
    from = (const void *)HOLE;
    n = 4;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n)::"memory");
    EXPECT(buffer[0], 0xffffffff);
    EXPECT(buffer[7], 0xffffffff);
}

static void check_hole(void)
{
    volatile uint64_t *hole = (volatile uint64_t *)HOLE;
    EXPECT(*hole, -1);
    EXPECT(*(volatile uint8_t *)HOLE, 0xff);
    EXPECT(*(volatile uint16_t *)(HOLE + 1), 0xffff);
    EXPECT(*(volatile uint32_t *)(HOLE + PAGE_SIZE - 2), 0xffffffff); /* two pages */
    *hole = 1;
    *(volatile uint8_t *)HOLE = 1;
    EXPECT(*hole, -1);
    __asm__ volatile("lock incl (%0)" ::"r"(hole) : "memory", "cc");
    EXPECT(*hole, -1);
}

GUEST_MAIN
{
    apic_enable();
    apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
    check_reads();
    check_writes();
    check_results();
    check_strings();
    check_hole();
    *reg = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions and interrupts in C. AMD APM vol. 2 ch. 8. */
#include "arch/x86/cpu/trap.h"
#include "arch/x86/cpu/features.h"
#include "core/pcpu.h"
#include "core/printk.h"

struct ex_entry {
    int32_t at, go_on; /* each relative to its own address */
};
extern const struct ex_entry __start_ex_table[], __stop_ex_table[];

/* The compiler's stack protector; head.S sets the value. */
extern uintptr_t __stack_chk_guard;
void noreturn_fn __stack_chk_fail(void);

uintptr_t __stack_chk_guard;
void (*irq_end)(void);
bool trap_stopping, trap_reporting;

static void (*irq_handler[256])(void);
static uint8_t irq_next = VECTOR_DEVICE_FIRST;

void irq_handler_set(uint8_t vector, void (*fn)(void))
{
    irq_handler[vector] = fn;
}

uint8_t irq_vector_alloc(void)
{
    return irq_next <= VECTOR_DEVICE_LAST ? irq_next++ : 0;
}

static uint64_t ex_target(const int32_t *offset)
{
    return (uint64_t)offset + (uint64_t)(int64_t)*offset;
}

/* True when the faulting instruction has somewhere to go on. */
static bool ex_fixup(struct trap_frame *f)
{
    const size_t count =
        ((uintptr_t)__stop_ex_table - (uintptr_t)__start_ex_table) / sizeof(struct ex_entry);

    for (size_t i = 0; i < count; i++) {
        const struct ex_entry *e = &__start_ex_table[i];

        if (ex_target(&e->at) == f->rip) {
            f->rip = ex_target(&e->go_on);
            return true;
        }
    }
    return false;
}

static const char *trap_name(uint64_t vector)
{
    static const char *const name[] = {
        "divide error",
        "debug",
        "NMI",
        "breakpoint",
        "overflow",
        "bound range",
        "invalid opcode",
        "device not available",
        "double fault",
        "vector 9",
        "invalid TSS",
        "segment not present",
        "stack fault",
        "general protection",
        "page fault",
        "vector 15",
        "x87 error",
        "alignment check",
        "machine check",
        "SIMD error",
        "virtualization",
        "control protection",
    };

    return vector < ARRAY_SIZE(name) ? name[vector] : "reserved exception";
}

static void noreturn_fn trap_panic(const struct trap_frame *f)
{
    WRITE_ONCE(trap_reporting, true);
    log_err("%s on CPU %u: rip %#lx error %#lx cr2 %#lx", trap_name(f->vector), this_cpu()->id,
            f->rip, f->error, cr2_read());
    log_err("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_err("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    log_err("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    log_err("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    log_err("rflags %08lx cs %04lx ss %04lx cr0 %08lx cr3 %012lx cr4 %08lx", f->rflags, f->cs,
            f->ss, cr0_read(), cr3_read(), cr4_read());
    backtrace_print(f->rip, (const uint64_t *)f->rbp);
    panic("%s at %#lx", trap_name(f->vector), f->rip);
}

static void noreturn_fn cpu_stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void trap_handle(struct trap_frame *f)
{
    if (f->vector >= 32) {
        void (*fn)(void) = irq_handler[f->vector];

        if (fn)
            fn();
        if (f->vector != VECTOR_SPURIOUS && irq_end)
            irq_end();
        return;
    }
    if (f->vector == TRAP_NMI && READ_ONCE(trap_stopping))
        cpu_stop();
    if (f->vector == TRAP_GP && ex_fixup(f))
        return;
    trap_panic(f);
}

void __stack_chk_fail(void)
{
    panic("stack overwritten");
}

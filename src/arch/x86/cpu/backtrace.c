/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backtraces by frame pointers. Every step checks that the next frame lies in this CPU's stacks,
 * above the last one, so that a damaged stack ends the walk and faults nowhere.
 */
#include "arch/x86/cpu/trap.h"
#include "arch/x86/cpu/layout.h"
#include "core/printk.h"
#include "core/symbol.h"
#include "port/cpu.h"

#define MAX_FRAMES 24u

extern const char image_start[], text_end[];
extern const uint32_t symbol_count, symbol_offsets[], symbol_names[];
extern const char symbol_text[];
extern char boot_stack[];

static bool address_in_text(uint64_t rip)
{
    return rip >= (uint64_t)image_start && rip < (uint64_t)text_end;
}

static bool frame_plausible(uint64_t at)
{
    uint64_t page = (at - PCPU_VIRT) / PAGE_SIZE;

    if (at & 7)
        return false;
    if (at >= (uint64_t)boot_stack && at <= (uint64_t)boot_stack + 16384 - 16)
        return true; /* before the boot CPU has its own */
    return at >= PCPU_VIRT && page >= PCPU_STACK_FIRST &&
           page < PCPU_STACK_FIRST + PCPU_STACKS * PCPU_STACK_STEP &&
           (page - PCPU_STACK_FIRST) % PCPU_STACK_STEP < PCPU_STACK_PAGES &&
           (at & (PAGE_SIZE - 1)) <= PAGE_SIZE - 16;
}

static void line_print(uint64_t rip)
{
    const struct symbol_table t = {symbol_count, symbol_offsets, symbol_names, symbol_text};
    uint32_t inside = 0;
    const char *name = NULL;

    if (address_in_text(rip))
        name = symbol_find(&t, (uint32_t)(rip - (uint64_t)image_start), &inside);
    if (name)
        log_err("  %016lx %s+%#x", rip, name, inside);
    else
        log_err("  %016lx ?", rip);
}

void backtrace_print(uint64_t rip, const uint64_t *rbp)
{
    log_err("backtrace:");
    line_print(rip);
    for (unsigned int i = 0; i < MAX_FRAMES && frame_plausible((uint64_t)rbp); i++) {
        const uint64_t *next = (const uint64_t *)rbp[0];

        if (!address_in_text(rbp[1]))
            break;
        line_print(rbp[1] - 1); /* the call, not what follows it */
        if (next <= rbp)
            break;
        rbp = next;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the entry code to guest_main: copies of start_info and command line, the hypercall
 * instruction that this CPU understands, exceptions; and how a guest ends.
 */
#include "guest.h"

extern uint8_t hypercall_insn[];
extern const uint32_t entry_ebx;
struct hvm_start_info start_info;
static char cmdline[1024];
bool on_xen;

void *(memcpy)(void *restrict dst, const void *restrict src, size_t n)
{
    void *d = dst;
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n)::"memory");
    return dst;
}

void *(memset)(void *dst, int c, size_t n)
{
    void *d = dst;
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return dst;
}

int(memcmp)(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

const char *param(const char *name)
{
    static char value[128];
    size_t n = strlen(name);
    for (const char *s = cmdline; *s; s++) {
        bool first = s == cmdline || s[-1] == ' ';
        if (!first || memcmp(s, name, n) || (s[n] != '=' && s[n] != ' ' && s[n] != 0))
            continue;
        s += n + (s[n] == '=');
        size_t i = 0;
        for (; s[i] && s[i] != ' ' && i < sizeof(value) - 1; i++)
            value[i] = s[i];
        value[i] = 0;
        return value;
    }
    return NULL;
}

bool param_is(const char *name, const char *value)
{
    const char *have = param(name);
    return have && strlen(have) == strlen(value) && !memcmp(have, value, strlen(value));
}

uint64_t param_num(const char *name, uint64_t otherwise)
{
    const char *s = param(name);
    if (!s || !*s)
        return otherwise;
    unsigned int base = s[0] == '0' && s[1] == 'x' ? 16 : 10;
    uint64_t v = 0;
    for (s += base == 16 ? 2 : 0; *s; s++) {
        char c = *s;
        if (c >= '0' && c <= '9')
            v = v * base + (uint64_t)(c - '0');
        else if (base == 16 && c >= 'a' && c <= 'f')
            v = v * base + (uint64_t)(c - 'a' + 10);
        else
            break;
    }
    return v << (*s == 'K' ? 10 : *s == 'M' ? 20 : *s == 'G' ? 30 : 0);
}

noreturn_fn void shutdown(unsigned int reason)
{
    struct sched_shutdown s = {.reason = reason};
    sched_op(SCHEDOP_shutdown, &s);
    for (;;) { /* refused: the other way out */
        cli();
        __asm__ volatile("hlt");
    }
}

noreturn_fn void guest_start(void);
noreturn_fn void guest_start(void)
{
    const struct hvm_start_info *info = (const void *)(unsigned long)entry_ebx;
    start_info = *info;
    const char *line = (const char *)(unsigned long)info->cmdline_paddr;
    for (size_t i = 0; line && i < sizeof(cmdline) - 1 && line[i]; i++)
        cmdline[i] = line[i];
    on_xen = param_is("hv", "xen");
    if (cpuid(0, 0).c == 0x6c65746e) { /* "ntel": VMCALL */
        hypercall_insn[2] = 0xc1;
        barrier();
    }
    trap_init();
    guest_main();
    test_end();
}

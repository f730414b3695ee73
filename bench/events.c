/* SPDX-License-Identifier: Apache-2.0 */
/* Events to self with their upcall, IPIs to self, a timer slept for. */
#include "bench.h"

#define CALLBACK 0x40
#define VECTOR   0x50
#define SLEEPS   21

/* The shortest handlers there can be: what is measured is not this guest's C. */
uint32_t bench_upcalls, bench_vectors;
struct vcpu_info *bench_info;
void bench_callback(void);
void bench_vector(void);
void bench_vector_x2(void);
__asm__(".pushsection .text\n"
        "bench_callback:\n"
        "incl bench_upcalls\n"
        "push %rax\n"
        "mov bench_info, %rax\n"
        "movb $0, (%rax)\n"  /* evtchn_upcall_pending */
        "movq $0, 8(%rax)\n" /* evtchn_pending_sel */
        "pop %rax\n"
        "iretq\n"
        "bench_vector:\n"
        "incl bench_vectors\n"
        "push %rax\n"
        "mov $0xfee000b0, %eax\n"
        "movl $0, (%rax)\n" /* EOI */
        "pop %rax\n"
        "iretq\n"
        "bench_vector_x2:\n"
        "incl bench_vectors\n"
        "push %rax\n"
        "push %rcx\n"
        "push %rdx\n"
        "mov $0x80b, %ecx\n"
        "xor %eax, %eax\n"
        "xor %edx, %edx\n"
        "wrmsr\n"
        "pop %rdx\n"
        "pop %rcx\n"
        "pop %rax\n"
        "iretq\n"
        ".popsection\n");

static evtchn_port_t port;

static void wait_upcall(uint32_t before)
{
    while (READ_ONCE(bench_upcalls) == before)
        ;
}

static void event_two(void)
{
    uint32_t before = bench_upcalls;
    port_send(port);
    wait_upcall(before);
    two_clear(port);
}

static void event_fifo(void)
{
    uint32_t before = bench_upcalls;
    port_send(port);
    wait_upcall(before);
    fifo_control(0)->ready = 0;
    *fifo_word(port) = 0; /* taken off: neither pending nor linked */
}

static void ipi_mmio(void)
{
    uint32_t before = bench_vectors;
    *(volatile uint32_t *)(APIC_PAGE + APIC_ICR) = ICR_SELF | ICR_ASSERT | VECTOR;
    while (READ_ONCE(bench_vectors) == before)
        ;
}

static void ipi_x2(void)
{
    uint32_t before = bench_vectors;
    wrmsr(0x830, ICR_SELF | ICR_ASSERT | VECTOR);
    while (READ_ONCE(bench_vectors) == before)
        ;
}

/* How long after the deadline the instruction after HLT runs, the handler included. */
static void timer(void)
{
    uint64_t late[SLEEPS];
    evtchn_port_t tick = (evtchn_port_t)port_virq(VIRQ_TIMER, 0);
    for (unsigned int i = 0; i < SLEEPS; i++) {
        struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = now_ns() + 1000000};
        uint32_t before = bench_upcalls;
        cli();
        vcpu_op(VCPUOP_set_singleshot_timer, 0, &t);
        while (READ_ONCE(bench_upcalls) == before)
            sti_hlt_cli();
        late[i] = now_ns() - t.timeout_abs_ns;
        two_clear(tick);
    }
    sti();
    bench_report("timer-hlt-late", bench_median(late, SLEEPS), 2500, 0);
    port_close(tick);
}

/* What came before: a selector bit left set would keep the next upcall away. */
static void forget_upcalls(void)
{
    bench_info->evtchn_pending_sel = 0;
    bench_info->evtchn_upcall_pending = 0;
}

void bench_events(void)
{
    uint64_t console = 0;
    bench_info = vcpu_info_of(0);
    if (!hvm_param_get(HVM_PARAM_CONSOLE_EVTCHN, &console) && console)
        two_mask((evtchn_port_t)console, true);
    idt_set(CALLBACK, (unsigned long)bench_callback, 0);
    idt_set(VECTOR, (unsigned long)bench_vector, 0);
    apic_enable();
    callback_vector_set(CALLBACK);
    port = (evtchn_port_t)port_ipi(0);
    forget_upcalls();
    sti();
    bench_run("event-self-2level", event_two, 1200, 10937);
    timer();
    bench_run("ipi-self-mmio", ipi_mmio, 1100, 0);

    cli();
    fifo_init(0);
    fifo_expand();
    *fifo_word(port) = 0;
    forget_upcalls();
    sti();
    bench_run("event-self-fifo", event_fifo, 1400, 0);

    cli();
    if (!(cpuid(1, 0).c >> 21 & 1))
        return;
    idt_set(VECTOR, (unsigned long)bench_vector_x2, 0);
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
    sti();
    bench_run("ipi-self-x2apic", ipi_x2, 1100, 0);
    cli();
}

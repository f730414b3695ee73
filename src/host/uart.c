/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 16550 driver. The output ring belongs to the console lock's holder; the input ring has one
 * writer (the interrupt handler) and one reader.
 */
#include "host/uart.h"
#include "arch/x86/cpu/io.h"
#include "core/clock.h"
#include "core/pcpu.h"

#define REG_DATA         0 /* divisor low byte while LCR_DIVISOR */
#define REG_IER          1 /* divisor high byte while LCR_DIVISOR */
#define REG_IIR          2 /* read */
#define REG_FCR          2 /* write */
#define REG_LCR          3
#define REG_MCR          4
#define REG_LSR          5
#define REG_MSR          6

#define IER_INPUT        0x01
#define IER_OUTPUT       0x02
#define IIR_NONE         0x01
#define IIR_FIFO         0xc0
#define FCR_ENABLE_CLEAR 0x07
#define LCR_DIVISOR      0x80
#define MCR_ON           0x0b /* DTR, RTS, OUT2: the interrupt gate of a PC */
#define MCR_LOOP         0x1a /* loop back, OUT2, RTS */
#define LSR_INPUT        0x01
#define LSR_ROOM         0x20
#define LSR_GONE         0xff
#define FIFO_DEPTH       16u

#define OUT_SIZE         16384u
#define IN_SIZE          1024u

static uint16_t port; /* 0: no serial console */
static uint8_t irq;
static uint8_t ier;
static unsigned int fifo = 1;
static char out_ring[OUT_SIZE];
static uint32_t out_head, out_tail; /* free running: written, sent */
static uint8_t in_ring[IN_SIZE];
static uint32_t in_head, in_tail;

static uint8_t reg_read(unsigned int reg)
{
    return in8((uint16_t)(port + reg));
}

static void reg_write(unsigned int reg, unsigned int v)
{
    out8((uint16_t)(port + reg), (uint8_t)v);
}

/* With loop-back on, RTS and OUT2 come back as CTS and DCD. */
static bool answers(void)
{
    uint8_t mcr = reg_read(REG_MCR), back;

    if (reg_read(REG_LSR) == LSR_GONE)
        return false;
    reg_write(REG_MCR, MCR_LOOP);
    back = reg_read(REG_MSR) & 0xf0;
    reg_write(REG_MCR, mcr);
    return back == 0x90;
}

bool uart_init(const struct uart_config *c)
{
    port = c->port;
    irq = c->irq;
    if (!answers()) {
        port = 0;
        return false;
    }
    reg_write(REG_IER, 0);
    if (c->baud) {
        uint32_t divisor = 115200 / c->baud;

        reg_write(REG_LCR, LCR_DIVISOR);
        reg_write(REG_DATA, divisor & 0xff);
        reg_write(REG_IER, divisor >> 8);
    }
    reg_write(REG_LCR, c->line);
    reg_write(REG_FCR, FCR_ENABLE_CLEAR);
    reg_write(REG_MCR, MCR_ON);
    if ((reg_read(REG_IIR) & IIR_FIFO) == IIR_FIFO)
        fifo = FIFO_DEPTH;
    return true;
}

static void ier_set(uint8_t v)
{
    if (irq && v != ier) {
        ier = v;
        reg_write(REG_IER, v);
    }
}

static void input_take(void)
{
    for (unsigned int i = 0; i < 64 && (reg_read(REG_LSR) & LSR_INPUT); i++) {
        uint8_t c = reg_read(REG_DATA);

        if (in_head - READ_ONCE(in_tail) < IN_SIZE) {
            in_ring[in_head % IN_SIZE] = c;
            smp_wmb();
            WRITE_ONCE(in_head, in_head + 1);
        }
    }
}

static void uart_interrupt(void)
{
    /* Reading IIR takes back a transmitter interrupt; an edge-triggered line must fall once. */
    for (unsigned int i = 0; i < 16 && !(reg_read(REG_IIR) & IIR_NONE); i++)
        input_take();
    pcpu_raise(this_cpu()->id, WORK_CONSOLE);
}

void uart_drain(void)
{
    if (!port)
        return;
    while (out_tail != out_head && (reg_read(REG_LSR) & LSR_ROOM))
        for (unsigned int i = 0; i < fifo && out_tail != out_head; i++)
            reg_write(REG_DATA, (uint8_t)out_ring[out_tail++ % OUT_SIZE]);
    ier_set(out_tail != out_head ? IER_INPUT | IER_OUTPUT : IER_INPUT);
}

bool uart_irq_start(int (*route)(uint8_t irq, void (*handler)(void)))
{
    if (!port || !irq || route(irq, uart_interrupt)) {
        irq = 0;
        return false;
    }
    (void)reg_read(REG_DATA);
    uart_drain();
    return true;
}

/* The TSC's rate is not known at first; half a microsecond an iteration is a port's usual speed. */
static bool wait_over(uint64_t start, unsigned int turns)
{
    return clock_tsc_hz ? cpu_tsc() - start > clock_tsc_hz / 1000 : turns > 2000;
}

bool uart_write(const char *text, size_t n, bool sync)
{
    uint64_t start = cpu_tsc();

    if (!port || n > OUT_SIZE)
        return !port;
    for (unsigned int turns = 0; OUT_SIZE - (out_head - out_tail) < n; turns++) {
        uart_drain();
        if (!sync && wait_over(start, turns))
            return false;
        cpu_relax();
    }
    for (size_t i = 0; i < n; i++)
        out_ring[out_head++ % OUT_SIZE] = text[i];
    do
        uart_drain();
    while (sync && out_tail != out_head);
    return true;
}

size_t uart_room(void)
{
    return port ? OUT_SIZE - (READ_ONCE(out_head) - READ_ONCE(out_tail)) : 0;
}

int uart_read(void)
{
    uint8_t c;

    if (port && !irq)
        input_take();
    if (in_tail == READ_ONCE(in_head))
        return -1;
    smp_rmb();
    c = in_ring[in_tail % IN_SIZE];
    WRITE_ONCE(in_tail, in_tail + 1);
    return c;
}

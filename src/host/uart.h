/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serial ports of the 16550 family (National PC16550D data sheet). Output goes through a ring that
 * the transmitter's interrupt empties; input comes by interrupt into another. The caller of write
 * and drain holds the console lock.
 */
#ifndef KR_HOST_UART_H
#define KR_HOST_UART_H

#include "lib/types.h"

struct uart_config {
    uint32_t baud; /* 0: as firmware left it */
    uint8_t line;  /* LCR value: data bits, parity, stop bits */
    uint16_t port;
    uint8_t irq; /* 0: polled */
};

/* Text of com1=: <baud>[,<format>[,<port>[,<irq>]]] or auto; *c holds the defaults before.
 * -XEN_EINVAL and *c unchanged for anything else. Pure. */
int must_check uart_parse(const char *text, struct uart_config *c);

/* Takes the port if one answers there; it is the console's then. Boot. */
bool uart_init(const struct uart_config *c);
/* Interrupts on from here; false when it is polled. Boot. `route` gives a vector to its IRQ. */
bool uart_irq_start(int (*route)(uint8_t irq, void (*handler)(void)));

/* Queues n bytes if they fit into the ring, waiting up to 1 ms for room (or as long as it takes
 * with `sync`, then also until all is sent); false: nothing was queued. */
bool uart_write(const char *text, size_t n, bool sync);
/* Bytes that uart_write() takes without waiting, a hint; 0: no port. */
size_t uart_room(void);
/* Moves queued bytes to the transmitter as far as it takes them. */
void uart_drain(void);
/* The next input byte, -1 when there is none. One caller at a time. */
int uart_read(void);

#endif

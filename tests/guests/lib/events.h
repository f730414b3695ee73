/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's side of event channels: 2-level bits in the shared info page, FIFO queues, upcalls.
 * Taking an event clears its pending bit. Public header: xen/event_channel.h.
 */
#ifndef GUEST_EVENTS_H
#define GUEST_EVENTS_H

#include "guest.h"

/* Ports. They return the port or a negative error. */
long port_unbound(domid_t remote);
long port_interdomain(domid_t remote, evtchn_port_t remote_port);
long port_ipi(unsigned int vcpu);
long port_virq(unsigned int virq, unsigned int vcpu);
long port_send(evtchn_port_t port);
long port_close(evtchn_port_t port);
long port_unmask_call(evtchn_port_t port); /* by hypercall */
long port_bind_vcpu(evtchn_port_t port, unsigned int vcpu);
long port_priority(evtchn_port_t port, unsigned int priority);
/* -1, or the status with the bound vCPU in *vcpu */
long port_status(evtchn_port_t port, unsigned int *vcpu);
long port_poll(evtchn_port_t port, uint64_t timeout_ns); /* absolute */

/* Upcalls: by the vCPU's own local APIC vector, or the domain's callback of type 2 (0: none). */
long upcall_vector_set(unsigned int vcpu, uint8_t vector);
long callback_vector_set(uint8_t vector);
struct vcpu_info *vcpu_info_of(unsigned int vcpu); /* the slot in the shared info page */

/* 2-level. */
bool two_pending(evtchn_port_t port);
bool two_masked(evtchn_port_t port);
void two_mask(evtchn_port_t port, bool masked);
void two_clear(evtchn_port_t port);
evtchn_port_t two_take(unsigned int vcpu); /* 0: none. Clears upcall_pending first */

/* FIFO: control blocks of the vCPUs and event words in pages of the guest. */
#define FIFO_WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define FIFO_PAGES          2u
long fifo_init(unsigned int vcpu); /* returns init_control's result */
long fifo_expand(void);            /* one more page; new words are masked */
volatile event_word_t *fifo_word(evtchn_port_t port);
struct evtchn_fifo_control_block *fifo_control(unsigned int vcpu);
bool fifo_bit(evtchn_port_t port, unsigned int bit);
bool fifo_unmask(evtchn_port_t port);       /* the guest's way; false: the hypercall was needed */
evtchn_port_t fifo_take(unsigned int vcpu); /* next by priority that is pending and unmasked */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attacks of the hostile guest. Each runs until attack_over() and only has to come back; what
 * the calls answer is of no interest, except that an attack says when it got something that it must
 * not.
 */
#ifndef HOSTILE_ATTACKS_H
#define HOSTILE_ATTACKS_H

#include "guest.h"

uint64_t random(void);
uint64_t random_pick(const uint64_t *list, unsigned int n);
bool attack_over(void); /* the time given is up */
void attack_count(void);

/* calls.c */
void attack_pointers(void); /* wild pointers over every hypercall and sub-operation */
void attack_storm(void);    /* random hypercalls with random arguments */
/* devices.c */
void attack_msrs(void);
void attack_ports(void);
void attack_apic(void);
void attack_mmio(void);
/* floods.c */
void attack_console(void);
void attack_events(void);
void attack_grants(void);
void attack_memory(void);

#endif

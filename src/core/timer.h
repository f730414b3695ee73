/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-shot timers on per-CPU queues (pairing heaps, no allocation). A callback runs in the loop
 * of the CPU that the timer was last started for, interrupts on, no lock held; it may start or
 * stop any timer, its own included.
 */
#ifndef KR_CORE_TIMER_H
#define KR_CORE_TIMER_H

#include "lib/types.h"
#include "core/lock.h"

struct ktimer {
    nsec_t expires;                     /* [q] system time */
    void (*fn)(void *arg);              /* constant after init */
    void *arg;                          /* constant after init */
    struct ktimer *child, *next, *prev; /* [q] pairing heap links */
    unsigned int cpu;                   /* whose queue [q]; changed under both queues' locks */
    bool queued;                        /* [q] */
};

/* [q] = the queue's lock. */
struct timer_queue {
    struct spinlock lock;
    struct ktimer *root;    /* [q] earliest */
    struct ktimer *running; /* [q] whose callback is being run */
    nsec_t armed;           /* [q] deadline given to the hardware */
};

void timer_queue_init(struct timer_queue *q);
void ktimer_init(struct ktimer *t, void (*fn)(void *), void *arg);

/* (Re)starts the timer for `expires` on `cpu`; a time in the past fires soon. Any CPU. */
void ktimer_start(struct ktimer *t, nsec_t expires, unsigned int cpu);
/* Returns true when it was queued. The callback may still be running on another CPU. */
bool ktimer_stop(struct ktimer *t);
/* Stops it and waits until no other CPU runs its callback: before its memory goes away. Not from
 * the callback itself, nor with a lock held that the callback takes. */
void ktimer_stop_sync(struct ktimer *t);
/* Moves a queued timer to another CPU, keeping its time; otherwise nothing. */
void ktimer_migrate(struct ktimer *t, unsigned int cpu);

/* Runs what is due on the calling CPU and arms its hardware for the next: WORK_TIMER's handler. */
void ktimer_run(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that is not for a vCPU: long jobs cut into steps (building and tearing down domains at run
 * time, scrubbing). A task's step runs in the loop of one CPU, no lock held, for at most about
 * 100 us, and says whether there is more; guests run between steps.
 */
#ifndef KR_CORE_TASK_H
#define KR_CORE_TASK_H

#include "lib/list.h"

struct task {
    struct list link;             /* task lock */
    bool (*step)(struct task *t); /* returns true while more is to do */
    bool queued;                  /* task lock */
};

void task_init(struct task *t, bool (*step)(struct task *));
/* Queues it on the calling CPU's choice of CPU; nothing happens when it is queued already. */
void task_queue(struct task *t);
/* WORK_TASK's handler: one step of the first task. */
void task_run(void);

#endif

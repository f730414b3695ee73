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
    bool queued, running;         /* task lock */
};

void task_init(struct task *t, bool (*step)(struct task *));
/* Has its step run soon; once more when it is being run now; nothing when it is queued already. A
 * task's memory stays for a grace period (core/reclaim.h) after the step that ends it. */
void task_queue(struct task *t);
/* WORK_TASK's handler: one step of the first task. */
void task_run(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of deferred work, one for all CPUs: idle ones are asked first. A task is run by one CPU
 * at a time.
 */
#include "core/pcpu.h"
#include "core/task.h"

static struct spinlock task_lock = SPINLOCK_INIT(RANK_TASK);
static struct list tasks = LIST_INIT(tasks);

void task_init(struct task *t, bool (*step)(struct task *))
{
    *t = (struct task){.step = step};
    list_init(&t->link);
}

static unsigned int choose_cpu(void)
{
    unsigned int cpu;

    for_each_cpu (cpu, &cpus_online)
        if (READ_ONCE(pcpu_shared[cpu].idle))
            return cpu;
    return this_cpu()->id;
}

void task_queue(struct task *t)
{
    lock(&task_lock);
    bool add = !t->queued;
    t->queued = true;
    if (add && !t->running)
        list_add_tail(&tasks, &t->link);
    unlock(&task_lock);
    if (add)
        pcpu_raise(choose_cpu(), WORK_TASK);
}

void task_run(void)
{
    struct task *t = NULL;

    lock(&task_lock);
    if (!list_empty(&tasks)) {
        t = list_first(&tasks, struct task, link);
        list_del(&t->link);
        t->queued = false;
        t->running = true;
    }
    unlock(&task_lock);
    if (!t)
        return;

    bool more = t->step(t);

    lock(&task_lock);
    t->running = false;
    if (more || t->queued) {
        t->queued = true;
        list_add_tail(&tasks, &t->link);
    }
    more = !list_empty(&tasks);
    unlock(&task_lock);
    if (more)
        pcpu_raise(this_cpu()->id, WORK_TASK);
}

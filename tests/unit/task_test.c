/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/task.h: steps run until one says that it was the last, one CPU at a time, fairly, and a task
 * queued during its own step runs once more.
 */
#include "unit/unit.h"

#include "core/task.h"
#include "sim.h"

static int left_a = 5, left_b = 5, order[20], steps;
static struct task a, b;
static bool queue_again;

static bool step_a(struct task *t)
{
    assert_ptr_equal(t, &a);
    order[steps++] = 'a';
    if (queue_again) {
        queue_again = false;
        task_queue(&a);
        sim_cpu_set(1); /* another CPU must not start it meanwhile */
        task_run();
        sim_cpu_set(0);
        return false;
    }
    return --left_a > 0;
}

static bool step_b(struct task *t)
{
    order[steps++] = 'b';
    return --left_b > 0;
}

static bool take_work(void)
{
    return __atomic_exchange_n(&this_cpu()->shared->work, 0, __ATOMIC_SEQ_CST) & WORK_TASK;
}

static void steps_alternate(void **state)
{
    sim_init(SIM_RAM_SIZE, 2);
    task_init(&a, step_a);
    task_init(&b, step_b);
    task_queue(&a);
    task_queue(&b);
    task_queue(&a);
    while (take_work())
        task_run();
    assert_int_equal(steps, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(order[i], i % 2 ? 'b' : 'a');
    task_run();
    assert_int_equal(steps, 10);
}

static void queued_in_its_step(void **state)
{
    sim_init(SIM_RAM_SIZE, 2);
    steps = 0;
    left_a = 1;
    queue_again = true;
    task_queue(&a);
    while (take_work())
        task_run();
    assert_int_equal(steps, 2);
}

static void idle_cpu_first(void **state)
{
    sim_init(SIM_RAM_SIZE, 2);
    pcpu_shared[1].idle = true;
    left_a = 1;
    task_queue(&a);
    assert_int_equal(pcpu_shared[0].work, 0);
    assert_int_equal(pcpu_shared[1].work, WORK_TASK);
    assert_int_equal(sim_count.kicks, 1);
    sim_cpu_set(1);
    task_run();
}

UNIT_MAIN(cmocka_unit_test(steps_alternate), cmocka_unit_test(queued_in_its_step),
          cmocka_unit_test(idle_cpu_first))

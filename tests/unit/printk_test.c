/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/printk.h, keys.h, trace.h: lines are whole, bounded and filtered; what was said before the
 * console came is said when it is there; debug keys and the trace print what they have.
 */
#include "unit/unit.h"

#include "core/keys.h"
#include "core/param.h"
#include "core/printk.h"
#include "core/trace.h"
#include "sim.h"

static char seen[16384];

static void sink(const char *line, size_t n)
{
    assert_int_equal(line[n - 1], '\n');
    assert_null(memchr(line, '\n', n - 1));
    strncat(seen, line, n);
}

static void early(void **state)
{
    console_sink = NULL;
    log_info("first %d", 1);
    log_debug("not asked for");
    log_err("second\n");
    console_sink = sink;
    log_warn("third");
    log_warn("%s", "fourth");
    assert_string_equal(seen, "(KR) first 1\n(KR) second\n(KR) third\n(KR) fourth\n");
}

static void bounded(void **state)
{
    seen[0] = 0;
    log_info("%0300d", 7);
    assert_int_equal(strlen(seen), 5 + 256 + 1);
    seen[0] = 0;
    console_sink = NULL;
    for (int i = 0; i < 1000; i++)
        log_info("%d", i);
    console_sink = sink;
    log_info("end");
    assert_true(strlen(seen) <= 4096 + 9);
    assert_non_null(strstr(seen, "(KR) 0\n"));
    assert_non_null(strstr(seen, "(KR) end\n"));
}

static void levels(void **state)
{
    seen[0] = 0;
    params.loglvl.always = PARAM_LOG_NONE;
    log_err("none");
    params.loglvl.always = PARAM_LOG_DEBUG;
    log_debug("all");
    params.loglvl.always = PARAM_LOG_INFO;
    assert_string_equal(seen, "(KR) all\n");
}

static int pressed;

static void press(void)
{
    pressed++;
}
DEBUG_KEY('x', "for the test", press);

static void keys(void **state)
{
    seen[0] = 0;
    assert_true(debug_key_run('x'));
    assert_int_equal(pressed, 1);
    assert_false(debug_key_run('~'));
    assert_true(debug_key_run('h'));
    assert_non_null(strstr(seen, "x: for the test"));
}

static void traces(void **state)
{
    static struct trace_ring ring;

    sim_init(SIM_RAM_SIZE, 1);
    console_sink = sink;
    trace(TRACE_EXIT, 1, 2); /* no ring yet */
    this_cpu()->trace = pcpu_shared[0].trace = &ring;
    for (uint32_t i = 0; i < TRACE_RECORDS + 10; i++)
        trace(TRACE_EXIT, i, 0x77);
    seen[0] = 0;
    trace_dump(2);
    assert_null(strstr(seen, "00000107"));
    assert_non_null(strstr(seen, "exit      00000108 0000000000000077"));
    assert_non_null(strstr(seen, "exit      00000109 0000000000000077"));
    ring.next = 1;
    seen[0] = 0;
    trace_dump(300);
    assert_non_null(strstr(seen, "00000100"));
    assert_null(strstr(seen, "00000101"));
}

static void limits_rate(void **state)
{
    nsec_t last = 0;

    sim_init(SIM_RAM_SIZE, 1);
    assert_true(log_ratelimit(&last));
    assert_false(log_ratelimit(&last));
    sim_advance(SEC(1));
    assert_true(log_ratelimit(&last));
}

UNIT_MAIN(cmocka_unit_test(early), cmocka_unit_test(bounded), cmocka_unit_test(levels),
          cmocka_unit_test(keys), cmocka_unit_test(traces), cmocka_unit_test(limits_rate))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's command line. core/params.def is the table of options; their values are the
 * fields of `params`, which are written once, before other CPUs run, and only read later. Options
 * that name something of a higher floor (a serial port, a scheduler) are kept as text for it.
 */
#ifndef KR_CORE_PARAM_H
#define KR_CORE_PARAM_H

#include "lib/types.h"

/* A threshold: messages of an enum log_level (core/printk.h) below it pass, so NONE stops all. */
enum param_log_level {
    PARAM_LOG_NONE,
    PARAM_LOG_ERROR,
    PARAM_LOG_WARNING,
    PARAM_LOG_INFO,
    PARAM_LOG_DEBUG,
};

struct param_log {
    enum param_log_level always, limited; /* always <= limited */
};

enum param_scrub {
    PARAM_SCRUB_OFF,
    PARAM_SCRUB_ON,
    PARAM_SCRUB_IDLE,
};

#define PARAM_TEXT_SIZE 64

struct params {
    enum param_scrub bootscrub;
    char com1[PARAM_TEXT_SIZE], com2[PARAM_TEXT_SIZE], console[PARAM_TEXT_SIZE];
    uint64_t console_burst, console_rate; /* bytes, bytes a second */
    uint32_t debug_exit;                  /* 0: none */
    char dom0_max_vcpus[PARAM_TEXT_SIZE], dom0_mem[PARAM_TEXT_SIZE];
    struct param_log guest_loglvl, loglvl;
    uint32_t maxcpus;
    bool noreboot;
    char sched[PARAM_TEXT_SIZE];
    bool sync_console;
};

extern struct params params;

/*
 * Takes over the options of a command line, the last of the same name winning. A first word that
 * is no option is the image's file name, which some boot loaders pass. The word `--` ends the
 * hypervisor's part. What is unknown or bad is collected for param_report and otherwise ignored.
 */
void param_parse(const char *cmdline);

/* Calls print once for each collected complaint (one line without a newline). */
void param_report(void (*print)(const char *line));

#endif

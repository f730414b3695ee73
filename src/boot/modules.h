/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot modules' argument lines: which module is a guest's kernel, what that guest gets, and
 * which module is its ramdisk. docs/boot.md describes the syntax. Pure text processing; whether the
 * machine has the memory and CPUs asked for is decided when the guest is built.
 */
#ifndef KR_BOOT_MODULES_H
#define KR_BOOT_MODULES_H

#include "boot/bootinfo.h"

#define GUEST_NAME_SIZE 32 /* with the terminator */
#define GUEST_MAX_VCPUS 128
#define GUEST_MAX_CPUS  64 /* of the host, in an affinity */

/* After which end a guest is started again; each includes the ones before it. */
enum guest_restart {
    GUEST_RESTART_NEVER,
    GUEST_RESTART_REBOOT, /* it asked for a reboot: the default */
    GUEST_RESTART_CRASH,
    GUEST_RESTART_ALWAYS, /* it powered off */
};

struct guest_config {
    char name[GUEST_NAME_SIZE]; /* letters, digits, '-', '_', '.'; unique */
    uint16_t domid;
    uint64_t memory; /* bytes, whole pages */
    uint32_t vcpus;  /* 1..GUEST_MAX_VCPUS */
    uint16_t weight; /* 1..65535 */
    uint16_t cap;    /* percent of one CPU, 0: none */
    uint64_t cpus;   /* hard affinity, bit n = CPU n; all bits set when not given */
    enum guest_restart restart;
    const char *cmdline; /* of its kernel */
    unsigned int kernel; /* number of the module */
    int ramdisk;         /* or -1 */
};

struct guest_list {
    bool dom0;        /* there is a first module without domain= */
    uint16_t next_id; /* the first number that is free for later domains */
    unsigned int nr;
    struct guest_config guests[BOOT_MAX_MODULES];
};

/*
 * Fills *list from the modules' argument lines. Guests get the numbers 1, 2, ... in module order;
 * one with a fault is left out, its number unused. complain gets one line for each fault, naming
 * the module (counted from 1) and the word.
 */
void modules_parse(struct guest_list *list, const struct boot_module *modules, unsigned int nr,
                   void (*complain)(const char *line));

#endif

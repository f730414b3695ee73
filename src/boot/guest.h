/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that starts from a boot module: what was asked for, the domain that it is now, and where
 * its building stands. build.c makes the container, supervise.c follows its life.
 */
#ifndef KR_BOOT_GUEST_H
#define KR_BOOT_GUEST_H

#include "boot/layout.h"
#include "boot/bootinfo.h"
#include "boot/modules.h"
#include "core/task.h"
#include "core/timer.h"
#include "domain/domain.h"

struct guest;

/* One step of building; 0: go on, in the next phase or (again) in this one; negative: refused, the
 * message has been printed. */
enum build_phase {
    BUILD_CREATE,
    BUILD_RAM,
    BUILD_PAGES,
    BUILD_RAMDISK,
    BUILD_MODULE,
    BUILD_LOADER,
    BUILD_LOADING, /* the loader runs in the guest */
    BUILD_UNMAP,
    BUILD_WIPE,
    BUILD_START,
    BUILD_DONE,
};

struct guest {
    const struct guest_config *config;
    const struct boot_module *kernel, *ramdisk; /* ramdisk NULL: none */
    struct domain *domain;                      /* an owned reference, NULL between lives */
    struct guest_layout layout;
    enum build_phase phase;
    uint64_t progress;      /* of the phase, in pages */
    uint64_t entry, heap;   /* the loader's answer, checked: entry, start of what it wrote */
    struct task task;       /* runs the phases */
    struct ktimer deadline; /* of the loader */
    nsec_t run_time;        /* of all its lives */
    uint32_t last_code;     /* SHUTDOWN_* of its last end */
    bool started, gone, restart;
};

/* Prepares g for (another) life under `id` and queues its building; bounded steps in the loop.
 * When it cannot be built guest_failed() is called, and the container is torn down. */
void build_start(struct guest *g, domid_t id);

/* TSC of the first moments of a boot; 0: not yet. The first is main.c's. */
extern uint64_t boot_tsc_entry;

/* supervise.c */
void guest_failed(struct guest *g, const char *fmt, ...) printf_like(2, 3);

#endif

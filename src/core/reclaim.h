/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grace periods: objects that lock-free readers may still look at (domains, page-table pages,
 * bus tables) are freed after every CPU has passed the top of its loop. Readers need no marks:
 * whatever a CPU found since its last pass stays valid until its next.
 */
#ifndef KR_CORE_RECLAIM_H
#define KR_CORE_RECLAIM_H

struct reclaim {
    struct reclaim *next;
    void (*fn)(struct reclaim *r);
};

/* Runs fn(r) in some CPU's loop, no lock held, after a grace period. Any CPU, not in interrupts. */
void reclaim_defer(struct reclaim *r, void (*fn)(struct reclaim *r));
/* The loop's top, and an idle CPU's: this CPU holds nothing from before. */
void reclaim_quiescent(void);
/* WORK_RECLAIM's handler: runs what is due, at most a few per call. */
void reclaim_run(void);

#endif

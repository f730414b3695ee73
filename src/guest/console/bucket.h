/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token bucket: how much a guest may write to the console (console-rate=, console-burst=). Time
 * is given by the caller. Pure.
 */
#ifndef KR_GUEST_CONSOLE_BUCKET_H
#define KR_GUEST_CONSOLE_BUCKET_H

#include "lib/types.h"

struct bucket {
    uint64_t rate, burst; /* characters a second, at most at once; not 0, at most 1 GiB */
    int64_t tokens;       /* below zero: the last line cost more than there was */
    nsec_t filled;        /* tokens are those of then */
};

void bucket_init(struct bucket *b, uint64_t rate, uint64_t burst, nsec_t now);
/* What may be spent now; 0: nothing. */
size_t bucket_budget(struct bucket *b, nsec_t now);
static inline void bucket_spend(struct bucket *b, size_t n)
{
    b->tokens -= (int64_t)n;
}
/* When there will be enough to go on with (a sixteenth of the burst), `now` if there is. */
nsec_t bucket_ready(struct bucket *b, nsec_t now);

#endif

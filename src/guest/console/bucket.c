/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket: see bucket.h. */
#include "guest/console/bucket.h"

#include "lib/muldiv.h"

void bucket_init(struct bucket *b, uint64_t rate, uint64_t burst, nsec_t now)
{
    *b = (struct bucket){.rate = rate, .burst = burst, .tokens = (int64_t)burst, .filled = now};
}

/* `filled` moves by whole tokens, so that slow rates do not stand still, and up to a nanosecond
 * more, so that fast ones do not exceed theirs. come < missing <= 1 GiB and a line. */
static void bucket_fill(struct bucket *b, nsec_t now)
{
    uint64_t missing = (uint64_t)((int64_t)b->burst - b->tokens);
    uint64_t come = now > b->filled ? muldiv((uint64_t)(now - b->filled), b->rate, SEC(1)) : 0;

    if (come >= missing) {
        b->tokens = (int64_t)b->burst;
        b->filled = now;
    } else {
        b->tokens += (int64_t)come;
        b->filled += (nsec_t)((come * SEC(1) + b->rate - 1) / b->rate);
    }
}

size_t bucket_budget(struct bucket *b, nsec_t now)
{
    bucket_fill(b, now);
    return b->tokens > 0 ? (size_t)b->tokens : 0;
}

nsec_t bucket_ready(struct bucket *b, nsec_t now)
{
    int64_t enough = (int64_t)(b->burst / 16);

    bucket_fill(b, now);
    if (b->tokens >= enough)
        return now;
    return b->filled + (nsec_t)muldiv((uint64_t)(enough - b->tokens), SEC(1), b->rate) + 1;
}

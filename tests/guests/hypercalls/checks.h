/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of the hypercalls guest by family. The same files make the guest hypercalls32, whose
 * structures then have the layout of a 32-bit caller.
 */
#ifndef HYPERCALLS_CHECKS_H
#define HYPERCALLS_CHECKS_H

#include "guest.h"

void check_numbers(void);
void check_version(void);
void check_memory(void);
void check_evtchn(void);
void check_sched(void);
void check_vcpu(void);
void check_hvm(void);
void check_misc(void); /* console_io, vm_assist, set_timer_op */
void check_multicall(void);

extern const unsigned long bad_pointers[];
extern const unsigned int bad_pointer_count;

/* The call fails with -EFAULT for each of the bad pointers, which it knows as `bad`. */
#define EXPECT_EFAULT(call)                                                                     \
    do {                                                                                        \
        for (unsigned int b_ = 0; b_ < bad_pointer_count; b_++) {                               \
            unsigned long bad = bad_pointers[b_];                                               \
            long rc_ = (call);                                                                  \
            CHECK(rc_ == -XEN_EFAULT, "%s = %ld with the bad pointer %lx, line %d", #call, rc_, \
                  bad, __LINE__);                                                               \
        }                                                                                       \
    } while (0)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door to guest memory. Handles in hypercall arguments are guest linear addresses, translated
 * by the calling vCPU's own page tables (supervisor access); physical ones have gpa_*. Each
 * function returns 0 or -XEN_EFAULT; nothing is read twice; no other file maps a guest frame but
 * through here and domain/shared.h. [loaded]: v is the vCPU that this CPU serves.
 */
#ifndef KR_GUEST_ACCESS_H
#define KR_GUEST_ACCESS_H

#include "domain/domain.h"

int must_check guest_read(struct vcpu *v, void *dst, uint64_t linear, size_t n);
int must_check guest_write(struct vcpu *v, uint64_t linear, const void *src, size_t n);
int must_check guest_zero(struct vcpu *v, uint64_t linear, size_t n);

/* Element i of an array of `size`-byte elements at `linear`; overflow is -XEN_EFAULT. */
static inline int must_check guest_read_at(struct vcpu *v, void *dst, uint64_t linear, uint64_t i,
                                           size_t size)
{
    uint64_t off, a;

    if (__builtin_mul_overflow(i, size, &off) || __builtin_add_overflow(linear, off, &a))
        return -XEN_EFAULT;
    return guest_read(v, dst, a, size);
}
static inline int must_check guest_write_at(struct vcpu *v, uint64_t linear, uint64_t i,
                                            const void *src, size_t size)
{
    uint64_t off, a;

    if (__builtin_mul_overflow(i, size, &off) || __builtin_add_overflow(linear, off, &a))
        return -XEN_EFAULT;
    return guest_write(v, a, src, size);
}

/* Guest-physical, any domain (a reference is held), RAM only. */
int must_check gpa_read(struct domain *d, void *dst, gpa_t gpa, size_t n);
int must_check gpa_write(struct domain *d, gpa_t gpa, const void *src, size_t n);
int must_check gpa_zero(struct domain *d, gpa_t gpa, size_t n);

/* Instruction fetch for emulation: up to 15 bytes at linear address; returns how many were read
 * (a fault after the first page boundary shortens). When fewer than n, *fault says what the next
 * byte raises. */
struct guest_fault {
    uint64_t address;
    uint32_t error; /* #PF error code */
};
unsigned int must_check guest_fetch(struct vcpu *v, uint8_t *buf, uint64_t linear, unsigned int n,
                                    struct guest_fault *fault);

/* Access by an emulated instruction, with the guest's own privilege (user or supervisor) and page
 * rights: 0, -XEN_EFAULT with *fault (raise #PF), or -XEN_ENOENT with *gpa when the access leaves
 * RAM at gpa (a device, perhaps). Does not cross a page: the caller splits. */
int must_check guest_emul_translate(struct vcpu *v, uint64_t linear, bool write, bool fetch,
                                    gpa_t *gpa, struct guest_fault *fault);

#endif

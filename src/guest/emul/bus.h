/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device bus of a domain: sorted MMIO and port ranges with a device row each. Devices add rows
 * while the domain is being built; lookups take no lock. What nobody claims reads as all ones and
 * ignores writes.
 */
#ifndef KR_GUEST_EMUL_BUS_H
#define KR_GUEST_EMUL_BUS_H

#include "domain/domain.h"

enum bus_space { BUS_MMIO, BUS_PORT };

/* size: 1, 2, 4 or 8 (MMIO) bytes, inside the range, offset from its start. v is the accessing
 * vCPU [loaded]. *value is all ones before a read. A NULL function: as if nobody claimed. */
struct bus_device {
    const char *name;
    enum bus_space space;
    uint64_t start, size;
    void (*read)(struct vcpu *v, void *ctx, uint64_t offset, unsigned int size, uint64_t *value);
    void (*write)(struct vcpu *v, void *ctx, uint64_t offset, unsigned int size, uint64_t value);
    void *ctx;
};

int must_check bus_init(struct domain *d);
void bus_fini(struct domain *d);
/* -XEN_EEXIST: overlaps another row. */
int must_check bus_add(struct domain *d, const struct bus_device *dev);

/* The row at addr, NULL: none. It stays valid until the CPU next passes its loop's top. */
const struct bus_device *must_check bus_at(struct vcpu *v, enum bus_space space, uint64_t addr);
/* An access to a row found by bus_at(addr), as bus_read and bus_write. */
uint64_t must_check bus_read_at(struct vcpu *v, const struct bus_device *dev, uint64_t addr,
                                unsigned int size);
void bus_write_at(struct vcpu *v, const struct bus_device *dev, uint64_t addr, unsigned int size,
                  uint64_t value);

uint64_t must_check bus_read(struct vcpu *v, enum bus_space space, uint64_t addr,
                             unsigned int size);
void bus_write(struct vcpu *v, enum bus_space space, uint64_t addr, unsigned int size,
               uint64_t value);

#endif

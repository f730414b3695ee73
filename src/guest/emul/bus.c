/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device bus: one sorted table of rows per space, searched by halves. A table is never changed
 * once readers can find it: adding a row publishes a new one and frees the old after a grace
 * period.
 */
#include "guest/emul/bus.h"

#include "lib/nospec.h"
#include "lib/string.h"
#include "mem/heap.h"

/* Part of every port exit. */
#define hot_inline static inline __attribute__((always_inline))

struct bus_table {
    struct reclaim reclaim;
    unsigned int n;
    struct bus_device row[];
};

struct bus {
    struct bus_table
        *table[2]; /* by enum bus_space; changed under the domain's lock; NULL: empty */
};

int bus_init(struct domain *d)
{
    d->bus = kalloc(sizeof(*d->bus));
    return d->bus ? 0 : -XEN_ENOMEM;
}

void bus_fini(struct domain *d)
{
    if (!d->bus)
        return;
    kfree(d->bus->table[BUS_MMIO]);
    kfree(d->bus->table[BUS_PORT]);
    kfree(d->bus);
    d->bus = NULL;
}

/* How many rows start at or before addr. */
static unsigned int bus_upto(const struct bus_table *t, uint64_t addr)
{
    unsigned int lo = 0, hi = t ? t->n : 0;

    while (lo < hi) {
        unsigned int mid = (lo + hi) / 2;

        if (t->row[mid].start <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void bus_free_table(struct reclaim *r)
{
    kfree(container_of(r, struct bus_table, reclaim));
}

/* dev would come to stand at row `at`. */
static bool bus_overlaps(const struct bus_table *t, unsigned int at, const struct bus_device *dev)
{
    if (!t)
        return false;
    return (at && t->row[at - 1].start + t->row[at - 1].size > dev->start) ||
           (at < t->n && dev->start + dev->size > t->row[at].start);
}

int bus_add(struct domain *d, const struct bus_device *dev)
{
    struct bus_table **slot = &d->bus->table[dev->space], *old, *new;
    unsigned int n, at;
    int err = 0;

    if (!dev->size || dev->start + dev->size < dev->start)
        return -XEN_EINVAL;
    lock(&d->lock);
    old = *slot;
    n = old ? old->n : 0;
    at = bus_upto(old, dev->start);
    new = kalloc(sizeof(*new) + (n + 1) * sizeof(new->row[0]));
    if (!new)
        err = -XEN_ENOMEM;
    else if (bus_overlaps(old, at, dev))
        err = -XEN_EEXIST;
    if (!err) {
        new->n = n + 1;
        if (old) {
            memcpy(new->row, old->row, at * sizeof(new->row[0]));
            memcpy(new->row + at + 1, old->row + at, (n - at) * sizeof(new->row[0]));
        }
        new->row[at] = *dev;
        __atomic_store_n(slot, new, __ATOMIC_RELEASE);
    }
    unlock(&d->lock);
    if (err)
        kfree(new);
    else if (old)
        reclaim_defer(&old->reclaim, bus_free_table);
    return err;
}

hot_inline const struct bus_device *bus_find(struct vcpu *v, enum bus_space space, uint64_t addr)
{
    const struct bus_table *t = READ_ONCE(v->domain->bus->table[space]);
    unsigned int i = bus_upto(t, addr);

    return i && addr - t->row[i - 1].start < t->row[i - 1].size ? &t->row[i - 1] : NULL;
}

const struct bus_device *bus_at(struct vcpu *v, enum bus_space space, uint64_t addr)
{
    return bus_find(v, space, addr);
}

/* Of an access that starts inside the row: is all of it inside? */
static inline bool bus_fits(const struct bus_device *dev, uint64_t addr, unsigned int size)
{
    return size <= dev->size - (addr - dev->start);
}

uint64_t bus_read_at(struct vcpu *v, const struct bus_device *dev, uint64_t addr, unsigned int size)
{
    uint64_t value = ~0ULL >> (64 - 8 * size);

    if (dev->read && bus_fits(dev, addr, size))
        dev->read(v, dev->ctx, index_nospec(addr - dev->start, dev->size), size, &value);
    return value;
}

void bus_write_at(struct vcpu *v, const struct bus_device *dev, uint64_t addr, unsigned int size,
                  uint64_t value)
{
    if (dev->write && bus_fits(dev, addr, size))
        dev->write(v, dev->ctx, index_nospec(addr - dev->start, dev->size), size, value);
}

uint64_t bus_read(struct vcpu *v, enum bus_space space, uint64_t addr, unsigned int size)
{
    const struct bus_device *dev = bus_find(v, space, addr);

    return dev ? bus_read_at(v, dev, addr, size) : ~0ULL >> (64 - 8 * size);
}

void bus_write(struct vcpu *v, enum bus_space space, uint64_t addr, unsigned int size,
               uint64_t value)
{
    const struct bus_device *dev = bus_find(v, space, addr);

    if (dev)
        bus_write_at(v, dev, addr, size, value);
}

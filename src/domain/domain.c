/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain's life: creation, the table of domains, pausing, shutdown, crash. Teardown is in
 * teardown.c, its memory in pages.c, its vCPUs in vcpu.c.
 */
#include "domain/domain.h"

#include "lib/format.h"
#include "lib/string.h"
#include "core/clock.h"
#include "core/printk.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/lifecycle.h"
#include "domain/policy.h"
#include "domain/sched.h"
#include "domain/shared.h"
#include "mem/heap.h"
#include "arch/x86/vcpu/part.h"

#include "port/mem.h"

#include <stdarg.h>

#define TABLE_SIZE 64u

const struct domain_hooks *domain_hooks;
void (*domain_event_hook)(struct domain *d);

/* Chains are changed under table_lock; readers follow them between two quiescent points. */
static struct domain *table[TABLE_SIZE];
static struct spinlock table_lock = SPINLOCK_INIT(RANK_DOMLIST);

struct domain *domain_find(domid_t id)
{
    struct domain *d = READ_ONCE(table[id % TABLE_SIZE]);

    while (d && d->id != id)
        d = READ_ONCE(d->next);
    return d;
}

static bool domain_try_ref(struct domain *d)
{
    uint32_t refs = READ_ONCE(d->refs);

    while (refs && refs < INT32_MAX)
        if (__atomic_compare_exchange_n(&d->refs, &refs, refs + 1, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

struct domain *domain_get(domid_t id)
{
    struct domain *d = domain_find(id);

    return d && __atomic_load_n(&d->built, __ATOMIC_ACQUIRE) && domain_try_ref(d) ? d : NULL;
}

void domain_ref(struct domain *d)
{
    bool ok = domain_try_ref(d);

    BUG_ON(!ok);
}

struct domain *domain_next(int after)
{
    struct domain *best;

    lock(&table_lock);
    do {
        best = NULL;
        for (unsigned int i = 0; i < TABLE_SIZE; i++)
            for (struct domain *d = table[i]; d; d = d->next)
                if ((int)d->id > after && (!best || d->id < best->id) && READ_ONCE(d->refs) &&
                    READ_ONCE(d->built))
                    best = d;
    } while (best && !domain_try_ref(best));
    unlock(&table_lock);
    return best;
}

static int domain_publish(struct domain *d)
{
    struct domain **chain = &table[d->id % TABLE_SIZE];
    int err = 0;

    lock(&table_lock);
    if (domain_find(d->id))
        err = -XEN_EEXIST;
    else {
        d->next = *chain;
        __atomic_store_n(chain, d, __ATOMIC_RELEASE);
    }
    unlock(&table_lock);
    return err;
}

void domain_unpublish(struct domain *d)
{
    struct domain **at = &table[d->id % TABLE_SIZE];

    lock(&table_lock);
    while (*at && *at != d)
        at = &(*at)->next;
    if (*at)
        WRITE_ONCE(*at, d->next); /* d->next stays: a reader may stand on d */
    unlock(&table_lock);
}

static void domain_init(struct domain *d, const struct domain_config *c)
{
    d->id = c->id;
    if (c->name)
        str_copy(d->name, c->name, sizeof(d->name));
    else
        format(d->name, sizeof(d->name), "d%u", c->id);
    d->refs = 1;
    d->owner = c->owner;
    d->is_control = c->is_control;
    d->is_hardware = c->is_hardware;
    d->is_console = c->is_console;
    d->wide = true;
    d->max_vcpus = c->max_vcpus;
    d->max_pages = c->max_pages;
    d->pause_count = 1;
    d->shutdown_code = ~0u;
    d->p2m.root = MFN_NONE;
    d->shared_info.mfn = MFN_NONE;
    d->param[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_reboot;
    d->tsc_offset = -(int64_t)cpu_tsc();
    lock_init(&d->lock, RANK_DOMAIN);
    lock_init(&d->page_lock, RANK_PAGELIST);
    lock_init(&d->physmap_lock, RANK_PHYSMAP);
    d->shared_info_gfn = FRAME_NONE;
    lifecycle_init(d);
}

/* Each step is undone by domain_release(), which copes with those that were not reached. */
static int domain_build(struct domain *d, const struct domain_config *c)
{
    int err = p2m_init(d, c->p2m_pages);

    if (!err)
        err = part_init(d);
    if (!err)
        err = policy_init(d);
    if (!err)
        err = evtchn_init(d, c->max_evtchn_port);
    if (!err)
        err = grant_init(d, c->max_grant_frames, c->max_maptrack_frames);
    if (!err)
        err = sched_domain_init(d);
    if (!err && domain_hooks)
        err = domain_hooks->create(d);
    for (unsigned int i = 0; !err && i < c->max_vcpus; i++)
        err = vcpu_create(d, i);
    if (!err) {
        d->shared_info.mfn = domain_alloc_special(d);
        if (!shared_present(&d->shared_info))
            err = -XEN_ENOMEM;
    }
    if (!err)
        domain_update_wallclock(d);
    return err;
}

struct domain *domain_create(const struct domain_config *c, int *err)
{
    struct domain *d;

    if (!c->max_vcpus || c->max_vcpus > DOMAIN_MAX_VCPUS || c->id >= DOMID_FIRST_RESERVED) {
        *err = -XEN_EINVAL;
        return NULL;
    }
    d = kalloc(sizeof(*d));
    if (d)
        d->vcpu = kalloc_array(c->max_vcpus, sizeof(struct vcpu *));
    if (!d || !d->vcpu) {
        kfree(d);
        *err = -XEN_ENOMEM;
        return NULL;
    }
    domain_init(d, c);
    /* Its special pages find it by its id when they are released: publish first, handed out last.
     */
    *err = domain_publish(d);
    if (*err) {
        kfree(d->vcpu);
        kfree(d);
        return NULL;
    }
    *err = domain_build(d, c);
    if (*err) {
        domain_kill(d);
        return NULL;
    }
    __atomic_store_n(&d->built, true, __ATOMIC_RELEASE);
    return d;
}

void domain_pause(struct domain *d)
{
    struct vcpu *v;

    lock(&d->lock);
    if (d->pause_count++ == 0)
        for_each_vcpu (d, v)
            vcpu_pause_set(v, VPAUSE_DOMAIN);
    unlock(&d->lock);
}

int domain_unpause(struct domain *d)
{
    struct vcpu *v;
    int err = 0;

    lock(&d->lock);
    if (!d->pause_count)
        err = -XEN_EINVAL;
    else if (--d->pause_count == 0) {
        if (d->state == DOMAIN_BUILDING) {
            d->state = DOMAIN_RUNNING;
            d->start_time = clock_now();
        }
        for_each_vcpu (d, v)
            vcpu_pause_clear(v, VPAUSE_DOMAIN);
    }
    unlock(&d->lock);
    return err;
}

void domain_shutdown(struct domain *d, uint32_t code)
{
    struct vcpu *v;
    bool first;

    lock(&d->lock);
    first = !d->shutting_down && d->state < DOMAIN_DYING;
    if (first) {
        d->shutting_down = true;
        if (d->shutdown_code == ~0u || code == SHUTDOWN_crash) /* else latched before */
            d->shutdown_code = code;
        d->end_time = clock_now();
        for_each_vcpu (d, v)
            vcpu_pause_set(v, VPAUSE_SHUTDOWN);
    }
    unlock(&d->lock);
    if (first)
        task_queue(&d->task);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    char why[128];
    va_list ap;

    va_start(ap, fmt);
    vformat(why, sizeof(why), fmt, ap);
    va_end(ap);
    if (!d->crashed)
        log_err("%s: crashed: %s", d->name, why);
    d->crashed = true;
    domain_shutdown(d, SHUTDOWN_crash);
}

static void wallclock_write(struct domain *d)
{
    const struct shared_layout *l = shared_layout(d);
    uint64_t ns = clock_wall_ns + d->wall_offset * 1000000000ULL;
    uint64_t sec = ns / 1000000000ULL;
    uint8_t *info = shared_map(&d->shared_info);
    uint32_t version = mem_load32(info + l->wc_version);

    version = (version + 1) | 1;
    mem_store32(info + l->wc_version, version);
    smp_wmb();
    mem_store32(info + l->wc_sec, (uint32_t)sec);
    mem_store32(info + l->wc_sec_hi, (uint32_t)(sec >> 32));
    mem_store32(info + l->wc_nsec, (uint32_t)(ns % 1000000000ULL));
    smp_wmb();
    mem_store32(info + l->wc_version, version + 1);
    shared_unmap(info);
}

/* A dying domain's page is on its way to somebody else. */
void domain_update_wallclock(struct domain *d)
{
    lock(&d->lock);
    if (d->state < DOMAIN_DYING)
        wallclock_write(d);
    unlock(&d->lock);
}

void domain_set_width(struct domain *d, bool wide)
{
    lock(&d->lock);
    d->wide = wide;
    if (d->state < DOMAIN_DYING)
        wallclock_write(d);
    unlock(&d->lock);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builder of boot-time guests: makes the container, lets the loader unpack the kernel inside
 * it, then gives vCPU 0 the PVH entry state. Runs as a task in bounded steps, at boot and for a
 * restart alike (architecture: "a guest starts from a module"). What the loader says is hostile.
 */
#include "boot/guest.h"

#include "lib/string.h"
#include "core/clock.h"
#include "core/printk.h"
#include "domain/evtchn.h"
#include "domain/flush.h"
#include "domain/grant.h"
#include "domain/sched.h"
#include "boot/guest_acpi.h"
#include "boot/start_info.h"
#include "guest/access.h"
#include "guest/console/guest_console.h"
#include "guest/hypercall/loader_calls.h"
#include "mem/heap.h"
#include "mem/window.h"
#include "arch/x86/vcpu/reset.h"

#include "loader_blob.h"

#define STEP_PAGES      64u
#define RAM_ORDER       9u
#define LOADER_CPU_TIME SEC(120)
#define LOADER_POLL     SEC(1)
#define GRANT_FRAMES    64u
#define MAPTRACK_FRAMES 1024u
#define EVTCHN_MAX_PORT 131071u

static uint64_t pool_pages(const struct guest *g)
{
    const struct guest_config *c = g->config;
    uint64_t module = g->kernel->size >> PAGE_SHIFT;

    return 256ULL * c->vcpus + (c->memory >> 20) + module / 512 + 64;
}

/* Its share of CPUs; the configuration was checked when it was read. */
static void build_sched(struct guest *g)
{
    const struct guest_config *c = g->config;
    const struct sched_params share = {.weight = c->weight, .cap = c->cap};
    const cpumask_t hard = {c->cpus};
    struct vcpu *v;

    if (sched_adjust(g->domain, &share, NULL) && (c->cap || c->weight != 256))
        log_warn("%s: weight and cap mean nothing to the scheduler in use", c->name);
    for_each_vcpu (g->domain, v)
        if (sched_set_affinity(v, &hard, NULL))
            log_warn("%s: cpus= names no CPU of this machine: vCPU %u may use all", c->name, v->id);
}

static int build_create(struct guest *g)
{
    const struct guest_config *c = g->config;
    const uint64_t ramdisk = g->ramdisk ? g->ramdisk->size : 0;
    const uint64_t need = (c->memory >> PAGE_SHIFT) + pool_pages(g) / 8;
    const struct domain_config config = {
        .id = (domid_t)g->progress,
        .name = c->name,
        .owner = g,
        .max_vcpus = c->vcpus,
        .max_pages = (c->memory >> PAGE_SHIFT) + 256,
        .p2m_pages = pool_pages(g),
        .is_console = true,
        .max_grant_frames = GRANT_FRAMES,
        .max_maptrack_frames = MAPTRACK_FRAMES,
        .max_evtchn_port = EVTCHN_MAX_PORT,
    };
    uint64_t least;
    int err;

    if (!g->kernel->size) {
        guest_failed(g, "its kernel file is empty");
        return -XEN_EINVAL;
    }
    if (!layout_compute(&g->layout, c->memory, ramdisk, g->kernel->size, LOADER_MEMORY_SIZE,
                        &least)) {
        guest_failed(g, "memory=%luM is too small: ramdisk and loader alone need %lu KiB",
                     c->memory >> 20, least >> 10);
        return -XEN_ENOMEM;
    }
    if (need > heap_free_pages()) {
        guest_failed(g, "memory=%luM is more than the %lu MiB that are free", c->memory >> 20,
                     heap_free_pages() >> 8);
        return -XEN_ENOMEM;
    }
    g->domain = domain_create(&config, &err);
    if (!g->domain) {
        guest_failed(g, "no domain could be made (error %d)", err);
        return err;
    }
    domain_ref(g->domain);
    build_sched(g);
    log_info("%s: domain %u, %lu MiB, %u vCPUs", c->name, g->domain->id, c->memory >> 20, c->vcpus);
    return 1;
}

/* RAM page `n` (counted without the hole below 4 GiB). */
static gfn_t ram_gfn(const struct guest *g, uint64_t n)
{
    uint64_t low = g->layout.low_end >> PAGE_SHIFT;

    return _gfn(n < low ? n : n - low + (GIB(4) >> PAGE_SHIFT));
}

/* One 2 MiB piece, or one page where that is not to be had. */
static int build_ram(struct guest *g)
{
    uint64_t total = g->config->memory >> PAGE_SHIFT, n = g->progress;
    unsigned int order = RAM_ORDER;
    gfn_t gfn = ram_gfn(g, n);
    mfn_t mfn = MFN_NONE;

    if (n == total)
        return 1;
    if (IS_ALIGNED(gfn.v, 1ULL << order) && n + (1ULL << order) <= total)
        mfn = domain_alloc_pages(g->domain, order, 0);
    if (mfn_eq(mfn, MFN_NONE)) {
        order = 0;
        mfn = domain_alloc_pages(g->domain, 0, 0);
    }
    if (mfn_eq(mfn, MFN_NONE) || p2m_set(g->domain, gfn, mfn, order, P2M_RAM, NULL)) {
        guest_failed(g, "out of memory after %lu MiB", n >> 8);
        return -XEN_ENOMEM;
    }
    g->progress += 1ULL << order;
    return 0;
}

static int build_page(struct guest *g, uint64_t gpa)
{
    mfn_t mfn = domain_alloc_pages(g->domain, 0, 0);

    if (mfn_eq(mfn, MFN_NONE))
        return -XEN_ENOMEM;
    return p2m_set(g->domain, gpa_to_gfn(_gpa(gpa)), mfn, 0, P2M_RAM, NULL);
}

static int build_acpi(struct guest *g)
{
    void *buf = kpage_alloc(0);
    size_t n;
    int err = -XEN_ENOMEM;

    if (!buf)
        return err;
    n = guest_acpi_build(buf, PAGE_SIZE, _gpa(LAYOUT_ACPI), g->config->vcpus);
    err = n ? gpa_write(g->domain, _gpa(LAYOUT_ACPI), buf, n) : -XEN_EINVAL;
    kpage_free(buf, 0);
    return err;
}

/* Pages outside RAM: ACPI tables, console ring. */
static int build_pages(struct guest *g)
{
    int err = build_page(g, LAYOUT_ACPI);

    if (!err)
        err = build_page(g, LAYOUT_CONSOLE);
    if (!err)
        err = build_acpi(g);
    if (!err)
        err = guest_console_attach(g->domain, gpa_to_gfn(_gpa(LAYOUT_CONSOLE)));
    if (!err)
        err = start_info_map(g->domain, &g->layout);
    if (err) {
        guest_failed(g, "its special pages could not be made (error %d)", err);
        return err;
    }
    return 1;
}

static int build_ramdisk(struct guest *g)
{
    const struct boot_module *m = g->ramdisk;
    uint64_t total;

    if (!m)
        return 1;
    total = ALIGN_UP(m->size, PAGE_SIZE) >> PAGE_SHIFT;
    for (unsigned int i = 0; i < STEP_PAGES; i++, g->progress++) {
        gfn_t gfn = gpa_to_gfn(_gpa(g->layout.ramdisk + (g->progress << PAGE_SHIFT)));

        if (g->progress == total)
            return 1;
        window_copy(p2m_lookup(g->domain, gfn).mfn, mfn_add(hpa_to_mfn(m->start), g->progress));
    }
    return 0;
}

/* The kernel file's frames, read-only, above RAM: for the loader alone. */
static int build_module(struct guest *g)
{
    const struct boot_module *m = g->kernel;
    uint64_t total = ALIGN_UP(m->size, PAGE_SIZE) >> PAGE_SHIFT;

    for (unsigned int i = 0; i < STEP_PAGES; i++, g->progress++) {
        gfn_t gfn = gpa_to_gfn(_gpa(g->layout.module + (g->progress << PAGE_SHIFT)));
        int err;

        if (g->progress == total)
            return 1;
        err = p2m_set(g->domain, gfn, mfn_add(hpa_to_mfn(m->start), g->progress), 0, P2M_MODULE,
                      NULL);
        if (err) {
            guest_failed(g, "its kernel file could not be mapped (error %d)", err);
            return err;
        }
    }
    return 0;
}

static int build_write_loader(struct guest *g)
{
    const struct guest_layout *l = &g->layout;
    uint64_t(*table)[512] = kpage_alloc(4);
    struct loader_info info;
    int err;

    BUILD_BUG_ON(LAYOUT_TABLES != 16);
    if (!table)
        return -XEN_ENOMEM;
    layout_tables(l, table, LOADER_MEMORY_SIZE);
    layout_loader_info(l, &info);
    err = gpa_write(g->domain, _gpa(l->tables), table, LAYOUT_TABLES * PAGE_SIZE);
    if (!err)
        err = gpa_write(g->domain, _gpa(l->info), &info, sizeof(info));
    if (!err)
        err = gpa_write(g->domain, _gpa(l->image), loader_image, LOADER_IMAGE_SIZE);
    kpage_free(table, 4);
    return err;
}

static uint64_t loader_cpu_time(const struct guest *g)
{
    struct vcpu_runstate_info r;

    sched_get_runstate(g->domain->vcpu[0], &r);
    return r.time[RUNSTATE_running];
}

static void loader_overdue(void *arg)
{
    struct guest *g = arg;

    if (g->phase != BUILD_LOADING)
        return;
    if (loader_cpu_time(g) > (uint64_t)LOADER_CPU_TIME)
        domain_crash(g->domain, "its kernel could not be unpacked in %ld s of CPU time",
                     LOADER_CPU_TIME / SEC(1));
    else
        ktimer_start(&g->deadline, clock_now() + LOADER_POLL, this_cpu()->id);
}

uint64_t boot_tsc_entry;
static uint64_t boot_tsc_loader; /* when the first loader was started */

/* Once, when the first guest's kernel starts: where the time since power-on went. The TSC starts at
 * zero then; what comes before Krypton's entry is firmware and boot loader. */
static void boot_report(void)
{
    static bool told;
    uint64_t now = cpu_tsc();

    if (told)
        return;
    told = true;
    log_info(
        "boot: firmware %lu, Krypton %lu, loader %lu thousand TSC ticks until the first kernel",
        boot_tsc_entry / 1000, (boot_tsc_loader - boot_tsc_entry) / 1000,
        (now - boot_tsc_loader) / 1000);
}

static int build_loader(struct guest *g)
{
    struct vcpu *v = g->domain->vcpu[0];
    int err = build_write_loader(g);

    if (err) {
        guest_failed(g, "the loader could not be placed (error %d)", err);
        return err;
    }
    v->loading = true;
    v->initialised = true;
    reset_loader(v, _gpa(g->layout.tables), LOADER_VIRT, g->layout.low_end, g->layout.info);
    ktimer_start(&g->deadline, clock_now() + LOADER_POLL, this_cpu()->id);
    g->phase = BUILD_LOADING;
    if (!boot_tsc_loader)
        boot_tsc_loader = cpu_tsc();
    vcpu_up(v);
    return domain_unpause(g->domain);
}

static int build_unmap(struct guest *g)
{
    uint64_t total = ALIGN_UP(g->layout.module_size, PAGE_SIZE) >> PAGE_SHIFT;

    if (g->domain->vcpu[0]->running)
        return 0; /* it is on its way out */
    for (unsigned int i = 0; i < STEP_PAGES; i++, g->progress++) {
        gfn_t gfn = gpa_to_gfn(_gpa(g->layout.module + (g->progress << PAGE_SHIFT)));

        if (g->progress == total) {
            flush_domain(g->domain);
            return 1;
        }
        if (p2m_set(g->domain, gfn, MFN_NONE, 0, P2M_HOLE, NULL))
            domain_crash(g->domain, "its kernel file could not be unmapped");
    }
    return 0;
}

/* The loader leaves nothing behind: neither in its heap nor, beyond the ramdisk, in its region. */
static int build_wipe(struct guest *g)
{
    const struct guest_layout *l = &g->layout;
    uint64_t heap = l->ramdisk - g->heap, total = heap + (l->low_end - l->tables);

    for (unsigned int i = 0; i < STEP_PAGES; i++, g->progress++) {
        uint64_t at = g->progress << PAGE_SHIFT;

        if (at == total)
            return 1;
        if (gpa_zero(g->domain, _gpa(at < heap ? g->heap + at : l->tables + (at - heap)),
                     PAGE_SIZE))
            return 1; /* the guest cannot have taken it away; nothing to wipe then */
    }
    return 0;
}

static int build_enter(struct guest *g)
{
    struct domain *d = g->domain;
    struct vcpu *v0 = d->vcpu[0], *v;
    int err = start_info_write(d, &g->layout, g->config->cmdline);

    if (err) {
        guest_failed(g, "its start information could not be written (error %d)", err);
        return err;
    }
    reset_pvh(v0, (uint32_t)g->entry, LAYOUT_START_INFO);
    d->tsc_offset = -(int64_t)cpu_tsc();
    for_each_vcpu (d, v) {
        virt->set_tsc_offset(v, (uint64_t)d->tsc_offset);
        vcpu_raise(v, VWORK_TIME); /* its record was written for the TSC that the loader had */
    }
    d->start_time = clock_now();
    boot_report();
    log_info("%s: kernel starts at %#lx", g->config->name, g->entry);
    v0->loading = false;
    vcpu_pause_clear(v0, VPAUSE_WAIT);
    g->phase = BUILD_DONE;
    return 0;
}

/* Of each phase; 1: finished, negative: failed, told. */
static int (*const build_phases[])(struct guest *g) = {
    [BUILD_CREATE] = build_create,   [BUILD_RAM] = build_ram,       [BUILD_PAGES] = build_pages,
    [BUILD_RAMDISK] = build_ramdisk, [BUILD_MODULE] = build_module, [BUILD_LOADER] = build_loader,
    [BUILD_UNMAP] = build_unmap,     [BUILD_WIPE] = build_wipe,     [BUILD_START] = build_enter,
};

static bool build_step(struct task *t)
{
    struct guest *g = container_of(t, struct guest, task);
    enum build_phase phase = g->phase;
    int result;

    if (g->domain && READ_ONCE(g->domain->shutting_down))
        return false;
    result = build_phases[phase](g);
    if (result > 0) {
        g->phase++;
        g->progress = 0;
    }
    return result >= 0 && g->phase != BUILD_LOADING && g->phase != BUILD_DONE;
}

static struct guest *guest_of(struct domain *d)
{
    return d->owner;
}

static void loader_leaves(struct domain *d)
{
    vcpu_pause_set(d->vcpu[0], VPAUSE_WAIT);
    ktimer_stop(&guest_of(d)->deadline);
}

static void loader_done(struct domain *d, uint64_t entry, uint64_t low, uint64_t high,
                        uint64_t heap)
{
    struct guest *g = guest_of(d);

    loader_leaves(d);
    heap = ALIGN_DOWN(heap, PAGE_SIZE);
    if (g->phase != BUILD_LOADING || low > high || high > heap || heap > g->layout.ramdisk ||
        entry < low || entry >= high) {
        domain_crash(d, "the loader's answer makes no sense");
        return;
    }
    g->entry = entry;
    g->heap = heap;
    g->progress = 0;
    g->phase = BUILD_UNMAP;
    task_queue(&g->task);
}

static const char *const loader_errors[] = {
    [LOADER_ERR_EMPTY] = "is empty",
    [LOADER_ERR_NOT_KERNEL] = "is neither a bzImage nor an ELF kernel",
    [LOADER_ERR_TRUNCATED] = "is truncated",
    [LOADER_ERR_BAD_BZIMAGE] = "has a bzImage header that contradicts itself",
    [LOADER_ERR_UNKNOWN_FORMAT] = "is compressed in a format that is not known",
    [LOADER_ERR_CORRUPT] = "is corrupt: it cannot be decompressed",
    [LOADER_ERR_BAD_ELF] = "has ELF headers that contradict themselves",
    [LOADER_ERR_NO_NOTE] = "has no PVH entry point (PHYS32_ENTRY note)",
    [LOADER_ERR_NO_MEMORY] = "needs more memory below 4 GiB than there can be",
    [LOADER_ERR_OVERLAP] = "has a segment where loader, ramdisk or start information are",
    [LOADER_ERR_OUTSIDE] = "has a segment outside the guest's memory",
    [LOADER_ERR_TOO_LARGE] = "expands without end",
    [LOADER_ERR_BAD_ENTRY] = "has its entry point outside its segments",
    [LOADER_ERR_BAD_INFO] = "met a loader of another version",
};

/* The figure is the guest's word: it is printed, nothing else. */
static void loader_fail(struct domain *d, uint32_t code, uint64_t a, uint64_t b, uint64_t least)
{
    const char *what = code < ARRAY_SIZE(loader_errors) ? loader_errors[code] : NULL;
    const uint64_t memory = guest_of(d)->config->memory >> 20, mib = ALIGN_UP(least, MIB(1)) >> 20;

    loader_leaves(d);
    if (!least || least > LAYOUT_LOW_END)
        domain_crash(d, "its kernel file %s (%#lx, %#lx); memory=%luM",
                     what ? what : "cannot be loaded", a, b, memory);
    else if (code == LOADER_ERR_NO_MEMORY)
        domain_crash(d, "memory=%luM is too small: at least %lu MiB are needed", memory, mib);
    else
        domain_crash(d, "memory=%luM is too small: at least %lu MiB are needed (segment %#lx-%#lx)",
                     memory, mib, a, b);
}

static const struct loader_hooks hooks = {.done = loader_done, .fail = loader_fail};

void build_start(struct guest *g, domid_t id)
{
    loader_hooks = &hooks;
    g->phase = BUILD_CREATE;
    g->progress = id; /* of this phase: the domain's id */
    g->restart = false;
    task_init(&g->task, build_step);
    ktimer_init(&g->deadline, loader_overdue, g);
    task_queue(&g->task);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Floods: console by every way, events, grants, memory given back and taken without end. */
#include "attacks.h"
#include "events.h"
#include "grant.h"

/* Also what tries to look like another guest's or Krypton's line. */
void attack_console(void)
{
    static char text[] =
        "\r\x1b[2K(KR) panic: not really\n(innocent) TEST innocent: FAILURE forged\n";
    uint64_t pfn = 0;
    for (unsigned int i = 0; i < 50 && !attack_over(); i++) {
        console_io(CONSOLEIO_write, sizeof(text) - 1, text);
        console_io(CONSOLEIO_write, 3000, text); /* whatever follows it in memory */
        for (size_t k = 0; k < sizeof(text); k++)
            outb(0xe9, (uint8_t)text[k]);
        outb(0xe9, (uint8_t)random());
        attack_count();
    }
    if (hvm_param_get(HVM_PARAM_CONSOLE_PFN, &pfn) || !pfn || pfn >= 0x100000)
        return;
    /* A ring whose indices make no sense. */
    struct xencons_interface *ring = (void *)(unsigned long)(pfn << 12);
    uint64_t port = 0;
    hvm_param_get(HVM_PARAM_CONSOLE_EVTCHN, &port);
    WRITE_ONCE(ring->out_prod, (uint32_t)random());
    port_send((evtchn_port_t)port);
    WRITE_ONCE(ring->out_cons, (uint32_t)random());
    WRITE_ONCE(ring->in_prod, (uint32_t)random());
    WRITE_ONCE(ring->in_cons, (uint32_t)random());
    port_send((evtchn_port_t)port);
    WRITE_ONCE(ring->out_cons, 0); /* so that the last words get out */
    WRITE_ONCE(ring->out_prod, 0);
}

void attack_events(void)
{
    long first = port_unbound(DOMID_SELF), port = first;
    while (port > 0 && !attack_over()) {
        port_interdomain(DOMID_SELF, (evtchn_port_t)port);
        port = port_unbound(DOMID_SELF);
        attack_count();
    }
    struct shared_info *s = shared_info_map();
    for (unsigned int i = 0; i < 20000 && !attack_over(); i++) {
        uint32_t p = (uint32_t)random() % 5000;
        port_send(p);
        if (i % 64 == 0)
            memset(s->evtchn_mask, (int)random(), sizeof(s->evtchn_mask));
        if (i % 16 == 0)
            memset(s->evtchn_pending, 0, sizeof(s->evtchn_pending));
        if (i % 100 == 0)
            port_bind_vcpu(p, (unsigned int)random() % 4);
        attack_count();
    }
    fifo_init((unsigned int)random() % 2);
    fifo_expand();
    /* The words that the hypervisor links through, scribbled over while it sends. */
    for (unsigned int i = 0; i < 20000 && !attack_over(); i++) {
        uint32_t p = (uint32_t)random() % 1024;
        *fifo_word(p) = (uint32_t)random();
        port_priority(p, (uint32_t)random() % 17);
        port_send(p);
        fifo_control(0)->head[random() % 16] = (uint32_t)random();
        attack_count();
    }
    for (evtchn_port_t p = 0; p < 4096 && !attack_over(); p++)
        if (random() % 2)
            port_close(p);
}

void attack_grants(void)
{
    static uint32_t frame;
    domid_t me = own_domid();
    grant_handle_t h;
    unsigned long at = GRANT_WINDOW;
    grant_init();
    for (unsigned int i = 0; i < 2000 && !attack_over(); i++) {
        /* The table is set to grow at addresses of its own, with entries of no sense at all. */
        struct xen_add_to_physmap x = {.domid = DOMID_SELF,
                                       .space = XENMAPSPACE_grant_table,
                                       .idx = frame % 80,
                                       .gpfn = 0x80000 + frame % 1000};
        frame++;
        if (i % 16 == 0)
            memory_op(XENMEM_add_to_physmap, &x);
        grant_ref_t ref = GRANT_FIRST + (uint32_t)random() % 1000;
        grant_entry(ref)->flags = (uint16_t)random();
        grant_entry(ref)->domid = random() % 2 ? me : (domid_t)random();
        grant_entry(ref)->frame = (uint32_t)(random() % 2 ? random() % 0x2000 : random());
        struct gnttab_map_grant_ref m = {.host_addr = at + random() % 4096 * PAGE_SIZE,
                                         .flags =
                                             random() % 4 ? GNTMAP_host_map : (uint32_t)random(),
                                         .ref = ref,
                                         .dom = random() % 4 ? me : (domid_t)random()};
        grant_op(GNTTABOP_map_grant_ref, &m, 1);
        struct gnttab_copy c = {.flags = (uint16_t)(random() & 3), .len = (uint16_t)random()};
        c.source.u.gmfn = random() % 0x3000;
        c.dest.u.ref = ref;
        c.source.domid = DOMID_SELF;
        c.dest.domid = me;
        c.dest.u.gmfn = c.flags & GNTCOPY_dest_gref ? ref : 0x1800 + random() % 0x800;
        c.source.offset = (uint16_t)random();
        if (c.dest.u.gmfn >= 0x1800 || c.flags & GNTCOPY_dest_gref)
            grant_op(GNTTABOP_copy, &c, 1);
        h = random() % 2 ? m.handle : (uint32_t)random() % 5000;
        if (random() % 2) {
            struct gnttab_unmap_grant_ref u = {.host_addr = m.host_addr, .handle = h};
            grant_op(GNTTABOP_unmap_grant_ref, &u, 1);
        }
        attack_count();
    }
}

/* RAM above 32 MiB given back, taken, moved, replaced, in extents of all orders. */
void attack_memory(void)
{
    static xen_pfn_t pfns[MAX_CPUS][64];
    xen_pfn_t *mine = pfns[this_cpu()->id];
    for (unsigned int i = 0; i < 500 && !attack_over(); i++) {
        unsigned int order = (unsigned int)(random() % 12);
        for (unsigned int k = 0; k < 64; k++) {
            mine[k] = 0x2000 + random() % 0x2000;
            if (random() % 16 == 0)
                mine[k] = random() % 2 ? random() & 0xffffff : ~0ul;
            if (mine[k] < 0x2000)
                mine[k] = 0x2000;
        }
        struct xen_memory_reservation r = {.nr_extents = random() % 65,
                                           .extent_order = order < 10 ? 0 : order,
                                           .domid = DOMID_SELF};
        set_xen_guest_handle(r.extent_start, mine);
        memory_op(random() % 2 ? XENMEM_decrease_reservation : XENMEM_populate_physmap, &r);
        struct xen_add_to_physmap x = {.domid = DOMID_SELF,
                                       .space = (unsigned int)(random() % 6),
                                       .idx = 0x2000 + random() % 0x2000,
                                       .gpfn = 0x2000 + random() % 0x2000,
                                       .size = (uint16_t)(random() % 8)};
        memory_op(XENMEM_add_to_physmap, &x);
        struct xen_remove_from_physmap rm = {.domid = DOMID_SELF,
                                             .gpfn = 0x2000 + random() % 0x2000};
        memory_op(XENMEM_remove_from_physmap, &rm);
        attack_count();
    }
}

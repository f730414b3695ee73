/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door to guest memory: page by page, each byte once. Reads take no reference: if the physical
 * map changed meanwhile, what was read is thrown away and read anew. Writes hold the frame.
 */
#include "guest/access.h"
#include "arch/x86/walk/walk.h"
#include "mem/frame.h"
#include "mem/window.h"

#include "port/mem.h"

#define RFLAGS_AC (1u << 18)

/* -- guest-physical, within one page ---------------------------------------------------------- */

/* Small structures without the start-up cost of a string instruction. */
static void copy_in(char *dst, const char *src, size_t n)
{
    if (n > 64) {
        mem_copy(dst, src, n);
        return;
    }
    for (; n >= 8; n -= 8, dst += 8, src += 8) {
        uint64_t x = mem_load64(src);
        memcpy(dst, &x, 8);
    }
    for (; n; n--)
        *dst++ = (char)mem_load8(src++);
}

static void copy_out(char *dst, const char *src, size_t n)
{
    if (n > 64) {
        mem_copy(dst, src, n);
        return;
    }
    for (; n >= 8; n -= 8, dst += 8, src += 8) {
        uint64_t x;
        memcpy(&x, src, 8);
        mem_store64(dst, x);
    }
    for (; n; n--)
        mem_store8(dst++, (uint8_t)*src++);
}

static int page_read_miss(struct domain *d, void *dst, gpa_t gpa, size_t n)
{
    struct page *pg = p2m_get_page(d, gpa_to_gfn(gpa), false);

    if (!pg)
        return -XEN_EFAULT;
    char *va = window_map(page_mfn(pg));
    copy_in(dst, va + gpa.v % PAGE_SIZE, n);
    window_unmap(va);
    page_put(pg);
    return 0;
}

static int page_read(struct domain *d, void *dst, gpa_t gpa, size_t n)
{
    uint64_t generation = READ_ONCE(d->p2m.generation);
    const char *va = window_peek(p2m_peek(&d->p2m, gpa_to_gfn(gpa), generation));

    if (likely(va)) {
        copy_in(dst, va + gpa.v % PAGE_SIZE, n);
        if (likely(generation == READ_ONCE(d->p2m.generation)))
            return 0;
    }
    return page_read_miss(d, dst, gpa, n);
}

/* src NULL: zeroes. */
static int page_write(struct domain *d, gpa_t gpa, const void *src, size_t n)
{
    struct page *pg = p2m_get_page(d, gpa_to_gfn(gpa), true);

    if (unlikely(!pg))
        return -XEN_EFAULT;
    char *va = window_map(page_mfn(pg));
    if (src)
        copy_out(va + gpa.v % PAGE_SIZE, src, n);
    else
        mem_zero(va + gpa.v % PAGE_SIZE, n);
    window_unmap(va);
    page_put(pg);
    return 0;
}

/* How much of n bytes at `address` is in its page. */
static size_t in_page(uint64_t address, size_t n)
{
    return min(n, PAGE_SIZE - (size_t)(address % PAGE_SIZE));
}

static const void *advance(const void *src, size_t n)
{
    return src ? (const char *)src + n : NULL;
}

/* -- guest-physical --------------------------------------------------------------------------- */

int gpa_read(struct domain *d, void *dst, gpa_t gpa, size_t n)
{
    while (n) {
        size_t part = in_page(gpa.v, n);
        int err = page_read(d, dst, gpa, part);
        if (err)
            return err;
        dst = (char *)dst + part;
        gpa.v += part;
        n -= part;
    }
    return 0;
}

int gpa_write(struct domain *d, gpa_t gpa, const void *src, size_t n)
{
    while (n) {
        size_t part = in_page(gpa.v, n);
        int err = page_write(d, gpa, src, part);
        if (err)
            return err;
        src = advance(src, part);
        gpa.v += part;
        n -= part;
    }
    return 0;
}

int gpa_zero(struct domain *d, gpa_t gpa, size_t n)
{
    return gpa_write(d, gpa, NULL, n);
}

/* -- linear, for hypercalls ------------------------------------------------------------------- */

int guest_read(struct vcpu *v, void *dst, uint64_t linear, size_t n)
{
    struct vcpu_control c;
    uint32_t error;
    gpa_t gpa;

    virt->get_control(v, &c);
    while (n) {
        size_t part = in_page(linear, n);
        if (unlikely(walk(v, &c, linear, 0, &gpa, &error) || page_read(v->domain, dst, gpa, part)))
            return -XEN_EFAULT;
        dst = (char *)dst + part;
        linear += part;
        n -= part;
    }
    return 0;
}

int guest_write(struct vcpu *v, uint64_t linear, const void *src, size_t n)
{
    struct vcpu_control c;
    uint32_t error;
    gpa_t gpa;

    virt->get_control(v, &c);
    while (n) {
        size_t part = in_page(linear, n);
        if (unlikely(walk(v, &c, linear, WALK_WRITE, &gpa, &error) ||
                     page_write(v->domain, gpa, src, part)))
            return -XEN_EFAULT;
        src = advance(src, part);
        linear += part;
        n -= part;
    }
    return 0;
}

int guest_zero(struct vcpu *v, uint64_t linear, size_t n)
{
    return guest_write(v, linear, NULL, n);
}

/* -- linear, for emulation -------------------------------------------------------------------- */

/* The access of the guest's code itself, with its privilege. */
static unsigned int own_access(const struct vcpu *v, const struct vcpu_control *c)
{
    if (c->cpl == 3)
        return WALK_USER;
    return v->priv->regs.rflags & RFLAGS_AC ? 0 : WALK_SMAP;
}

unsigned int guest_fetch(struct vcpu *v, uint8_t *buf, uint64_t linear, unsigned int n,
                         struct guest_fault *fault)
{
    struct vcpu_control c;
    unsigned int got = 0;
    gpa_t gpa;

    virt->get_control(v, &c);
    while (got < n) {
        unsigned int part = (unsigned int)in_page(linear + got, n - got);
        fault->address = linear + got;
        if (walk(v, &c, linear + got, own_access(v, &c) | WALK_FETCH, &gpa, &fault->error) ||
            page_read(v->domain, buf + got, gpa, part))
            break;
        got += part;
    }
    return got;
}

int guest_emul_translate(struct vcpu *v, uint64_t linear, bool write, bool fetch, gpa_t *gpa,
                         struct guest_fault *fault)
{
    struct vcpu_control c;
    unsigned int access = (write ? WALK_WRITE : 0) | (fetch ? WALK_FETCH : 0);

    virt->get_control(v, &c);
    fault->address = linear;
    if (walk(v, &c, linear, access | own_access(v, &c), gpa, &fault->error))
        return -XEN_EFAULT;
    struct page *pg = p2m_get_page(v->domain, gpa_to_gfn(*gpa), write);
    if (!pg)
        return -XEN_ENOENT;
    page_put(pg);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small objects: power-of-two classes, cut from slabs of Krypton-owned pages; anything larger is
 * pages of its own. page.next of a Krypton-owned frame says which of the two an address is in.
 */
#include "core/lock.h"
#include "core/printk.h"
#include "lib/list.h"
#include "lib/string.h"
#include "mem/heap.h"

#include "port/mem.h"

#define MIN_SHIFT 4u /* 16 bytes */
#define CLASSES   8u /* up to 2 KiB */
#define SIZE_MAX_ 65536u

/* page.next: class + 1 of the slab, or order + PAGES. */
#define PAGES 0x100u

/* At the start of a slab; objects follow from OBJECTS on. */
struct slab {
    struct list link; /* [lock] among its class's slabs with a free object */
    void **free;      /* [lock] linked by their first word */
    uint32_t used;    /* [lock] */
    bool listed;      /* [lock] */
};
#define OBJECTS 64u
BUILD_BUG_ON(sizeof(struct slab) > OBJECTS);

static struct spinlock slab_lock = SPINLOCK_INIT(RANK_SLAB);
static struct list partial[CLASSES]; /* [lock] */

static size_t class_size(unsigned int class)
{
    return (size_t)1 << (class + MIN_SHIFT);
}

/* The large classes would waste half a page. */
static unsigned int class_order(unsigned int class)
{
    return class_size(class) > 512 ? 2 : 0;
}

/* The smallest n with 2^(n + base) >= size. */
static unsigned int log_up(size_t size, unsigned int base)
{
    return size <= (size_t)1 << base ? 0 : 64u - (unsigned int)__builtin_clzll(size - 1) - base;
}

static struct slab *slab_create(unsigned int class)
{
    unsigned int order = class_order(class);
    size_t size = class_size(class), bytes = PAGE_SIZE << order;
    struct slab *s = kpage_alloc(order);

    if (!s)
        return NULL;
    for (uint64_t i = 0; i < 1ULL << order; i++)
        page_of(mfn_add(kva_mfn(s), i))->next = class + 1;
    for (size_t at = OBJECTS; at + size <= bytes; at += size) {
        void **object = (void **)(void *)((char *)s + at);
        *object = s->free;
        s->free = object;
    }
    mem_poison((char *)s + OBJECTS, bytes - OBJECTS);
    return s;
}

static void slab_list(struct slab *s, unsigned int class)
{
    if (!partial[class].next)
        list_init(&partial[class]);
    list_add_head(&partial[class], &s->link);
    s->listed = true;
}

/* A slab of the class with a free object, or NULL. [lock] */
static struct slab *slab_find(unsigned int class)
{
    if (!partial[class].next || list_empty(&partial[class]))
        return NULL;
    return list_first(&partial[class], struct slab, link);
}

/* [lock] */
static void *object_take(struct slab *s)
{
    void **object = s->free;

    mem_unpoison(object, sizeof(*object));
    s->free = *object;
    s->used++;
    if (!s->free) {
        list_del(&s->link);
        s->listed = false;
    }
    return object;
}

static void *small_alloc(size_t size, unsigned int class)
{
    lock(&slab_lock);
    struct slab *s = slab_find(class);
    if (!s) {
        unlock(&slab_lock);
        s = slab_create(class);
        if (!s)
            return NULL;
        lock(&slab_lock);
        slab_list(s, class);
    }
    void *object = object_take(s);
    unlock(&slab_lock);
    mem_unpoison(object, size);
    return memset(object, 0, size);
}

void *kalloc(size_t size)
{
    if (size > SIZE_MAX_ || mem_alloc_fails())
        return NULL;
    if (size <= class_size(CLASSES - 1))
        return small_alloc(size, log_up(size, MIN_SHIFT));
    unsigned int order = log_up(size, PAGE_SHIFT);
    char *p = kpage_alloc(order);
    if (!p)
        return NULL;
    page_of(kva_mfn(p))->next = PAGES + order;
    mem_poison(p + size, (PAGE_SIZE << order) - size);
    return p;
}

static void small_free(void **object, unsigned int class)
{
    unsigned int order = class_order(class);
    struct slab *s = (void *)ALIGN_DOWN((uintptr_t)object, PAGE_SIZE << order);

    mem_unpoison(object, sizeof(*object));
    lock(&slab_lock);
    *object = s->free;
    mem_poison(object, class_size(class));
    s->free = object;
    bool empty = --s->used == 0;
    if (!s->listed)
        slab_list(s, class);
    /* The last slab of its class stays for the next allocation. */
    empty = empty && partial[class].next != partial[class].prev;
    if (empty)
        list_del(&s->link);
    unlock(&slab_lock);
    if (empty)
        kpage_free(s, order);
}

void kfree(void *p)
{
    if (!p)
        return;
    uint32_t kind = page_of(kva_mfn(p))->next;
    BUG_ON(kind == 0);
    if (kind < PAGES)
        small_free(p, kind - 1);
    else
        kpage_free(p, kind - PAGES);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Circular doubly linked lists, the link inside the element. The caller's lock guards a list.
 */
#ifndef KR_LIB_LIST_H
#define KR_LIB_LIST_H

#include "lib/types.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name)  \
    {                    \
        &(name), &(name) \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Inserts n before the position `at`: at the tail when `at` is the list's head. */
static inline void list_insert_before(struct list *at, struct list *n)
{
    n->prev = at->prev;
    n->next = at;
    at->prev->next = n;
    at->prev = n;
}

static inline void list_add_tail(struct list *head, struct list *n)
{
    list_insert_before(head, n);
}

static inline void list_add_head(struct list *head, struct list *n)
{
    list_insert_before(head->next, n);
}

/* Leaves n as an empty list, so that removing it again, or asking list_empty(n), is harmless. */
static inline void list_del(struct list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

#define list_entry(p, type, member)    container_of(p, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)

#define list_for_each_entry(pos, head, member)                                             \
    for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head); \
         pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* As above; `pos` may be removed inside the loop. */
#define list_for_each_entry_safe(pos, tmp, head, member)              \
    for (pos = list_entry((head)->next, __typeof__(*pos), member),    \
        tmp = list_entry(pos->member.next, __typeof__(*pos), member); \
         &pos->member != (head);                                      \
         pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))

#endif

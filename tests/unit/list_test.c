/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/list.h: elements keep the order of insertion at head and tail, and a removed element is an
 * empty list that may be removed again, also while the list is walked.
 */
#include "unit/unit.h"

#include "lib/list.h"

struct item {
    int n;
    struct list link;
};

static void order_kept(void **state)
{
    struct list head = LIST_INIT(head);
    struct item a = {.n = 1}, b = {.n = 2}, c = {.n = 3};
    assert_true(list_empty(&head));
    list_add_tail(&head, &b.link);
    list_add_tail(&head, &c.link);
    list_add_head(&head, &a.link);
    int next = 1;
    struct item *pos;
    list_for_each_entry (pos, &head, link)
        assert_int_equal(pos->n, next++);
    assert_int_equal(next, 4);
    assert_ptr_equal(list_first(&head, struct item, link), &a);
}

static void removal_while_walking(void **state)
{
    struct list head = LIST_INIT(head);
    struct item items[4];
    for (int i = 0; i < 4; i++) {
        items[i].n = i;
        list_add_tail(&head, &items[i].link);
    }
    struct item *pos, *tmp;
    list_for_each_entry_safe (pos, tmp, &head, link)
        if (pos->n & 1)
            list_del(&pos->link);
    assert_true(list_empty(&items[1].link));
    list_del(&items[1].link);
    assert_ptr_equal(list_first(&head, struct item, link), &items[0]);
    assert_ptr_equal(items[0].link.next, &items[2].link);
    assert_ptr_equal(head.prev, &items[2].link);
}

UNIT_MAIN(cmocka_unit_test(order_kept), cmocka_unit_test(removal_while_walking))

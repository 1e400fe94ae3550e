/* SPDX-License-Identifier: MIT */
#include "actors/router/base/heap.h"

#include <criterion/criterion.h>

#define COUNT 500

Test(heap, the_smallest_score_is_first)
{
    heap_t heap = {0};
    heap_node_t nodes[3] = {0};

    cr_assert(heap_put(&heap, &nodes[0], 7));
    cr_assert(heap_put(&heap, &nodes[1], 3));
    cr_assert(heap_put(&heap, &nodes[2], 5));

    cr_assert_eq(heap_first(&heap), &nodes[1]);
    cr_assert_eq(heap_first_but(&heap, &nodes[1]), &nodes[2]);
    cr_assert_eq(heap_first_but(&heap, &nodes[0]), &nodes[1]);
    heap_fini(&heap);
}

Test(heap, equal_scores_keep_the_order_in_which_they_were_put)
{
    heap_t heap = {0};
    heap_node_t nodes[64] = {0};
    for (size_t i = 0; i < 64; i++) {
        cr_assert(heap_put(&heap, &nodes[i], 1));
    }

    for (size_t i = 0; i < 64; i++) {
        heap_node_t *first = heap_first(&heap);
        heap_remove(&heap, first);
        cr_assert_eq(first, &nodes[i]);
    }

    cr_assert_null(heap_first(&heap));
    heap_fini(&heap);
}

Test(heap, a_node_put_again_moves_to_its_new_score)
{
    heap_t heap = {0};
    heap_node_t nodes[2] = {0};
    cr_assert(heap_put(&heap, &nodes[0], 1));
    cr_assert(heap_put(&heap, &nodes[1], 2));

    cr_assert(heap_put(&heap, &nodes[0], 3));

    cr_assert_eq(heap_first(&heap), &nodes[1]);
    cr_assert_eq(heap.count, 2);
    heap_fini(&heap);
}

Test(heap, a_node_that_is_in_no_heap_may_be_removed)
{
    heap_t heap = {0};
    heap_node_t node = {0};

    heap_remove(&heap, &node);

    cr_assert_not(heap_holds(&node));
    cr_assert_eq(heap.count, 0);
}

/* Any mixture of puts, moves and removals: what comes out is sorted, and all that was left in. */
Test(heap, agrees_with_a_sorted_list_through_a_random_walk)
{
    heap_t heap = {0};
    heap_node_t nodes[COUNT] = {0};
    uint32_t random = 1;
    for (int step = 0; step < 20 * COUNT; step++) {
        random = random * 1103515245u + 12345u;
        heap_node_t *node = &nodes[(random >> 8) % COUNT];
        if ((random >> 24) % 3 == 0) {
            heap_remove(&heap, node);
        } else {
            cr_assert(heap_put(&heap, node, (random >> 4) % 97));
        }
    }

    size_t held = 0;
    for (size_t i = 0; i < COUNT; i++) {
        held += heap_holds(&nodes[i]);
    }
    cr_assert_eq(held, heap.count);
    uint64_t last = 0;
    while (heap.count > 0) {
        heap_node_t *first = heap_first(&heap);
        heap_node_t *second = heap_first_but(&heap, first);
        heap_remove(&heap, first);
        cr_assert_geq(first->score, last);
        cr_assert_eq(heap_first(&heap), second);
        last = first->score;
    }
    heap_fini(&heap);
}

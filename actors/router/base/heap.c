/* SPDX-License-Identifier: MIT */
#include "actors/router/base/heap.h"

#include <stdlib.h>

static bool is_before(const heap_node_t *a, const heap_node_t *b)
{
    return a->score != b->score ? a->score < b->score : a->turn < b->turn;
}

static void set(heap_t *heap, size_t index, heap_node_t *node)
{
    heap->nodes[index] = node;
    node->place = index + 1;
}

/* Towards the top. Returns where it came to rest. */
static size_t rise(heap_t *heap, size_t index)
{
    heap_node_t *node = heap->nodes[index];
    while (index > 0 && is_before(node, heap->nodes[(index - 1) / 2])) {
        set(heap, index, heap->nodes[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    set(heap, index, node);
    return index;
}

static void sink(heap_t *heap, size_t index)
{
    heap_node_t *node = heap->nodes[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && is_before(heap->nodes[child + 1], heap->nodes[child])) {
            child++;
        }
        if (!is_before(heap->nodes[child], node)) {
            break;
        }
        set(heap, index, heap->nodes[child]);
        index = child;
    }
    set(heap, index, node);
}

void heap_fini(heap_t *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        heap->nodes[i]->place = 0;
    }
    free(heap->nodes);
    *heap = (heap_t){0};
}

bool heap_reserve(heap_t *heap)
{
    if (heap->count < heap->room) {
        return true;
    }
    size_t room = heap->room == 0 ? 16 : heap->room * 2;
    heap_node_t **nodes = realloc(heap->nodes, room * sizeof(*nodes));
    if (nodes == NULL) {
        return false;
    }
    heap->nodes = nodes;
    heap->room = room;
    return true;
}

bool heap_put(heap_t *heap, heap_node_t *node, uint64_t score)
{
    if (node->place == 0) {
        if (!heap_reserve(heap)) {
            return false;
        }
        set(heap, heap->count++, node);
    }
    node->score = score;
    node->turn = ++heap->turns;
    sink(heap, rise(heap, node->place - 1));
    return true;
}

void heap_remove(heap_t *heap, heap_node_t *node)
{
    if (node->place == 0) {
        return;
    }
    size_t index = node->place - 1;
    heap_node_t *last = heap->nodes[--heap->count];
    node->place = 0;
    if (last != node) {
        set(heap, index, last);
        sink(heap, rise(heap, index));
    }
}

heap_node_t *heap_first_but(const heap_t *heap, const heap_node_t *node)
{
    heap_node_t *first = heap_first(heap);
    if (first != node || first == NULL) {
        return first;
    }
    heap_node_t *left = heap->count > 1 ? heap->nodes[1] : NULL;
    heap_node_t *right = heap->count > 2 ? heap->nodes[2] : NULL;
    return right != NULL && is_before(right, left) ? right : left;
}

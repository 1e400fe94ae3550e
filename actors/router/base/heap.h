/* SPDX-License-Identifier: MIT */
/* A binary heap of nodes that live inside of other objects: the smallest score on top; equal scores
 * in the order in which they were put. Not for more than one thread. */
#ifndef TRP_ACTORS_HEAP_H
#define TRP_ACTORS_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zeroed: in no heap. */
typedef struct heap_node {
    uint64_t score;
    uint64_t turn; /* when it was put */
    size_t place;  /* index + 1 in the heap; 0: in none */
} heap_node_t;

/** Zeroed: empty. */
typedef struct heap {
    heap_node_t **nodes;
    size_t count, room;
    uint64_t turns;
} heap_t;

/** Frees the heap, not its nodes. */
void heap_fini(heap_t *heap);

/** Makes room for one node more, so that the next heap_put can't fail. False: no memory. */
bool heap_reserve(heap_t *heap);

/** Puts a node, or moves one that is in the heap to its new score. False: no memory, nothing was
 * done. cost: logarithmic; constant for a score above all others */
bool heap_put(heap_t *heap, heap_node_t *node, uint64_t score);

/** Takes a node out; one that is in no heap is left as it is. */
void heap_remove(heap_t *heap, heap_node_t *node);

/** The node with the smallest score; NULL: none. */
static inline heap_node_t *heap_first(const heap_t *heap)
{
    return heap->count > 0 ? heap->nodes[0] : NULL;
}

/** The one that would be first without `node`; NULL: none. */
heap_node_t *heap_first_but(const heap_t *heap, const heap_node_t *node);

static inline bool heap_holds(const heap_node_t *node)
{
    return node->place != 0;
}

#endif

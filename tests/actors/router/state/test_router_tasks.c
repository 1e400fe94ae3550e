/* SPDX-License-Identifier: MIT */
/* Tasks and what they stand in, without a router actor. */
#include "actors/router/state/router_tasks.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "actors/router/base/heap.h"
#include "actors/router/state/router_queue.h"
#include "tests/actors/router/state/bare_node.h"

#if defined(__SANITIZE_ADDRESS__) /* its own maps need terabytes */
#define LIMITS_ADDRESSES false
#else
#define LIMITS_ADDRESSES true
#endif

static router_t router;
static pool_t pool = {.router = &router, .settings = {.order = 1}};
static service_t service = {.name = "use", .pool = &pool};
static struct rlimit unlimited;

static void start(void)
{
    router.runtime = bare_node_open();
    pool.config = &pool.settings;
    pool.queue.fair = true;
}

static void stop(void)
{
    queue_fini(&pool.queue);
    heap_fini(&pool.ends);
    bare_node_close();
}

static task_t *enqueue(const char *key, uint8_t priority)
{
    task_t *task = task_new(&router, &service);
    cr_assert_not_null(task);
    snprintf(task->key, sizeof(task->key), "%s", key);
    task->priority = priority;
    cr_assert(task_enqueue(task, false));
    return task;
}

typedef struct block {
    struct block *next;
} block_t;

/* All memory that there is, to the last lane's worth. */
static block_t *take_all_memory(void)
{
    block_t *all = NULL;
    cr_assert_eq(getrlimit(RLIMIT_AS, &unlimited), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = unlimited.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
    for (size_t size = 1 << 20; size >= sizeof(block_t); size /= 2) {
        for (block_t *block; (block = malloc(size)) != NULL; all = block) {
            block->next = all;
        }
    }
    return all;
}

static void give_back(block_t *all)
{
    setrlimit(RLIMIT_AS, &unlimited);
    while (all != NULL) {
        block_t *next = all->next;
        free(all);
        all = next;
    }
}

static void end(task_t *task)
{
    if (task->state == TASK_QUEUED) {
        task_dequeue(task, false);
    }
    task_free(&router, task);
}

TestSuite(router_tasks, .init = start, .fini = stop);

Test(router_tasks, one_without_memory_for_its_turn_rests_and_has_it_later,
     .disabled = !LIMITS_ADDRESSES)
{
    task_t *first = enqueue("k", 1);
    task_t *next = enqueue("k", 2);
    cr_assert(next->is_held);
    task_dequeue(first, true);
    first->state = TASK_RUNNING;
    task_t *other = enqueue("l", 3); /* in the lane that the queue had to spare */

    block_t *all = take_all_memory();
    task_free(&router, first);
    give_back(all);

    cr_assert_eq(next->state, TASK_RESTING);
    cr_assert(!next->is_held);
    cr_assert_eq(pool.queued, 1, "the other one");
    cr_assert_eq(heap_first(&pool.ends), &next->end, "its pool's timer comes to it next");
    cr_assert(task_enqueue(next, true));
    cr_assert_eq(queue_first(&pool.queue), other, "of the higher priority");
    cr_assert_eq(pool.queued, 2);
    end(next);
    end(other);
    cr_assert_eq(router.tasks, 0);
    cr_assert_null(pool.sequences);
}

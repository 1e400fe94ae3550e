/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_queue.h"

#include <criterion/criterion.h>

#include "actors/router/state/router_state.h"

#define TASKS 64

static queue_t queue = {.fair = true};
static task_t tasks[TASKS];
static edge_peer_t peers[TASKS];

static task_t *put(size_t index, uint8_t client, uint8_t priority)
{
    peers[index] = (edge_peer_t){.size = 1, .id = {client}};
    tasks[index].waiter.origin.peer = &peers[index];
    tasks[index].priority = priority;
    cr_assert(queue_put(&queue, &tasks[index], false));
    return &tasks[index];
}

static size_t take(void)
{
    task_t *task = queue_first(&queue);
    cr_assert_not_null(task);
    queue_took(&queue, task);
    return (size_t)(task - tasks);
}

static void stop(void)
{
    queue_fini(&queue);
}

TestSuite(router_queue, .fini = stop);

Test(router_queue, tasks_of_one_client_leave_in_their_order)
{
    for (size_t i = 0; i < 10; i++) {
        put(i, 1, 4);
    }

    for (size_t i = 0; i < 10; i++) {
        cr_assert_eq(take(), i);
    }
    cr_assert_null(queue_first(&queue));
    cr_assert_eq(queue.count, 0);
}

Test(router_queue, clients_that_wait_take_turns)
{
    for (size_t i = 0; i < 6; i++) {
        put(i, 'a', 4); /* greedy */
    }
    put(6, 'b', 4);
    put(7, 'b', 4);

    cr_assert_eq(take(), 0);
    cr_assert_eq(take(), 6);
    cr_assert_eq(take(), 1);
    cr_assert_eq(take(), 7);
    cr_assert_eq(take(), 2);
    cr_assert_eq(take(), 3);
}

Test(router_queue, without_fairness_all_clients_are_one)
{
    queue.fair = false;
    put(0, 'a', 4);
    put(1, 'a', 4);
    put(2, 'b', 4);
    put(3, 'a', 4);

    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(take(), i);
    }
}

Test(router_queue, a_higher_priority_goes_first)
{
    put(0, 'a', 4);
    put(1, 'a', 9);
    put(2, 'b', 0);
    put(3, 'b', 9);

    cr_assert_eq(take(), 1);
    cr_assert_eq(take(), 3);
    cr_assert_eq(take(), 0);
    cr_assert_eq(take(), 2);
}

Test(router_queue, what_goes_back_in_front_is_next)
{
    put(0, 'a', 4);
    put(1, 'b', 4);
    cr_assert_eq(take(), 0);

    cr_assert(queue_put(&queue, &tasks[0], true));

    cr_assert_eq(take(), 0);
    cr_assert_eq(take(), 1);
}

Test(router_queue, any_task_may_be_taken_out)
{
    for (size_t i = 0; i < 4; i++) {
        put(i, (uint8_t)(i % 2), 4);
    }

    queue_remove(&queue, &tasks[0]);
    queue_remove(&queue, &tasks[3]);

    cr_assert_eq(queue.count, 2);
    cr_assert_eq(take(), 2);
    cr_assert_eq(take(), 1);
}

Test(router_queue, a_task_moves_to_another_queue)
{
    queue_t other = {.fair = true};
    put(0, 'a', 4);
    put(1, 'a', 4);

    cr_assert(queue_move(&other, &tasks[0]));

    cr_assert_eq(queue_first(&other), &tasks[0]);
    cr_assert_eq(queue_first(&queue), &tasks[1]);
    cr_assert_eq(queue.count + other.count, 2);
    queue_remove(&other, &tasks[0]);
    queue_fini(&other);
}

Test(router_queue, tasks_of_actors_have_lanes_by_pid)
{
    for (size_t i = 0; i < 4; i++) {
        tasks[i].waiter.origin.actor.to = (trp_pid_t){.slot = (uint32_t)(i < 3 ? 1 : 2)};
        tasks[i].priority = 4;
        cr_assert(queue_put(&queue, &tasks[i], false));
    }

    cr_assert_eq(take(), 0);
    cr_assert_eq(take(), 3);
    cr_assert_eq(take(), 1);
}

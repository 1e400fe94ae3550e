/* SPDX-License-Identifier: MIT */
/* The edge's loop, on this thread, with sockets that only count how they are treated. */
#include "runtime/core/scheduler.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TAG_AGAIN = 0x1000 };

#define MESSAGES 10000

static trp_runtime_t *runtime;
static int polls, parks, wakes, handled, longest, since_poll;
static int bell; /* an eventfd, as an edge has one */

static void count_poll(void *user)
{
    (void)user;
    polls++;
    longest = since_poll > longest ? since_poll : longest;
    since_poll = 0;
}

static void count_park(void *user, int64_t until_ns)
{
    (void)user;
    cr_assert_eq(until_ns, INT64_MAX, "there is no timer");
    parks++;
    uint64_t rung = 0;
    cr_assert_eq(read(bell, &rung, sizeof(rung)), (ssize_t)sizeof(rung));
}

static void count_wake(void *user)
{
    (void)user;
    wakes++;
    uint64_t one = 1;
    cr_assert_eq(write(bell, &one, sizeof(one)), (ssize_t)sizeof(one));
}

static void open_edge(void)
{
    bell = eventfd(0, EFD_CLOEXEC);
    runtime_options_t options = {
        .node = 1 << 16,
        .incarnation = 1,
        .cells_max = 100,
        .edge = {.poll = count_poll, .park = count_park, .wake = count_wake}};
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);
}

static void close_edge(void)
{
    runtime_destroy(&runtime);
    close(bell);
}

TestSuite(scheduler, .init = open_edge, .fini = close_edge, .timeout = 30);

static trp_status_t again(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    since_poll++;
    if (++handled == MESSAGES) {
        runtime_stop(runtime);
        return TRP_OK;
    }
    return trp_send(ctx, trp_self(ctx), message->tag, NULL, 0);
}

static const trp_class_t again_class = {.name = "again", .receive = again};

static trp_status_t stop(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    handled++;
    runtime_stop(runtime);
    return TRP_OK;
}

static const trp_class_t stop_class = {.name = "stop", .receive = stop, .flags = TRP_CLASS_EDGE};

static trp_pid_t spawn(const trp_class_t *class)
{
    trp_pid_t pid;
    trp_spawn_t options = {.class = class};
    cr_assert_eq(runtime_spawn(runtime, &options, &pid), TRP_OK);
    return pid;
}

static void send_to(trp_pid_t to)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = to;
    envelope->tag = TAG_AGAIN;
    cr_assert_eq(runtime_send(runtime, envelope), TRP_OK);
}

Test(scheduler, a_busy_edge_looks_at_its_sockets_every_64_messages)
{
    send_to(spawn(&again_class));

    runtime_run_edge(runtime);

    cr_assert_eq(handled, MESSAGES);
    cr_assert_leq(longest, 64);
    cr_assert_geq(polls, MESSAGES / 64);
    cr_assert_eq(parks, 0, "it does not wait while actors are ready");
}

static void *send_from_elsewhere(void *pid)
{
    while (atomic_load(&runtime->edge->parked) == 0) {
    }
    send_to(*(trp_pid_t *)pid);
    return NULL;
}

Test(scheduler, a_parked_edge_is_woken_by_another_threads_message_once)
{
    trp_pid_t pid = spawn(&stop_class);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, send_from_elsewhere, &pid), 0);

    runtime_run_edge(runtime);
    int rung = wakes;
    cr_assert_eq(pthread_join(thread, NULL), 0);

    cr_assert_eq(handled, 1);
    cr_assert_leq(parks, 2);
    cr_assert_leq(rung, 2, "the message, and the stop");
}

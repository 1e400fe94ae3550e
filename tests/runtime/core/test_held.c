/* SPDX-License-Identifier: MIT */
/* Actors that are held to one thread (trp_spawn_t.thread), on real threads. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "runtime/base/host.h"
#include "runtime/core/runtime.h"

#define THREADS  3
#define MESSAGES 2000
#define TAG_BALL 0x1040

typedef struct player {
    trp_pid_t other;
    pthread_t thread;
    bool knows, moved;
} player_t;

static trp_runtime_t *runtime;
static player_t players[2];
static host_word_t finished;
static int left;

/* Passes a ball to the other; the other is held elsewhere, so each hop crosses threads. */
static trp_status_t play(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    player_t *player = *(player_t **)state;
    (void)message;
    player->moved =
        player->moved || (player->knows && !pthread_equal(player->thread, pthread_self()));
    player->thread = pthread_self();
    player->knows = true;
    if (--left == 0) {
        /* Release: all that the players noted. */
        atomic_store_explicit(&finished, 1, memory_order_release);
        host_os.wake(host_os.user, &finished);
        return TRP_OK;
    }
    return trp_send(ctx, player->other, TAG_BALL, NULL, 0);
}

static trp_status_t learn(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    size_t size = 0;
    (void)ctx;
    memcpy(state, trp_message_data(args, &size), sizeof(player_t *));
    return TRP_OK;
}

static const trp_class_t player_class = {
    .name = "player", .state_size = sizeof(player_t *), .init = learn, .receive = play};

static void open_runtime(void)
{
    runtime_options_t options = {.node = 1 << 16, .incarnation = 1, .threads = THREADS};
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);
}

static void close_runtime(void)
{
    runtime_destroy(&runtime);
}

TestSuite(held, .init = open_runtime, .fini = close_runtime);

static trp_status_t spawn_held(player_t *player, uint32_t thread, trp_pid_t *pid)
{
    trp_spawn_t spawn = {.class = &player_class,
                         .thread = thread,
                         .args_tag = TAG_BALL,
                         .args = &player,
                         .args_size = sizeof(player)};
    return runtime_spawn(runtime, &spawn, pid);
}

Test(held, each_actor_runs_on_its_thread_and_on_no_other, .timeout = 60)
{
    trp_pid_t pids[2];
    left = MESSAGES;
    cr_assert_eq(spawn_held(&players[0], 1, &pids[0]), TRP_OK);
    cr_assert_eq(spawn_held(&players[1], 3, &pids[1]), TRP_OK);
    players[0].other = pids[1];
    players[1].other = pids[0];
    trp_envelope_t *ball = envelope_alloc();
    ball->to = pids[0];
    ball->tag = TAG_BALL;

    cr_assert_eq(runtime_start(runtime), TRP_OK);
    cr_assert_eq(runtime_send(runtime, ball), TRP_OK);
    while (atomic_load_explicit(&finished, memory_order_acquire) == 0) {
        host_os.sleep(host_os.user, &finished, 0, HOST_FOREVER);
    }

    cr_assert(!players[0].moved && !players[1].moved);
    cr_assert(!pthread_equal(players[0].thread, players[1].thread));
}

Test(held, a_thread_that_there_is_not_is_refused)
{
    trp_pid_t pid;

    cr_assert_eq(spawn_held(&players[0], THREADS + 1, &pid), TRP_INVALID);
    cr_assert_eq(spawn_held(&players[0], THREADS, &pid), TRP_OK);
}

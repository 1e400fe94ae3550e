/* SPDX-License-Identifier: MIT */
/* Members come and go while others publish, and all hear of dead letters: members join groups,
 * leave them, stop or are killed at any moment, and new ones are born in their place. A member that
 * stays has to get every message of every publisher, once and in order; the ledger has to add up.
 *     groups [rounds=3000] */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core/runtime.h"

enum { TAG_ROUND = 0x1000, TAG_NEWS };

#define PUBLISHERS 3
#define MEMBERS    12
#define NEWS_SIZE  200 /* bytes: a payload that is shared */
#define LIMIT_S    120

static trp_runtime_t *runtime;
static long rounds = 3000;
static atomic_long heard, broken, notices, lives, published;

/* ---- those that come and go ---- */

static trp_status_t member_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    atomic_fetch_add_explicit(&lives, 1, memory_order_relaxed);
    return trp_group_join(ctx, trp_random(ctx) % 2 == 0 ? "news.all" : "news.*");
}

static trp_status_t member_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    trp_status_t status = TRP_OK;
    switch (trp_random(ctx) % 16) {
    case 0:
        trp_stop(ctx, NULL);
        break;
    case 1:
    case 2:
        status = trp_group_join(ctx, "*");
        break;
    case 3:
        trp_group_leave(ctx, "*");
        break;
    case 4:
        status = trp_dead_letters(ctx, true);
        break;
    case 5:
        status = trp_dead_letters(ctx, false);
        break;
    default:
        break;
    }
    return status;
}

static const trp_class_t member_class = {
    .name = "member", .init = member_init, .receive = member_receive};

/* ---- publishers: one message and one birth or death for each round ---- */

struct publisher {
    long number, round;
};

static trp_status_t publisher_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    size_t size = 0;
    struct publisher *publisher = state;
    memcpy(&publisher->number, trp_message_data(args, &size), sizeof(long));
    return trp_send(ctx, trp_self(ctx), TAG_ROUND, NULL, 0);
}

/* Fills up to MEMBERS, else kills one. */
static trp_status_t churn(trp_ctx_t *ctx)
{
    trp_pid_t members[MEMBERS];
    size_t count = trp_find_class(ctx, "member", members, MEMBERS);
    if (count < MEMBERS) {
        trp_spawn_t spawn = {.class = &member_class, .depth_max = 64};
        trp_pid_t pid;
        return trp_spawn(ctx, &spawn, &pid);
    }
    if (trp_random(ctx) % 4 == 0) {
        trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
        trp_exit(ctx, members[trp_random(ctx) % MEMBERS], &reason);
    }
    return TRP_OK;
}

static trp_status_t publisher_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)message;
    struct publisher *publisher = state;
    long news[NEWS_SIZE / sizeof(long)] = {publisher->number, publisher->round++};
    trp_publication_t publication = {
        .topic = "news.all", .tag = TAG_NEWS, .data = news, .size = sizeof(news)};
    trp_published_t counts;
    trp_status_t status = trp_publish(ctx, &publication, &counts);
    if (status == TRP_OK) {
        status = churn(ctx);
    }
    if (publisher->round == rounds || status != TRP_OK) {
        atomic_fetch_add_explicit(&published, 1, memory_order_release);
        trp_stop(ctx, NULL);
        return status;
    }
    return trp_send(ctx, trp_self(ctx), TAG_ROUND, NULL, 0);
}

static const trp_class_t publisher_class = {.name = "publisher",
                                            .state_size = sizeof(struct publisher),
                                            .init = publisher_init,
                                            .receive = publisher_receive};

/* ---- the one that stays ---- */

struct stayer {
    long next[PUBLISHERS];
};

static trp_status_t stayer_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    trp_status_t status = trp_group_join(ctx, "news.all");
    if (status == TRP_OK) {
        status = trp_group_join(ctx, "news.*");
    }
    if (status == TRP_OK) {
        status = trp_dead_letters(ctx, true);
    }
    for (long i = 0; i < PUBLISHERS && status == TRP_OK; i++) { /* now it will miss nothing */
        trp_pid_t pid;
        trp_spawn_t spawn = {
            .class = &publisher_class, .args_tag = TAG_ROUND, .args = &i, .args_size = sizeof(i)};
        status = trp_spawn(ctx, &spawn, &pid);
    }
    return status;
}

static trp_status_t stayer_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    struct stayer *stayer = state;
    if (message->tag == TRP_TAG_DEAD_LETTER) {
        atomic_fetch_add_explicit(&notices, 1, memory_order_relaxed);
        return TRP_OK;
    }
    size_t size = 0;
    long news[2];
    memcpy(news, trp_message_data(message, &size), sizeof(news));
    bool good = size == NEWS_SIZE && news[0] < PUBLISHERS && stayer->next[news[0]] == news[1];
    atomic_fetch_add_explicit(good ? &heard : &broken, 1, memory_order_relaxed);
    stayer->next[news[0] % PUBLISHERS]++;
    return TRP_OK;
}

static const trp_class_t stayer_class = {.name = "stayer",
                                         .state_size = sizeof(struct stayer),
                                         .init = stayer_init,
                                         .receive = stayer_receive};

/* ---- the program ---- */

static bool start(void)
{
    runtime_options_t options = {.node = 1 << 16, .incarnation = 1, .threads = 3};
    trp_spawn_t spawn = {
        .class = &stayer_class, .name = "stayer", .depth_max = 1u << 24, .size_max = 1u << 30};
    trp_pid_t pid;
    return runtime_create(&options, &runtime) == TRP_OK &&
           runtime_spawn(runtime, &spawn, &pid) == TRP_OK && runtime_start(runtime) == TRP_OK;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "rounds=", 7) == 0) {
        rounds = strtol(argv[1] + 7, NULL, 10);
    }
    alarm(LIMIT_S);
    if (!start()) {
        fprintf(stderr, "groups: start failed\n");
        return 1;
    }
    while (atomic_load_explicit(&published, memory_order_acquire) < PUBLISHERS) {
        sched_yield();
    }
    runtime_ledger_t ledger;
    do {
        runtime_ledger(runtime, &ledger);
    } while (ledger.handled + ledger.dead + ledger.refused < ledger.sent);
    long missed = PUBLISHERS * rounds - atomic_load(&heard);
    printf("groups: %ld published, %ld missed, %ld out of order, %ld notices, %ld lives\n",
           PUBLISHERS * rounds, missed, atomic_load(&broken), atomic_load(&notices),
           atomic_load(&lives));
    runtime_destroy(&runtime);
    return missed == 0 && atomic_load(&broken) == 0 ? 0 : 1;
}

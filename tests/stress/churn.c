/* SPDX-License-Identifier: MIT */
/* Actors that end and are spawned again while others send, ask and kill by pids that may be stale:
 *     churn [spawns=20000]
 * At the end the ledger has to add up. A lost wake or a lost DOWN is a hang, which the alarm
 * ends. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stress/edge_park.h"

enum { TAG_TOKEN = 0x1000, TAG_ASK, TAG_ANSWER, TAG_TICK };

#define LIVE    64 /* mortals at a time */
#define LIFE    24 /* messages that a mortal lives for */
#define HOPS    16
#define LIMIT_S 120
#define SPAWNS  20000

static trp_runtime_t *runtime;
static trp_pid_t pids[LIVE];
static pthread_mutex_t pids_lock = PTHREAD_MUTEX_INITIALIZER;
static long spawns_left = SPAWNS;
static atomic_uint answers, timeouts, downs;

typedef struct mortal {
    int handled;
} mortal_t;

typedef struct keeper {
    int alive;
    uint64_t refs[LIVE];
} keeper_t;

static trp_pid_t any_pid(trp_ctx_t *ctx)
{
    pthread_mutex_lock(&pids_lock);
    trp_pid_t pid = pids[trp_random(ctx) % LIVE];
    pthread_mutex_unlock(&pids_lock);
    return pid;
}

static void pass_on(trp_ctx_t *ctx, int hops)
{
    if (hops > 0 && trp_send(ctx, any_pid(ctx), TAG_TOKEN, &hops, sizeof(hops)) != TRP_OK) {
        return; /* full: the ledger says refused */
    }
}

static void ask(trp_ctx_t *ctx)
{
    uint64_t id = 0;
    trp_request_t request = {.to = any_pid(ctx), .tag = TAG_ASK, .timeout_ms = 2000};
    if (trp_request(ctx, &request, &id) == TRP_OK && trp_random(ctx) % 16 == 0) {
        trp_request_cancel(ctx, id);
    }
}

static trp_status_t mortal_token(trp_ctx_t *ctx, mortal_t *mortal, const trp_envelope_t *message)
{
    size_t size = 0;
    int hops = 0;
    memcpy(&hops, trp_message_data(message, &size), sizeof(hops));
    pass_on(ctx, hops - 1);
    uint64_t dice = trp_random(ctx) % 64;
    if (dice < 16) {
        ask(ctx);
    } else if (dice == 20) {
        trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
        trp_exit(ctx, any_pid(ctx), &reason);
    } else if (dice == 21) {
        trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
        trp_exit(ctx, any_pid(ctx), &reason);
    } else if (dice == 22) {
        uint64_t timer = 0;
        (void)!trp_timer_start(ctx, 1, 1, TAG_TICK, &timer);
    } else if (dice == 23) {
        (void)!trp_link(ctx, any_pid(ctx));
    }
    return ++mortal->handled < LIFE ? TRP_OK : TRP_FAILED;
}

static trp_status_t mortal_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    switch (message->tag) {
    case TAG_TOKEN:
        return mortal_token(ctx, state, message);
    case TAG_ASK:
        if (trp_random(ctx) % 8 == 0) {
            return TRP_OK; /* never answered: our end or the time limit tells */
        }
        return trp_reply(ctx, message, TAG_ANSWER, NULL, 0) == TRP_NO_MEMORY ? TRP_NO_MEMORY
                                                                             : TRP_OK;
    case TAG_ANSWER:
        atomic_fetch_add_explicit(&answers, 1, memory_order_relaxed);
        return TRP_OK;
    case TRP_TAG_TIMEOUT:
        atomic_fetch_add_explicit(&timeouts, 1, memory_order_relaxed);
        return TRP_OK;
    case TRP_TAG_DOWN:
        atomic_fetch_add_explicit(&downs, 1, memory_order_relaxed);
        return TRP_OK;
    default:
        return TRP_OK;
    }
}

static const trp_class_t mortal_class = {
    .name = "mortal", .state_size = sizeof(mortal_t), .receive = mortal_receive};

static trp_status_t replace(trp_ctx_t *ctx, keeper_t *keeper, int index)
{
    trp_spawn_t spawn = {.class = &mortal_class,
                         .monitor = true,
                         .monitor_ref = &keeper->refs[index],
                         .depth_max = 64};
    trp_pid_t pid;
    trp_status_t status = trp_spawn(ctx, &spawn, &pid);
    if (status == TRP_OK) {
        pthread_mutex_lock(&pids_lock);
        pids[index] = pid;
        pthread_mutex_unlock(&pids_lock);
        keeper->alive++;
        spawns_left--;
        for (int i = 0; i < 4; i++) {
            pass_on(ctx, HOPS);
        }
    }
    return status;
}

static trp_status_t keeper_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    for (int i = 0; i < LIVE; i++) {
        trp_status_t status = replace(ctx, state, i);
        if (status != TRP_OK) {
            return status;
        }
    }
    uint64_t timer = 0;
    return trp_timer_start(ctx, 5, 5, TAG_TICK, &timer);
}

static trp_status_t keeper_down(trp_ctx_t *ctx, keeper_t *keeper, const trp_envelope_t *message)
{
    for (int i = 0; i < LIVE; i++) {
        if (keeper->refs[i] == message->request_id) {
            keeper->alive--;
            keeper->refs[i] = 0;
            if (spawns_left > 0) {
                return replace(ctx, keeper, i);
            }
        }
    }
    if (keeper->alive == 0) {
        runtime_stop(runtime);
    }
    return TRP_OK;
}

static trp_status_t keeper_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    keeper_t *keeper = state;
    if (message->tag == TRP_TAG_DOWN) {
        return keeper_down(ctx, keeper, message);
    }
    if (message->tag == TAG_TICK && spawns_left > 0) {
        pass_on(ctx, HOPS); /* keeps it going when all tokens have died out */
    } else if (message->tag == TAG_TICK) {
        trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
        for (int i = 0; i < LIVE; i++) {
            if (keeper->refs[i] != 0) {
                trp_exit(ctx, pids[i], &reason);
            }
        }
    }
    return TRP_OK;
}

static const trp_class_t keeper_class = {.name = "keeper",
                                         .state_size = sizeof(keeper_t),
                                         .init = keeper_init,
                                         .receive = keeper_receive,
                                         .flags = TRP_CLASS_EDGE};

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "spawns=", 7) == 0) {
        spawns_left = strtol(argv[1] + 7, NULL, 10);
    }
    alarm(LIMIT_S);
    runtime_options_t options = {
        .node = 1 << 16, .incarnation = 1, .threads = 4, .edge = edge_park_open()};
    trp_pid_t keeper;
    trp_spawn_t spawn = {.class = &keeper_class};
    if (runtime_create(&options, &runtime) != TRP_OK || runtime_start(runtime) != TRP_OK ||
        runtime_spawn(runtime, &spawn, &keeper) != TRP_OK) {
        fprintf(stderr, "churn: start failed\n");
        return 1;
    }
    runtime_run_edge(runtime);
    runtime_ledger_t ledger;
    for (;;) { /* the pool's threads are on their way out; the alarm is the limit */
        runtime_ledger(runtime, &ledger);
        if (ledger.sent == ledger.handled + ledger.queued + ledger.refused + ledger.dead) {
            break;
        }
        sched_yield();
    }
    printf("churn: sent %lu handled %lu refused %lu dead %lu; answers %u timeouts %u downs %u\n",
           ledger.sent, ledger.handled, ledger.refused, ledger.dead, answers, timeouts, downs);
    runtime_destroy(&runtime);
    close(edge_fd);
    return 0;
}

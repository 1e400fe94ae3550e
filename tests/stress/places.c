/* SPDX-License-Identifier: MIT */
/* Actors in threads of their own that come, answer, are killed and come again; clients that call
 * them; calls handed to helpers: all at once, in one node. Each life ends with a DOWN, each request
 * with an answer or word that there will be none, each call of a client with a status.
 *     places [threads=24 [rounds=400]] */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/client.h"
#include "runtime/node/node.h"
#include "runtime/offload.h"

enum { TAG_PING = 0x1000, TAG_AWAY, TAG_NEWS };
enum { CLIENTS = 3, CALLS = 150, THREADS_MAX = 2000, FAILED = 1 };

static long threads = 24, rounds = 400;
static trp_runtime_t *runtime;
static pthread_t clients[CLIENTS];
static atomic_int client_failures, clients_left;

/* ---- the actor in a thread ---- */

static trp_status_t guest_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    return trp_group_join(ctx, "guests");
}

static trp_status_t away(void *argument, zmq_msg_t *result)
{
    (void)result;
    free(argument);
    return TRP_OK;
}

static trp_status_t guest_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    uint64_t id;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag != TAG_PING) {
        return TRP_OK;
    }
    const trp_offload_t job = {.run = away, .argument = malloc(64), .tag = TAG_AWAY};
    if (trp_random(ctx) % 4 != 0 || trp_offload(ctx, &job, &id) != TRP_OK) {
        free(job.argument);
    }
    return trp_reply(ctx, message, TAG_PING, data, size);
}

static const trp_class_t guest_class = {
    .name = "guest", .init = guest_init, .receive = guest_receive};
static const trp_class_t *const classes[] = {&guest_class, NULL};

/* ---- the host of them ---- */

typedef struct inn {
    trp_pid_t guests[THREADS_MAX];
    uint64_t refs[THREADS_MAX]; /* of the monitors on them */
    long living, asked, answered, downs;
    bool closing;
} inn_t;

static trp_status_t invite(trp_ctx_t *ctx, inn_t *inn, long seat)
{
    const trp_spawn_t spawn = {.class = &guest_class,
                               .place = TRP_PLACE_THREAD,
                               .monitor = true,
                               .monitor_ref = &inn->refs[seat],
                               .ack = true};
    inn->living++;
    return trp_spawn(ctx, &spawn, &inn->guests[seat]);
}

static trp_status_t ask_some(trp_ctx_t *ctx, inn_t *inn)
{
    uint64_t id;
    const long seat = (long)(trp_random(ctx) % (uint64_t)threads);
    const trp_request_t ping = {.to = inn->guests[seat], .tag = TAG_PING, .timeout_ms = 60000};
    const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    if (inn->asked++ >= rounds) {
        return TRP_OK;
    }
    if (trp_random(ctx) % 8 == 0) {
        trp_exit(ctx, inn->guests[seat], &killed);
    }
    return trp_request(ctx, &ping, &id);
}

static void close_when_done(trp_ctx_t *ctx, inn_t *inn)
{
    const trp_reason_t shutdown = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    if (!inn->closing && inn->answered >= rounds && atomic_load(&clients_left) == 0) {
        inn->closing = true;
        for (long seat = 0; seat < threads; seat++) {
            trp_exit(ctx, inn->guests[seat], &shutdown);
        }
    }
    if (inn->closing && inn->living == 0) {
        printf("places: %ld threads, %ld asked, %ld lives ended, %d clients failed\n", threads,
               inn->answered, inn->downs, atomic_load(&client_failures));
        fflush(stdout);
        node_end(runtime, atomic_load(&client_failures) == 0 ? 0 : FAILED);
    }
}

/* The end of a life, whose seat is taken again; or a request that found its guest dead. */
static trp_status_t on_down(trp_ctx_t *ctx, inn_t *inn, const trp_envelope_t *message)
{
    for (long seat = 0; seat < threads; seat++) {
        if (inn->refs[seat] == message->request_id) {
            inn->living--;
            inn->downs++;
            return inn->closing ? TRP_OK : invite(ctx, inn, seat);
        }
    }
    inn->answered++;
    return ask_some(ctx, inn);
}

static void *call(void *unused)
{
    (void)unused;
    trp_client_t *client = NULL;
    trp_pid_t inn;
    bool passed = trp_client_open("inproc://node", &client) == TRP_OK &&
                  trp_client_join(client, "news") == TRP_OK &&
                  trp_client_whereis(client, "inn", &inn) == TRP_OK;
    for (uint32_t i = 0; passed && i < CALLS; i++) {
        const trp_envelope_t *reply;
        const trp_request_t request = {.to = inn, .tag = TAG_PING, .data = &i, .size = sizeof(i)};
        const trp_publication_t news = {.topic = "news", .tag = TAG_NEWS};
        size_t size = 0;
        passed = trp_client_call(client, &request, &reply) == TRP_OK &&
                 memcmp(trp_message_data(reply, &size), &i, sizeof(i)) == 0;
        if (passed && i % 16 == 0) {
            const trp_status_t status = trp_client_publish(client, &news);
            passed = status == TRP_OK || status == TRP_BUSY;
        }
        while (passed && trp_client_receive(client, 0, &reply) == TRP_OK) {
            passed = reply->tag == TAG_NEWS;
        }
    }
    trp_client_close(&client);
    atomic_fetch_add(&client_failures, passed ? 0 : 1);
    atomic_fetch_sub(&clients_left, 1);
    return NULL;
}

static trp_status_t inn_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    inn_t *inn = state;
    uint64_t timer;
    runtime = runtime_of(ctx);
    atomic_store(&clients_left, CLIENTS);
    for (long seat = 0; seat < threads; seat++) {
        if (invite(ctx, inn, seat) != TRP_OK) {
            return TRP_FAILED;
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_create(&clients[i], NULL, call, NULL);
    }
    return trp_timer_start(ctx, 20, 20, TRP_TAG_USER + 0x100, &timer);
}

static trp_status_t inn_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    inn_t *inn = state;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    trp_status_t status = TRP_OK;
    if (message->tag == TRP_TAG_STARTED) {
        status = ask_some(ctx, inn);
    } else if (message->tag == TRP_TAG_DOWN) {
        status = on_down(ctx, inn, message);
    } else if (message->tag == TAG_PING && (message->flags & TRP_ENVELOPE_REPLY) == 0) {
        return trp_reply(ctx, message, TAG_PING, data, size); /* a client's */
    } else if (message->tag == TAG_PING) {
        inn->answered++;
        status = ask_some(ctx, inn);
    }
    close_when_done(ctx, inn);
    return status;
}

static const trp_class_t inn_class = {
    .name = "inn", .state_size = sizeof(inn_t), .init = inn_init, .receive = inn_receive};

/* ---- the node ---- */

static trp_status_t start_inn(void *user, trp_runtime_t *node)
{
    (void)user;
    trp_pid_t pid;
    const trp_spawn_t spawn = {.class = &inn_class, .name = "inn"};
    return runtime_spawn(node, &spawn, &pid);
}

static void stop_inn(void *user, trp_runtime_t *node)
{
    (void)user;
    node_end(node, FAILED);
}

static int node_main(void *user, const guardian_child_t *child)
{
    const node_options_t options = {.classes = classes,
                                    .threads = 2,
                                    .start_ms = 60000,
                                    .start = start_inn,
                                    .stop = stop_inn,
                                    .user = user};
    const int status = node_run(&options, child);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i], NULL);
    }
    return status;
}

int main(int argc, char **argv)
{
    char run_dir[64];
    threads = argc > 1 ? strtol(argv[1], NULL, 10) : threads;
    rounds = argc > 2 ? strtol(argv[2], NULL, 10) : rounds;
    if (threads < 1 || threads > THREADS_MAX) {
        return 2;
    }
    snprintf(run_dir, sizeof(run_dir), "/tmp/troupe-places-%d", (int)getpid());
    const guardian_options_t options = {.name = "places",
                                        .run_dir = run_dir,
                                        .node = 1u << 16,
                                        .stop_ms = 5000,
                                        .node_main = node_main};
    return guardian_run(&options);
}

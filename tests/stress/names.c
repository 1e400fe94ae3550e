/* SPDX-License-Identifier: MIT */
/* Who finds a name may send to it: actors are born under names that another thread waits for and
 * writes to at once; each message has to be handled. Meanwhile that thread looks at all actors, and
 * births under a name that is taken fail.
 *     names [rounds=20000] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core/runtime.h"

enum { TAG_HELLO = 0x1000, TAG_NEXT };

#define LIMIT_S 120

static trp_runtime_t *runtime;
static long rounds = 20000;
static atomic_long born, greeted;
static long rows, torn;

static void name_of(long round, char name[TRP_NAME_MAX])
{
    snprintf(name, TRP_NAME_MAX, "child.%ld", round);
}

/* Ends by its first message. */
static trp_status_t child_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    atomic_fetch_add_explicit(&greeted, 1, memory_order_release);
    trp_stop(ctx, NULL);
    return TRP_OK;
}

static const trp_class_t child_class = {.name = "child", .receive = child_receive};

/* Gives birth to one child for each message. */
static trp_status_t parent_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    char name[TRP_NAME_MAX];
    trp_pid_t pid;
    name_of(atomic_fetch_add_explicit(&born, 1, memory_order_relaxed), name);
    trp_spawn_t taken = {.class = &child_class, .name = "parent"};
    trp_spawn_t spawn = {.class = &child_class, .name = name};
    bool refused = trp_spawn(ctx, &taken, &pid) == TRP_EXISTS;
    return refused ? trp_spawn(ctx, &spawn, &pid) : TRP_FAILED;
}

static const trp_class_t parent_class = {.name = "parent", .receive = parent_receive};

static trp_status_t post(trp_pid_t to, uint16_t tag)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL) {
        return TRP_NO_MEMORY;
    }
    envelope->to = to;
    envelope->tag = tag;
    trp_status_t status = runtime_send(runtime, envelope);
    if (status != TRP_OK) {
        envelope_free(envelope);
    }
    return status;
}

/* A row shows an actor with its own class, and its whole name or none. */
static void look(void *user, const actor_info_t *info)
{
    (void)user;
    bool child = strcmp(info->class_name, child_class.name) == 0;
    bool named = strncmp(info->name, "child.", 6) == 0;
    rows++;
    torn += trp_pid_is_none(info->pid) || (info->name[0] != '\0' && named != child);
}

/* One birth, awaited by name. False: the message was refused. */
static bool greet(trp_pid_t parent, long round)
{
    char name[TRP_NAME_MAX];
    name_of(round, name);
    if (post(parent, TAG_NEXT) != TRP_OK) {
        return false;
    }
    trp_pid_t child = TRP_PID_NONE;
    while (trp_pid_is_none(child)) {
        child = runtime_whereis(runtime, name);
    }
    runtime_each(runtime, look, NULL);
    bool sent = post(child, TAG_HELLO) == TRP_OK;
    runtime_each(runtime, look, NULL);
    return sent;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "rounds=", 7) == 0) {
        rounds = strtol(argv[1] + 7, NULL, 10);
    }
    alarm(LIMIT_S);
    runtime_options_t options = {.node = 1 << 16, .incarnation = 1, .threads = 1};
    trp_spawn_t spawn = {.class = &parent_class, .name = "parent"};
    trp_pid_t parent;
    if (runtime_create(&options, &runtime) != TRP_OK || runtime_start(runtime) != TRP_OK ||
        runtime_spawn(runtime, &spawn, &parent) != TRP_OK) {
        fprintf(stderr, "names: start failed\n");
        return 1;
    }
    long refused = 0;
    for (long round = 0; round < rounds; round++) {
        refused += !greet(parent, round);
    }
    runtime_ledger_t ledger;
    do {
        runtime_ledger(runtime, &ledger);
    } while (ledger.handled + ledger.dead + ledger.refused < ledger.sent);
    long lost = rounds - atomic_load_explicit(&greeted, memory_order_acquire);
    printf("names: %ld births, %ld refused, %ld lost; %ld rows, %ld wrong\n", rounds, refused, lost,
           rows, torn);
    runtime_destroy(&runtime);
    return lost == 0 && torn == 0 ? 0 : 1;
}

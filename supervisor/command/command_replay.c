/* SPDX-License-Identifier: MIT */
/* replay: runs an actor on the messages that a black box holds, in this process, where a debugger
 * or a sanitizer can look at it. It is started with the arguments that it had, then each message
 * that was kept whole is shown to it as a plain one, one at a time. What it sends goes nowhere. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "messages/wire.h"
#include "runtime/core/runtime.h"
#include "runtime/guardian/black_box_file.h"
#include "runtime/log.h"
#include "supervisor/command/command.h"

#define LOOK_MS 1

typedef struct replay {
    const command_call_t *call;
    trp_runtime_t *runtime;
    trp_pid_t pid;     /* of the actor, here */
    char known[64];    /* ... and as it was then */
    uint64_t handled;  /* by it, here */
    const char *state; /* "": it has ended */
    unsigned done, cut, others;
} replay_t;

/* ---- looking at the actor ---- */

static void look_at(void *user, const actor_info_t *info)
{
    replay_t *replay = user;
    if (trp_pid_equal(info->pid, replay->pid)) {
        replay->handled = info->handled;
        replay->state = info->state;
    }
}

static void look(replay_t *replay)
{
    replay->state = "";
    runtime_each(replay->runtime, look_at, replay);
}

/* Waits until it has started or ended. */
static bool wait_started(replay_t *replay)
{
    look(replay);
    while (strcmp(replay->state, "starting") == 0) {
        (void)poll(NULL, 0, LOOK_MS);
        look(replay);
    }
    return replay->state[0] != '\0';
}

/* Waits until it has handled so many. False: it has ended. */
static bool wait_handled(replay_t *replay, uint64_t handled)
{
    look(replay);
    while (replay->state[0] != '\0' && replay->handled < handled) {
        (void)poll(NULL, 0, LOOK_MS);
        look(replay);
    }
    return replay->state[0] != '\0';
}

/* ---- the messages ---- */

static bool send_item(const replay_t *replay, const black_box_item_t *item)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL || envelope_set(envelope, item->data, item->size) != TRP_OK) {
        return false;
    }
    envelope->to = replay->pid;
    envelope->from = item->from;
    envelope->tag = item->tag;
    envelope->request_id = item->request_id;
    return runtime_send(replay->runtime, envelope) == TRP_OK;
}

/* False: it has ended. */
static bool show(replay_t *replay, const black_box_item_t *item)
{
    char to[TRP_PID_TEXT_MAX];
    if (item->kind == BLACK_BOX_LOG) {
        return true;
    }
    if (strcmp(trp_pid_format(item->to, to), replay->known) != 0) {
        replay->others++; /* of an actor that it had spawned */
        return true;
    }
    if (item->size < item->whole) {
        replay->cut++;
        return true;
    }
    printf("message %llu: tag 0x%04x, %zu bytes ... ", (unsigned long long)item->turn, item->tag,
           item->size);
    fflush(stdout); /* it may be the last word of this process */
    const uint64_t before = replay->handled;
    if (!send_item(replay, item)) {
        puts("not sent: no memory");
        return false;
    }
    const bool lives = wait_handled(replay, before + 1);
    puts(lives ? "handled" : "the actor ended");
    replay->done++;
    return lives;
}

/* ---- the actor ---- */

static const trp_class_t *find_class(const command_call_t *call, trp_text_t name)
{
    for (const trp_class_t *const *class = call->classes; *class != NULL; class ++) {
        if (strlen((*class)->name) == name.size &&
            memcmp((*class)->name, name.data, name.size) == 0) {
            return *class;
        }
    }
    return NULL;
}

static int start(replay_t *replay, const link_start_t *start)
{
    const trp_spawn_t spawn = {.class = find_class(replay->call, start->class_name),
                               .args_tag = (uint16_t)start->args_tag,
                               .args = start->has_args ? start->args.data : NULL,
                               .args_size = start->has_args ? start->args.size : 0};
    if (spawn.class == NULL) {
        return command_fail(replay->call, EXIT_FAILED, "this program has no class `%.*s`",
                            (int)start->class_name.size, start->class_name.data);
    }
    snprintf(replay->known, sizeof(replay->known), "%.*s", (int)start->pid.size, start->pid.data);
    if (runtime_spawn(replay->runtime, &spawn, &replay->pid) != TRP_OK || !wait_started(replay)) {
        return command_fail(replay->call, EXIT_FAILED, "the actor did not start");
    }
    return EXIT_OK;
}

static int run_box(replay_t *replay, black_box_copy_t *copy)
{
    trp_document_t document;
    trp_fault_t fault;
    link_start_t begin;
    black_box_item_t item;
    const trp_text_t packed = {(const char *)copy->start, copy->start_size};
    if (copy->start_size == 0 ||
        trp_schema_unpack(&link_start_schema, packed, &document, &begin, &fault) != TRP_OK) {
        return command_fail(replay->call, EXIT_FAILED,
                            "the box does not say how its actor was started");
    }
    const int status = start(replay, &begin);
    trp_document_fini(&document);
    if (status != EXIT_OK) {
        return status;
    }
    bool lives = true;
    while (lives && black_box_next(copy, &item)) {
        lives = show(replay, &item);
    }
    printf("replayed %u; left out: %u that were kept in part, %u of other actors\n", replay->done,
           replay->cut, replay->others);
    return EXIT_OK;
}

static int run_file(const command_call_t *call, black_box_file_t *file)
{
    replay_t replay = {.call = call, .state = ""};
    const runtime_options_t options = {.node = 1u << 16, .incarnation = 1, .threads = 1};
    if (runtime_create(&options, &replay.runtime) != TRP_OK ||
        runtime_start(replay.runtime) != TRP_OK) {
        return command_fail(call, EXIT_FAILED, "%s", trp_status_text(TRP_NO_MEMORY));
    }
    const int status = run_box(&replay, &file->copy);
    runtime_stop(replay.runtime);
    runtime_destroy(&replay.runtime);
    return status;
}

static int run_gdb(const command_call_t *call)
{
    char program[4096];
    const ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[size > 0 ? size : 0] = '\0';
    execlp("gdb", "gdb", "-q", "-ex", "run", "--args", program, "replay", call->arguments[0],
           (char *)NULL);
    return command_fail(call, EXIT_FAILED, "gdb can't be run");
}

int command_replay(const command_call_t *call)
{
    black_box_file_t file;
    if (call->gdb) {
        return run_gdb(call);
    }
    if (black_box_load(call->arguments[0], &file) != TRP_OK) {
        return command_fail(call, EXIT_FAILED, "%s is not a black box that can be read",
                            call->arguments[0]);
    }
    const int status = run_file(call, &file);
    black_box_file_free(&file);
    return status;
}

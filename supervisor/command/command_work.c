/* SPDX-License-Identifier: MIT */
/* work: one worker without a node, over standard input and output. An actor, the desk, has a line
 * read by a helper thread, gives it to the worker as a task, prints the answer, and has the next
 * one read: so tasks are done one by one, as a worker process does them.
 *
 *     reading -> [line] -> asked -> [answer] -> reading ... -> [end of input] -> over
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/task.h"
#include "runtime/core/runtime.h"
#include "runtime/offload.h"
#include "supervisor/command/command.h"

#define TAG_LINE TRP_TAG_USER
#define WAIT_MS  3600000 /* then the main thread looks again */

/* The desk's; its argument is a pointer to it. */
typedef struct desk {
    const trp_class_t *class;
    trp_pid_t worker;
    uint64_t monitor, line, task; /* ids of what is awaited; 0: nothing */
    uint64_t serial;
} desk_t;

/* On a helper thread. */
static trp_status_t read_line(void *argument, zmq_msg_t *result)
{
    (void)argument;
    char *line = NULL;
    size_t room = 0;
    const ssize_t size = getline(&line, &room, stdin);
    trp_status_t status = size < 0 ? TRP_GONE : size > TRP_BODY_MAX ? TRP_TOO_LARGE : TRP_OK;
    if (status == TRP_OK) {
        (void)zmq_msg_close(result);
        status = zmq_msg_init_size(result, (size_t)size) == 0 ? TRP_OK : TRP_NO_MEMORY;
    }
    if (status == TRP_OK) {
        memcpy(zmq_msg_data(result), line, (size_t)size);
    }
    free(line);
    return status;
}

static trp_status_t read_next(trp_ctx_t *ctx, desk_t *desk)
{
    const trp_offload_t job = {.run = read_line, .tag = TAG_LINE, .timeout_ms = -1};
    desk->task = 0;
    return trp_offload(ctx, &job, &desk->line);
}

static void print(const char *name, const char *value, size_t size)
{
    printf("{%s%.*s}\n", name, (int)size, value);
    fflush(stdout);
}

/* What is wrong with a line goes to whoever wrote it. */
static trp_status_t complain(trp_ctx_t *ctx, desk_t *desk, const char *code, const char *message)
{
    printf("{\"success\":false,\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n", code, message);
    fflush(stdout);
    return read_next(ctx, desk);
}

/* The map `body` of a line as a task of `tool`. errors: TRP_PAYLOAD, and those of sending */
static trp_status_t ask(trp_ctx_t *ctx, desk_t *desk, const msgpack_object *tool,
                        const msgpack_object *body)
{
    char *json = NULL;
    char id[32];
    zmq_msg_t packed;
    task_run_t run = {.tool = {tool->via.str.ptr, tool->via.str.size}};
    trp_status_t status = trp_json_from_object(body, &json, &run.body.size);
    if (status != TRP_OK) {
        return status;
    }
    snprintf(id, sizeof(id), "%llu", (unsigned long long)++desk->serial);
    run.body.data = json;
    run.task_id = (trp_text_t){id, strlen(id)};
    status = trp_schema_pack(&task_run_schema, &run, &packed);
    free(json);
    if (status == TRP_OK) {
        const trp_request_t request = {
            .to = desk->worker, .tag = TRP_TAG_TASK_RUN, .message = &packed, .timeout_ms = -1};
        status = trp_request(ctx, &request, &desk->task);
        (void)zmq_msg_close(&packed);
    }
    return status;
}

static bool is_name(const msgpack_object *tool)
{
    return tool != NULL && tool->type == MSGPACK_OBJECT_STR && tool->via.str.size > 0 &&
           tool->via.str.size <= TRP_TOOL_NAME_MAX &&
           memchr(tool->via.str.ptr, '\0', tool->via.str.size) == NULL;
}

static trp_status_t on_line(trp_ctx_t *ctx, desk_t *desk, const trp_envelope_t *message)
{
    size_t size = 0;
    trp_document_t document;
    trp_fault_t fault;
    const void *line = trp_message_data(message, &size);
    if (trp_document_init(&document, line, size, &fault) != TRP_OK) {
        return complain(ctx, desk, "E_BAD_BODY", "a line is one JSON map: tool, body");
    }
    const msgpack_object *tool = trp_member(&document.root, "tool");
    const msgpack_object *body = trp_member(&document.root, "body");
    const bool is_sound = is_name(tool) && body != NULL && body->type == MSGPACK_OBJECT_MAP;
    trp_status_t status = is_sound ? ask(ctx, desk, tool, body) : TRP_PAYLOAD;
    trp_document_fini(&document);
    return status == TRP_PAYLOAD
               ? complain(ctx, desk, "E_BAD_PAYLOAD", "tool is a text and body a map, both wanted")
               : status;
}

static trp_status_t on_done(trp_ctx_t *ctx, desk_t *desk, const trp_envelope_t *message)
{
    trp_document_t document;
    task_done_t done;
    trp_fault_t fault;
    if (trp_message_unpack(&task_done_schema, message, &document, &done, &fault) != TRP_OK) {
        return TRP_FAILED;
    }
    print(done.success ? "\"success\":true,\"result\":" : "\"success\":false,\"error\":",
          done.body.data, done.body.size);
    trp_document_fini(&document);
    return read_next(ctx, desk);
}

static void on_part(const desk_t *desk, const trp_envelope_t *message)
{
    uint64_t task = 0;
    size_t size = 0;
    const char *part = trp_message_data(message, &size);
    if (size > sizeof(task)) {
        memcpy(&task, part, sizeof(task));
    }
    if (task != 0 && task == desk->task) {
        print("\"part\":", part + sizeof(task), size - sizeof(task));
    }
}

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    static const char no_options[] = "\x80"; /* a map of none: all have their defaults */
    desk_t *desk = state;
    size_t size = 0;
    memcpy(&desk->class, trp_message_data(args, &size), sizeof(desk->class));
    const trp_spawn_t spawn = {.class = desk->class,
                               .args_tag = TRP_TAG_USER,
                               .args = no_options,
                               .args_size = 1,
                               .monitor = true,
                               .monitor_ref = &desk->monitor};
    const trp_status_t status = trp_spawn(ctx, &spawn, &desk->worker);
    return status == TRP_OK ? read_next(ctx, desk) : status;
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    desk_t *desk = state;
    const uint64_t id = message->request_id;
    if (message->tag == TRP_TAG_TASK_PART) {
        on_part(desk, message);
    } else if (message->tag == TAG_LINE && id == desk->line) {
        return on_line(ctx, desk, message);
    } else if (message->tag == TRP_TAG_TASK_DONE && id == desk->task) {
        return on_done(ctx, desk, message);
    } else if (message->tag == TRP_TAG_FAILED && id == desk->line) { /* the end of the input */
        runtime_stop_with(runtime_of(ctx), EXIT_OK);
    } else if (message->tag == TRP_TAG_DOWN && id == desk->monitor) {
        return TRP_GONE;
    }
    return TRP_OK;
}

/* However it ended: the main thread waits for it. */
static void terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)state;
    char line[TRP_REASON_LINE_MAX];
    trp_reason_format(reason, line);
    fprintf(stderr, "the worker ended: %s\n", line);
    runtime_stop_with(runtime_of(ctx), EXIT_FAILED);
}

static const trp_class_t desk_class = {.name = "desk",
                                       .version = 1,
                                       .state_size = sizeof(desk_t),
                                       .init = init,
                                       .receive = receive,
                                       .terminate = terminate};

static int run(const command_call_t *call, const trp_class_t *class)
{
    const runtime_options_t options = {.node = 1u << 16, .incarnation = 1, .threads = 2};
    const trp_spawn_t spawn = {
        .class = &desk_class, .args_tag = TRP_TAG_USER, .args = &class, .args_size = sizeof(class)};
    trp_runtime_t *runtime;
    trp_pid_t desk;
    if (runtime_create(&options, &runtime) != TRP_OK) {
        return command_fail(call, EXIT_FAILED, "%s", trp_status_text(TRP_NO_MEMORY));
    }
    int status = EXIT_FAILED;
    if (runtime_start(runtime) == TRP_OK && runtime_spawn(runtime, &spawn, &desk) == TRP_OK) {
        while (!runtime_await_threads(runtime, WAIT_MS)) {
        }
        status = runtime_exit_status(runtime);
    }
    runtime_stop(runtime);
    runtime_destroy(&runtime);
    return status;
}

int command_work(const command_call_t *call)
{
    char known[256] = "";
    for (const trp_class_t *const *class = call->classes; *class != NULL; class ++) {
        if (strcmp((*class)->name, call->arguments[0]) == 0) {
            return run(call, *class);
        }
        const size_t used = strlen(known);
        snprintf(known + used, sizeof(known) - used, " %s", (*class)->name);
    }
    return command_fail(call, EXIT_USAGE, "this program has no class `%s`; it has:%s",
                        call->arguments[0], known);
}

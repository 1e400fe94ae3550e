/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/task.h"
#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

#define CALL_MS  3600000 /* the pool's own limits are shorter */
#define GRACE_MS 10000   /* the node says itself that time is up */

/* All of a file; NULL: too large, unreadable or no memory. owns: free */
static char *read_all(FILE *file, size_t *size)
{
    size_t capacity = 65536;
    char *text = malloc(capacity);
    *size = 0;
    while (text != NULL) {
        size_t got = fread(text + *size, 1, capacity - *size, file);
        *size += got;
        if (got == 0) {
            break;
        }
        if (*size == capacity) {
            char *larger = capacity >= TRP_BODY_MAX ? NULL : realloc(text, capacity * 2);
            if (larger == NULL) {
                free(text);
                return NULL;
            }
            text = larger;
            capacity *= 2;
        }
    }
    if (text != NULL && ferror(file)) {
        free(text);
        return NULL;
    }
    return text;
}

/* What `-` or `@FILE` stands for; NULL: it can't be read. owns: free */
static char *read_input(const char *argument, size_t *size)
{
    FILE *file = argument[0] == '-' ? stdin : fopen(argument + 1, "r");
    char *text = file == NULL ? NULL : read_all(file, size);
    if (file != NULL && file != stdin) {
        fclose(file);
    }
    return text;
}

/* Writes the body, one map. Returns -1 to go on, or the exit status. */
static int write_body(const command_call_t *call, trp_writer_t *request)
{
    const char *argument = call->argument_count == 2 ? call->arguments[1] : "{}";
    size_t size = strlen(argument);
    char *input = NULL;
    if (strcmp(argument, "-") == 0 || argument[0] == '@') {
        input = read_input(argument, &size);
        if (input == NULL) {
            return command_fail(call, EXIT_USAGE, "%s can't be read, or is over %d MiB",
                                argument[0] == '-' ? "standard input" : argument + 1,
                                TRP_BODY_MAX / 1024 / 1024);
        }
        argument = input;
    }
    trp_fault_t fault;
    trp_status_t status = trp_json_to_msgpack(argument, size, request, &fault);
    free(input);
    if (status != TRP_OK) {
        return command_fail(call, EXIT_USAGE, "the body is not JSON: %s, at byte %zu", fault.rule,
                            fault.offset);
    }
    return -1;
}

/* What was typed for --timeout and --priority, as numbers. */
typedef struct limits {
    int64_t timeout_ms, priority;
} limits_t;

/* Returns -1 to go on, or the exit status. */
static int read_limits(const command_call_t *call, limits_t *limits)
{
    char *end = "";
    *limits = (limits_t){.timeout_ms = CALL_MS};
    if (call->timeout != NULL) {
        const double seconds = strtod(call->timeout, &end);
        if (end == call->timeout || *end != '\0' || !(seconds >= 0.001 && seconds <= 86400)) {
            return command_fail(call, EXIT_USAGE,
                                "--timeout %s: seconds are wanted, 0.001 to 86400", call->timeout);
        }
        limits->timeout_ms = (int64_t)(seconds * 1000);
    }
    if (call->priority != NULL) {
        limits->priority = strtol(call->priority, &end, 10);
        if (end == call->priority || *end != '\0' || limits->priority < 0 || limits->priority > 9) {
            return command_fail(call, EXIT_USAGE, "--priority %s: 0 to 9 is wanted",
                                call->priority);
        }
    }
    return -1;
}

/* The request but for its body's value. Returns -1 to go on, or the exit status. */
static int write_request(const command_call_t *call, const limits_t *limits, trp_writer_t *request)
{
    trp_write_map(request,
                  5u + (call->key != NULL) + (call->idem != NULL) + (call->priority != NULL));
    trp_put_text(request, "cmd", "call");
    trp_put_text(request, "tool", call->arguments[0]);
    trp_put_int(request, "timeout_ms", limits->timeout_ms);
    trp_put_bool(request, "stream", call->stream);
    if (call->key != NULL) {
        trp_put_text(request, "key", call->key);
    }
    if (call->idem != NULL) {
        trp_put_text(request, "idem", call->idem);
    }
    if (call->priority != NULL) {
        trp_put_int(request, "priority", limits->priority);
    }
    trp_write_key(request, "body");
    return write_body(call, request);
}

/* The members of an error map beside code and message: `supported`, `path`, `limit_ms` ... */
static void print_details(const msgpack_object *error)
{
    for (uint32_t i = 0;
         error != NULL && error->type == MSGPACK_OBJECT_MAP && i < error->via.map.size; i++) {
        const msgpack_object_str *key = &error->via.map.ptr[i].key.via.str;
        char *json = NULL;
        size_t size = 0;
        bool is_shown = (key->size == 4 && memcmp(key->ptr, "code", 4) == 0) ||
                        (key->size == 7 && memcmp(key->ptr, "message", 7) == 0);
        if (!is_shown && trp_json_from_object(&error->via.map.ptr[i].val, &json, &size) == TRP_OK) {
            fprintf(stderr, "  %.*s: %s\n", (int)key->size, key->ptr, json);
            free(json);
        }
    }
}

/* What a foreign tool answers is the result as it came: mostly such a map of its own, behind its
 * partial answers if these were not asked for. */
static const msgpack_object *inner_reply(const msgpack_object *reply)
{
    const msgpack_object *result = trp_member(reply, "result");
    if (result != NULL && result->type == MSGPACK_OBJECT_ARRAY && result->via.array.size > 0) {
        result = &result->via.array.ptr[result->via.array.size - 1];
    }
    const bool is_map = result != NULL && result->type == MSGPACK_OBJECT_MAP;
    const msgpack_object *success = is_map ? trp_member(result, "success") : NULL;
    return success != NULL && success->type == MSGPACK_OBJECT_BOOLEAN ? result : reply;
}

/* Prints the reply {task_id, success, result | error}. */
static int print_reply(const command_call_t *call, const msgpack_object *reply)
{
    const msgpack_object *inner = inner_reply(reply);
    const msgpack_object *success = trp_member(inner, "success");
    const msgpack_object *result = trp_member(inner, "result");
    const msgpack_object *error = trp_member(inner, "error");
    bool is_success =
        success != NULL && success->type == MSGPACK_OBJECT_BOOLEAN && success->via.boolean;
    if (!is_success) {
        command_fail(call, EXIT_FAILED, "%s: %s", client_text(error, "code"),
                     client_text(error, "message"));
        if (!call->json) {
            print_details(error);
        }
    }
    if (call->json) {
        int status = command_print_json(call, reply);
        return is_success ? status : EXIT_FAILED;
    }
    return is_success && result != NULL ? command_print_json(call, result) : EXIT_FAILED;
}

/* Partial answers as they come. */
typedef struct stream {
    bool json;
    int64_t attempt, seen; /* so many of that attempt */
} stream_t;

static void print_part(void *user, const msgpack_object *answer, const msgpack_object *part)
{
    stream_t *stream = user;
    const int64_t attempt = client_int(answer, "attempt");
    char *json = NULL;
    size_t size = 0;
    stream->seen = attempt == stream->attempt ? stream->seen + 1 : 1;
    stream->attempt = attempt;
    if (trp_json_from_object(part, &json, &size) == TRP_OK) {
        if (stream->json) {
            printf("{\"attempt\":%lld,\"part\":%s}\n", (long long)attempt, json);
        } else {
            puts(json);
        }
        fflush(stdout);
        free(json);
    }
}

/* The reply says how many there were. Returns the exit status. */
static int check_parts(const command_call_t *call, const stream_t *stream,
                       const msgpack_object *reply)
{
    const int64_t sent = client_int(reply, "parts");
    const int64_t seen =
        client_int(trp_member(reply, "metrics"), "attempts") == stream->attempt ? stream->seen : 0;
    if (sent <= seen) {
        return EXIT_OK;
    }
    return command_fail(call, EXIT_FAILED,
                        "%lld of %lld partial answers were lost: they came faster than they were "
                        "read here",
                        (long long)(sent - seen), (long long)sent);
}

int command_call(const command_call_t *call)
{
    trp_writer_t request;
    limits_t limits;
    trp_writer_init(&request);
    int status = read_limits(call, &limits);
    status = status == -1 ? write_request(call, &limits, &request) : status;
    if (status != -1) {
        trp_writer_fini(&request);
        return status;
    }

    client_answer_t answer;
    stream_t stream = {.json = call->json};
    const client_parts_t parts = {.on_part = print_part, .user = &stream};
    if (!client_ask_parts(call, &request, (int)limits.timeout_ms + GRACE_MS,
                          call->stream ? &parts : NULL, &answer)) {
        return EXIT_FAILED;
    }
    status = print_reply(call, answer.result);
    if (status == EXIT_OK && call->stream) {
        status = check_parts(call, &stream, answer.result);
    }
    client_answer_fini(&answer);
    return status;
}

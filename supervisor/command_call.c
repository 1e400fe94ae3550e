/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/task.h"
#include "supervisor/client.h"
#include "supervisor/command.h"

#define CALL_MS 3600000 /* the pool's own limits are shorter */

/* All of standard input; NULL: too large, unreadable or no memory. owns: free */
static char *read_input(size_t *size)
{
    size_t capacity = 65536;
    char *text = malloc(capacity);
    *size = 0;
    while (text != NULL) {
        size_t got = fread(text + *size, 1, capacity - *size, stdin);
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
    if (text != NULL && ferror(stdin)) {
        free(text);
        return NULL;
    }
    return text;
}

/* Writes the body, one map. Returns -1 to go on, or the exit status. */
static int write_body(const command_call_t *call, trp_writer_t *request)
{
    const char *argument = call->argument_count == 2 ? call->arguments[1] : "{}";
    size_t size = strlen(argument);
    char *input = NULL;
    if (strcmp(argument, "-") == 0) {
        input = read_input(&size);
        if (input == NULL) {
            return command_fail(call, EXIT_USAGE, "standard input can't be read, or is over %d MiB",
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

/* Prints the reply {task_id, success, result | error}. */
static int print_reply(const command_call_t *call, const msgpack_object *reply)
{
    const msgpack_object *success = trp_member(reply, "success");
    const msgpack_object *result = trp_member(reply, "result");
    const msgpack_object *error = trp_member(reply, "error");
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

int command_call(const command_call_t *call)
{
    trp_writer_t request;
    trp_writer_init(&request);
    trp_write_map(&request, 4);
    trp_put_text(&request, "cmd", "call");
    trp_put_text(&request, "tool", call->arguments[0]);
    trp_put_int(&request, "timeout_ms", CALL_MS);
    trp_write_key(&request, "body");
    int status = write_body(call, &request);
    if (status != -1) {
        trp_writer_fini(&request);
        return status;
    }

    client_answer_t answer;
    if (!client_ask(call, &request, CALL_MS, &answer)) {
        return EXIT_FAILED;
    }
    status = print_reply(call, answer.result);
    client_answer_fini(&answer);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* cache, poison, set, debug: what people ask the router for. */
#include <stdio.h>
#include <string.h>

#include "supervisor/command/command_order.h"

#define ORDER_MS 65000

bool command_order(const command_call_t *call, const order_member_t *members, size_t count,
                   client_answer_t *answer)
{
    trp_writer_t request;
    trp_writer_init(&request);
    trp_write_map(&request, 2);
    trp_put_text(&request, "cmd", "router");
    trp_write_key(&request, "body");
    trp_write_map(&request, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        trp_put_text(&request, members[i].name, members[i].value);
    }
    return client_ask(call, &request, ORDER_MS, answer);
}

/* ---- cache ---- */

static void add_cache(text_table_t *table, const msgpack_object *result)
{
    static const char *const kinds[] = {"results", "replays"};
    static const char *const numbers[] = {"entries", "bytes",     "hits",
                                          "misses",  "evictions", "expirations"};
    for (size_t i = 0; i < 2; i++) {
        const msgpack_object *row = trp_member(result, kinds[i]);
        text_table_text(table, kinds[i]);
        for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
            text_table_int(table, client_int(row, numbers[n]));
        }
    }
}

int command_cache(const command_call_t *call)
{
    static const char *const headings[] = {"CACHE",   "#ENTRIES",   "#BYTES",       "#HITS",
                                           "#MISSES", "#EVICTIONS", "#EXPIRATIONS", NULL};
    bool clears = call->argument_count == 1;
    if (clears && strcmp(call->arguments[0], "clear") != 0) {
        return command_fail(call, EXIT_USAGE, "cache takes `clear` or nothing");
    }
    const order_member_t members[] = {{"action", clears ? "cache_clear" : "cache"}};
    client_answer_t answer;
    if (!command_order(call, members, 1, &answer)) {
        return EXIT_FAILED;
    }
    int status = command_show_value(call, answer.result, headings, add_cache);
    client_answer_fini(&answer);
    return status;
}

/* ---- poison ---- */

static void add_poison(text_table_t *table, const msgpack_object *result)
{
    for (uint32_t i = 0; result->type == MSGPACK_OBJECT_ARRAY && i < result->via.array.size; i++) {
        const msgpack_object *row = &result->via.array.ptr[i];
        const msgpack_object *reasons = trp_member(row, "reasons");
        char last[128] = "";
        if (reasons != NULL && reasons->type == MSGPACK_OBJECT_ARRAY &&
            reasons->via.array.size > 0) {
            const msgpack_object *reason = &reasons->via.array.ptr[reasons->via.array.size - 1];
            snprintf(last, sizeof(last), "%.*s", (int)reason->via.str.size, reason->via.str.ptr);
        }
        text_table_text(table, client_text(row, "task_id"));
        text_table_text(table, client_text(row, "tool"));
        text_table_int(table, client_int(row, "attempts"));
        text_table_int(table, client_int(row, "bytes"));
        text_table_text(table, last);
    }
}

int command_poison(const command_call_t *call)
{
    static const char *const headings[] = {"TASK",   "TOOL",        "#ATTEMPTS",
                                           "#BYTES", "LAST REASON", NULL};
    static const char *const actions[] = {"show", "replay", "drop"};
    client_answer_t answer;
    char action[32] = "poison";
    if (call->argument_count == 1) {
        return command_fail(call, EXIT_USAGE,
                            "poison takes nothing, or show|replay|drop and an id");
    }
    if (call->argument_count == 2) {
        bool is_known = false;
        for (size_t i = 0; i < 3; i++) {
            is_known |= strcmp(call->arguments[0], actions[i]) == 0;
        }
        if (!is_known) {
            return command_fail(call, EXIT_USAGE, "poison takes show, replay or drop, not `%s`",
                                call->arguments[0]);
        }
        snprintf(action, sizeof(action), "poison_%s", call->arguments[0]);
    }
    const order_member_t members[] = {{"action", action},
                                      {"id", call->argument_count == 2 ? call->arguments[1] : ""}};
    if (!command_order(call, members, call->argument_count == 2 ? 2 : 1, &answer)) {
        return EXIT_FAILED;
    }
    int status = call->argument_count == 2
                     ? command_print_json(call, answer.result)
                     : command_show_value(call, answer.result, headings, add_poison);
    client_answer_fini(&answer);
    return status;
}

/* ---- set ---- */

int command_set(const command_call_t *call)
{
    char option[128];
    snprintf(option, sizeof(option), "%s", call->arguments[1]);
    char *value = strchr(option, '=');
    if (value == NULL) {
        return command_fail(call, EXIT_USAGE, "expected OPTION=VALUE, not `%s`", option);
    }
    *value++ = '\0';
    const order_member_t members[] = {
        {"action", "set"}, {"pool", call->arguments[0]}, {"option", option}, {"value", value}};
    client_answer_t answer;
    if (!command_order(call, members, 4, &answer)) {
        return EXIT_FAILED;
    }
    client_answer_fini(&answer);
    if (call->json) {
        puts("true");
    }
    return EXIT_OK;
}

/* ---- debug ---- */

int command_debug(const command_call_t *call)
{
    const order_member_t members[] = {{"action", "crash"}};
    client_answer_t answer;
    if (strcmp(call->arguments[0], "crash-router") != 0) {
        return command_fail(call, EXIT_USAGE, "debug takes crash-router, not `%s`",
                            call->arguments[0]);
    }
    if (!command_order(call, members, 1, &answer)) {
        return EXIT_FAILED;
    }
    client_answer_fini(&answer);
    if (call->json) {
        puts("true");
    }
    return EXIT_OK;
}

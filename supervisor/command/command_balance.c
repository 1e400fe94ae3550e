/* SPDX-License-Identifier: MIT */
/* snapshot, balance, select: figures of all pools, and how they spread their tasks. */
#include <stdio.h>
#include <string.h>

#include "supervisor/command/command_order.h"

/* ---- snapshot ---- */

static void add_members(text_table_t *table, const char *group, const msgpack_object *map)
{
    for (uint32_t i = 0; map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        const msgpack_object_kv *member = &map->via.map.ptr[i];
        char name[64], text[32];
        snprintf(name, sizeof(name), "%.20s%s%.*s", group, group[0] != '\0' ? "." : "",
                 (int)member->key.via.str.size, member->key.via.str.ptr);
        if (member->val.type == MSGPACK_OBJECT_MAP) {
            add_members(table, name, &member->val);
            continue;
        }
        text_table_text(table, name);
        if (member->val.type == MSGPACK_OBJECT_FLOAT64) {
            snprintf(text, sizeof(text), "%.3f", member->val.via.f64);
        } else {
            snprintf(text, sizeof(text), "%lld", (long long)member->val.via.i64);
        }
        text_table_text(table, text);
    }
}

static void add_snapshot(text_table_t *table, const msgpack_object *result)
{
    add_members(table, "", result);
}

static int show(const command_call_t *call, const char *action, const char *const *headings,
                command_fill_t *fill)
{
    const order_member_t members[] = {{"action", action}};
    client_answer_t answer;
    if (!command_order(call, members, 1, &answer)) {
        return EXIT_FAILED;
    }
    int status = command_show_value(call, answer.result, headings, fill);
    client_answer_fini(&answer);
    return status;
}

int command_snapshot(const command_call_t *call)
{
    static const char *const headings[] = {"FIGURE", "#VALUE", NULL};
    return show(call, "snapshot", headings, add_snapshot);
}

/* ---- balance ---- */

static void add_percent(text_table_t *table, const msgpack_object *row, const char *name)
{
    const msgpack_object *member = trp_member(row, name);
    char text[32];
    snprintf(text, sizeof(text), "%.1f",
             member != NULL && member->type == MSGPACK_OBJECT_FLOAT64 ? member->via.f64 * 100 : 0);
    text_table_text(table, text);
}

static void add_pool(text_table_t *table, const msgpack_object *pool)
{
    static const char *const numbers[] = {"running", "keys", "weight", "done", "failed"};
    const msgpack_object *workers = trp_member(pool, "workers");
    for (uint32_t i = 0; workers != NULL && i < workers->via.array.size; i++) {
        const msgpack_object *row = &workers->via.array.ptr[i];
        text_table_text(table, client_text(row, "id"));
        text_table_text(table, client_text(pool, "strategy"));
        text_table_text(table, client_text(row, "state"));
        for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
            text_table_int(table, client_int(row, numbers[n]));
        }
        add_percent(table, row, "share");
        add_percent(table, row, "wanted");
        add_percent(table, row, "use");
    }
}

static void add_balance(text_table_t *table, const msgpack_object *result)
{
    for (uint32_t i = 0; result->type == MSGPACK_OBJECT_ARRAY && i < result->via.array.size; i++) {
        add_pool(table, &result->via.array.ptr[i]);
    }
}

static void print_advice(const msgpack_object *pool)
{
    const msgpack_object *list = trp_member(pool, "recommendations");
    for (uint32_t i = 0; list != NULL && i < list->via.array.size; i++) {
        const msgpack_object *row = &list->via.array.ptr[i];
        printf("%s: %s: ", client_text(pool, "pool"), client_text(row, "code"));
        puts(client_text(row, "text"));
    }
}

int command_balance(const command_call_t *call)
{
    static const char *const headings[] = {"WORKER",   "STRATEGY",  "STATE",     "#RUNNING",
                                           "#KEYS",    "#WEIGHT",   "#DONE",     "#FAILED",
                                           "#SHARE %", "#WANTED %", "#IN USE %", NULL};
    const order_member_t members[] = {{"action", "balance"}};
    client_answer_t answer;
    if (!command_order(call, members, 1, &answer)) {
        return EXIT_FAILED;
    }
    int status = command_show_value(call, answer.result, headings, add_balance);
    const msgpack_object *pools = answer.result;
    for (uint32_t i = 0;
         !call->json && pools->type == MSGPACK_OBJECT_ARRAY && i < pools->via.array.size; i++) {
        print_advice(&pools->via.array.ptr[i]);
    }
    client_answer_fini(&answer);
    return status;
}

/* ---- select ---- */

int command_select(const command_call_t *call)
{
    const int count = call->argument_count;
    const order_member_t members[] = {{"action", "select"},
                                      {"pool", call->arguments[0]},
                                      {"option", count > 1 ? call->arguments[1] : ""},
                                      {"value", count > 2 ? call->arguments[2] : ""}};
    client_answer_t answer;
    if (!command_order(call, members, (size_t)count + 1, &answer)) {
        return EXIT_FAILED;
    }
    int status = EXIT_OK;
    if (call->json) {
        status = command_print_json(call, answer.result);
    } else {
        puts(client_text(answer.result, "worker"));
    }
    client_answer_fini(&answer);
    return status;
}

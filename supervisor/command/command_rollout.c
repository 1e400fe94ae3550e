/* SPDX-License-Identifier: MIT */
/* rollout: a second pool beside the first, for a share of a tool's calls. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/command/command_order.h"

static double client_real(const msgpack_object *row, const char *name)
{
    const msgpack_object *member = trp_member(row, name);
    bool is_real = member != NULL && (member->type == MSGPACK_OBJECT_FLOAT64 ||
                                      member->type == MSGPACK_OBJECT_FLOAT32);
    return is_real ? member->via.f64 : (double)client_int(row, name);
}

static void add_ms(text_table_t *table, const msgpack_object *side, const char *name)
{
    char text[32];
    snprintf(text, sizeof(text), "%.2f", (double)client_int(side, name) / 1000);
    text_table_text(table, text);
}

static void add_percent(text_table_t *table, const msgpack_object *side, const char *name)
{
    char text[32];
    snprintf(text, sizeof(text), "%.2f", client_real(side, name) * 100);
    text_table_text(table, text);
}

/* What the second pool does; of the first one, what is compared. */
static void add_role(text_table_t *table, const msgpack_object *rollout, bool is_second)
{
    char text[64] = "";
    bool takes = strcmp(client_text(rollout, "mode"), "take") == 0;
    int64_t share = client_int(rollout, "share");
    if (is_second && share == 0) {
        snprintf(text, sizeof(text), "off");
    } else if (is_second) {
        snprintf(text, sizeof(text), "%s %" PRId64 " %%", takes ? "takes" : "compared", share);
    }
    text_table_text(table, text);
}

static void add_side(text_table_t *table, const msgpack_object *rollout, const msgpack_object *side,
                     bool is_second)
{
    text_table_text(table, is_second ? "" : client_text(rollout, "tool"));
    text_table_text(table, client_text(side, "pool"));
    add_role(table, rollout, is_second);
    text_table_int(table, client_int(side, "calls"));
    add_percent(table, side, "error_rate");
    add_ms(table, side, "p50_us");
    add_ms(table, side, "p95_us");
    add_ms(table, side, "p99_us");
    text_table_int(table, client_int(side, "rss_bytes") / (1024 * 1024));
    add_percent(table, side, "crash_rate");
    text_table_int(table, is_second ? client_int(rollout, "equal") : 0);
    text_table_int(table, is_second ? client_int(rollout, "different") : 0);
    text_table_int(table, is_second ? client_int(rollout, "skipped") : 0);
}

static void add_rollout(text_table_t *table, const msgpack_object *rollout)
{
    const msgpack_object *sides = trp_member(rollout, "sides");
    for (uint32_t i = 0; sides != NULL && sides->type == MSGPACK_OBJECT_ARRAY && i < 2; i++) {
        add_side(table, rollout, &sides->via.array.ptr[i], i == 1);
    }
}

static void add_rollouts(text_table_t *table, const msgpack_object *result)
{
    if (result->type == MSGPACK_OBJECT_MAP) {
        add_rollout(table, result);
    }
    for (uint32_t i = 0; result->type == MSGPACK_OBJECT_ARRAY && i < result->via.array.size; i++) {
        add_rollout(table, &result->via.array.ptr[i]);
    }
}

/* The last results that differed, one JSON map a line. */
static void print_examples(const command_call_t *call, const msgpack_object *result)
{
    const msgpack_object *examples = trp_member(result, "examples");
    for (uint32_t i = 0; examples != NULL && i < examples->via.array.size; i++) {
        (void)command_print_json(call, &examples->via.array.ptr[i]);
    }
}

int command_rollout(const command_call_t *call)
{
    static const char *const headings[] = {
        "TOOL",    "POOL",       "SHARE",      "#CALLS", "#ERRORS %",  "#P50 MS",   "#P95 MS",
        "#P99 MS", "#MEMORY MB", "#CRASHES %", "#EQUAL", "#DIFFERENT", "#NOT MADE", NULL};
    const int count = call->argument_count;
    const char *share = count > 1 ? call->arguments[1] : "";
    const order_member_t members[] = {{"action", count == 0   ? "rollout"
                                                 : count == 1 ? "rollout_show"
                                                              : "rollout_set"},
                                      {"tool", count > 0 ? call->arguments[0] : ""},
                                      {"value", strcmp(share, "off") == 0 ? "0" : share},
                                      {"option", count > 2 ? call->arguments[2] : ""}};
    client_answer_t answer;
    if (!command_order(call, members, count == 0 ? 1 : (size_t)count + 1, &answer)) {
        return EXIT_FAILED;
    }
    int status = command_show_value(call, answer.result, headings, add_rollouts);
    if (count == 1 && !call->json) {
        print_examples(call, answer.result);
    }
    client_answer_fini(&answer);
    return status;
}

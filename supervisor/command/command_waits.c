/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

#define SECONDS_DEFAULT 5
#define SECONDS_MAX     60
#define ANSWER_MS       10000 /* after the time that it looks */

/* 0: it is no number of seconds. */
static int seconds_of(const command_call_t *call)
{
    if (call->argument_count < 2) {
        return SECONDS_DEFAULT;
    }
    char *end = NULL;
    const long seconds = strtol(call->arguments[1], &end, 10);
    return *end == '\0' && end != call->arguments[1] && seconds >= 1 && seconds <= SECONDS_MAX
               ? (int)seconds
               : 0;
}

static void add_waits(text_table_t *table, const msgpack_object *result)
{
    const msgpack_object *rows = trp_member(result, "histogram");
    const int64_t noted = client_int(result, "noted");
    int64_t passed = 0;
    for (uint32_t i = 0;
         rows != NULL && rows->type == MSGPACK_OBJECT_ARRAY && i < rows->via.array.size; i++) {
        const msgpack_object *row = &rows->via.array.ptr[i];
        char share[16];
        passed += client_int(row, "count");
        snprintf(share, sizeof(share), "%.1f",
                 noted == 0 ? 0.0 : 100.0 * (double)passed / (double)noted);
        text_table_ms(table, client_int(row, "below_ns"));
        text_table_int(table, client_int(row, "count"));
        text_table_text(table, share);
    }
}

static bool has_ended(const msgpack_object *result)
{
    const msgpack_object *ended = trp_member(result, "ended");
    return ended != NULL && ended->type == MSGPACK_OBJECT_BOOLEAN && ended->via.boolean;
}

static void print_head(const msgpack_object *result)
{
    printf("%s %s %s, in %lld s: handled %lld, busy %.3f ms%s\n"
           "waited: p50 %.3f ms, p90 %.3f ms, p99 %.3f ms, max %.3f ms\n",
           client_text(result, "pid"), client_text(result, "class"), client_text(result, "name"),
           (long long)client_int(result, "seconds"), (long long)client_int(result, "handled"),
           (double)client_int(result, "busy_ns") / 1e6, has_ended(result) ? "; it has ended" : "",
           (double)client_int(result, "p50_ns") / 1e6, (double)client_int(result, "p90_ns") / 1e6,
           (double)client_int(result, "p99_ns") / 1e6, (double)client_int(result, "max_ns") / 1e6);
}

int command_waits(const command_call_t *call)
{
    static const char *const headings[] = {"#BELOW_MS", "#MESSAGES", "#UP_TO_PERCENT", NULL};
    const int seconds = seconds_of(call);
    trp_writer_t request;
    client_answer_t answer;
    if (seconds == 0) {
        return command_fail(call, EXIT_USAGE, "`%s` is no number of seconds from 1 to %d",
                            call->arguments[1], SECONDS_MAX);
    }
    trp_writer_init(&request);
    trp_write_map(&request, 3);
    trp_put_text(&request, "cmd", "waits");
    trp_put_text(&request, "who", call->arguments[0]);
    trp_put_int(&request, "seconds", seconds);
    if (!client_ask(call, &request, seconds * 1000 + ANSWER_MS, &answer)) {
        return EXIT_FAILED;
    }
    if (!call->json) {
        print_head(answer.result);
    }
    const int status = command_show_value(call, answer.result, headings, add_waits);
    client_answer_fini(&answer);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* Runs scenarios against real supervisors on a stepped scheduler with virtual time, and prints what
 * happened.
 *
 *     supervision_trace SCENARIOS.jsonl    prints {"name": NAME, "trace": [EVENTS ...]} for each
 *
 * The form of scenarios and traces, and traces of Erlang/OTP: tests/supervision/README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "tests/supervision/ask.h"
#include "tests/supervision/script.h"
#include "tests/supervision/stage.h"

#define STOP_MS_MAX 100000 /* of virtual time for one step's stops */

/* Until nothing happens any more, with the time that stops may take. */
static void settle(void)
{
    stage_settle();
    for (int ms = 0; ms < STOP_MS_MAX && cast_waits_for_time(); ms++) {
        stage_skip_ms(1);
        stage_settle();
    }
}

/* ---- steps ---- */

static const char *text_of(const json_t *step, const char *member)
{
    const char *text = json_string_value(json_object_get(step, member));
    return text == NULL ? "" : text;
}

static void crash(const json_t *step, int number)
{
    place_t *place = cast_place(text_of(step, "child"));
    trp_reason_t reason = script_reason(text_of(step, "reason"));
    if (!place->is_up) {
        ask_log(number, json_string("not_running"));
        return;
    }
    if (reason.kind == TRP_REASON_KILLED) {
        stage_release(place->pid); /* who is killed is held no more */
    }
    ask_crash(place->pid, &reason);
}

static void finish_start(const json_t *step)
{
    const place_t *place = cast_place(text_of(step, "child"));
    int outcome = (int)script_outcome(text_of(step, "outcome"));
    if (place->is_live) {
        ask_finish(place->pid, outcome);
    }
}

static void play(const json_t *step, int number)
{
    const char *op = text_of(step, "op");
    if (strcmp(op, "crash") == 0) {
        crash(step, number);
    } else if (strcmp(op, "wait") == 0) {
        stage_skip_ms(json_integer_value(json_object_get(step, "ms")));
    } else if (strcmp(op, "hold") == 0) {
        stage_hold(cast_place(text_of(step, "sup"))->pid);
    } else if (strcmp(op, "release") == 0) {
        stage_release(cast_place(text_of(step, "sup"))->pid);
    } else if (strcmp(op, "finish_start") == 0) {
        finish_start(step);
    } else if (strcmp(op, "stop") == 0) {
        ask_stop(number);
    } else {
        ask_step(step, number);
    }
}

/* ---- scenarios ---- */

static bool log_left(const place_t *place)
{
    if (place->is_live) {
        cast_log(json_pack("[ss]", "left", place->path));
    }
    return false;
}

static json_t *play_all(const json_t *scenario)
{
    json_t *trace = json_array();
    role_t *root = script_child(json_object_get(scenario, "tree"), "root");
    const json_t *steps = json_object_get(scenario, "steps");
    size_t count = json_array_size(steps);
    ask_open(root);
    settle();
    json_array_append_new(trace, cast_take_events());
    for (size_t i = 0; i < count; i++) {
        play(json_array_get(steps, i), (int)i + 1);
        settle();
        if (i + 1 == count) {
            cast_any(log_left);
        }
        json_array_append_new(trace, cast_take_events());
    }
    return trace;
}

static void run(const json_t *scenario)
{
    const char *name = text_of(scenario, "name");
    cast_open();
    stage_open();
    json_t *trace = play_all(scenario);
    stage_close();
    ask_close();
    cast_close();
    json_t *line = json_pack("{ssso}", "name", name, "trace", trace);
    if (line == NULL || json_dumpf(line, stdout, JSON_COMPACT) != 0) {
        stage_fail("%s: its trace can't be written", name);
    }
    putchar('\n');
    json_decref(line);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: %s SCENARIOS.jsonl\n", argv[0]);
        return 2;
    }
    log_level_set(LOG_FATAL + 1); /* reports are looked at in the traces */
    for (int number = 1; getline(&line, &size, file) > 0; number++) {
        json_error_t error;
        json_t *scenario = json_loads(line, 0, &error);
        if (scenario == NULL) {
            stage_fail("%s:%d: %s", argv[1], number, error.text);
        }
        run(scenario);
        json_decref(scenario);
    }
    free(line);
    fclose(file);
    return 0;
}

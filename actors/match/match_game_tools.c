/* SPDX-License-Identifier: MIT */
/* The tools of one match: each is an input of the machine, or a look at it. */
#include "actors/match/match_game.h"

#include <stdio.h>

#include "actors/match/match_player.h"
#include "actors/match/match_snapshot.h"

static match_input_t input_of(const tool_call_t *call, match_event_t event)
{
    return (match_input_t){.event = event,
                           .now_ms = match_game_now_ms(call->ctx),
                           .epoch_ms = trp_epoch_ms(call->ctx)};
}

/* ---- replies ---- */

static trp_status_t refuse(tool_call_t *call, const match_verdict_t *verdict)
{
    if (verdict->code == MATCH_E_BAD_PAYLOAD && verdict->fault.path[0] != '\0') {
        return tool_fail_fault(call, &verdict->fault);
    }
    return tool_fail(call, match_code_name(verdict->code), "%s", verdict->text);
}

/* Hands an input to the machine. TRP_OK: it was taken. */
static trp_status_t handle(tool_call_t *call, const match_input_t *input, match_verdict_t *verdict)
{
    match_game_t *game = call->state;
    trp_status_t status = match_handle(&game->match, input, verdict);
    if (status != TRP_OK) {
        return status;
    }
    return verdict->code == MATCH_E_NONE ? TRP_OK : refuse(call, verdict);
}

static trp_status_t reply_snapshot(tool_call_t *call, const match_view_t *view)
{
    match_game_t *game = call->state;
    match_write_snapshot(&game->match, view, &call->result);
    return TRP_OK;
}

/* The host's key, compared in a time that does not depend on where it differs. */
static trp_status_t check_host(tool_call_t *call, trp_text_t key)
{
    const match_game_t *game = call->state;
    trp_text_t own = game->seed.host_key;
    unsigned char difference = own.size == key.size ? 0 : 1;
    for (size_t i = 0; i < own.size && i < key.size; i++) {
        difference |= (unsigned char)(own.data[i] ^ key.data[i]);
    }
    return difference == 0 ? TRP_OK : tool_fail(call, "E_FORBIDDEN", "only the host may do this");
}

static trp_status_t run_for_host(tool_call_t *call, trp_text_t key, const match_input_t *input)
{
    match_verdict_t verdict;
    trp_status_t status = check_host(call, key);
    if (status == TRP_OK) {
        status = handle(call, input, &verdict);
    }
    return status == TRP_OK ? reply_snapshot(call, &(match_view_t){0}) : status;
}

/* ---- tools ---- */

static trp_status_t run_join(tool_call_t *call, const void *request)
{
    const match_join_t *join = request;
    match_game_t *game = call->state;
    match_input_t input = input_of(call, MATCH_EVENT_JOIN);
    match_verdict_t verdict;
    char made_up[MATCH_ID_MAX + 1];
    snprintf(made_up, sizeof(made_up), "p-%016llx%016llx",
             (unsigned long long)trp_random(call->ctx), (unsigned long long)trp_random(call->ctx));
    input.player_id = join->has_player_id ? join->player_id : match_text(made_up);
    input.name = join->name;
    if (join->has_team) {
        input.team = join->team;
    }
    trp_status_t status = handle(call, &input, &verdict);
    if (status != TRP_OK) {
        return status;
    }
    trp_writer_t *writer = &call->result;
    trp_write_map(writer, 5);
    trp_put_text(writer, "player_id", verdict.player->id);
    trp_put_int(writer, "seat", verdict.player->seat);
    trp_put_text(writer, "name", verdict.player->name);
    trp_put_bool(writer, "returned", verdict.returned);
    trp_write_key(writer, "match");
    match_write_snapshot(&game->match, &(match_view_t){.player = verdict.player}, writer);
    return TRP_OK;
}

static trp_status_t run_leave(tool_call_t *call, const void *request)
{
    const match_leave_t *leave = request;
    match_input_t input = input_of(call, MATCH_EVENT_LEAVE);
    match_verdict_t verdict;
    input.player_id = leave->player_id;
    trp_status_t status = handle(call, &input, &verdict);
    return status == TRP_OK ? reply_snapshot(call, &(match_view_t){0}) : status;
}

static trp_status_t run_start(tool_call_t *call, const void *request)
{
    const match_start_t *start = request;
    const match_input_t input = input_of(call, MATCH_EVENT_START);
    return run_for_host(call, start->host_key, &input);
}

static trp_status_t run_end(tool_call_t *call, const void *request)
{
    const match_end_t *end = request;
    const match_input_t input = input_of(call, MATCH_EVENT_END);
    return run_for_host(call, end->host_key, &input);
}

static trp_status_t run_control(tool_call_t *call, const void *request)
{
    /* In the order of the choices of match_control's action. */
    static const match_event_t events[] = {MATCH_EVENT_NEXT, MATCH_EVENT_PAUSE,  MATCH_EVENT_RESUME,
                                           MATCH_EVENT_SKIP, MATCH_EVENT_EXTEND, MATCH_EVENT_KICK,
                                           MATCH_EVENT_LOCK, MATCH_EVENT_UNLOCK};
    const match_control_t *control = request;
    match_input_t input = input_of(call, events[control->action]);
    if (input.event == MATCH_EVENT_KICK && !control->has_seat) {
        trp_fault_t fault = {0};
        trp_fault_set(&fault, NULL, "seat", "there with the action kick");
        return tool_fail_fault(call, &fault);
    }
    input.seat = control->has_seat ? (uint32_t)control->seat : 0;
    return run_for_host(call, control->host_key, &input);
}

static trp_status_t run_answer(tool_call_t *call, const void *request)
{
    const match_answer_t *answer = request;
    match_input_t input = input_of(call, MATCH_EVENT_ANSWER);
    match_verdict_t verdict;
    input.player_id = answer->player_id;
    input.question_id = answer->question_id;
    input.answer = answer->answer;
    input.rtt_ms = answer->has_rtt_ms ? answer->rtt_ms : 0;
    if (answer->has_answer_id) {
        input.answer_id = answer->answer_id;
    }
    trp_status_t status = handle(call, &input, &verdict);
    if (status != TRP_OK) {
        return status;
    }
    trp_writer_t *writer = &call->result;
    trp_write_map(writer, 3);
    trp_put_bool(writer, "accepted", verdict.accepted);
    trp_put_int(writer, "t_ms", verdict.t_ms);
    trp_put_int(writer, "epoch_ms", input.epoch_ms);
    return TRP_OK;
}

static trp_status_t run_state(tool_call_t *call, const void *request)
{
    const match_state_t *state = request;
    match_game_t *game = call->state;
    match_view_t view = {.has_since = state->has_since_version,
                         .since = state->has_since_version ? (uint64_t)state->since_version : 0};
    trp_status_t status =
        match_tick(&game->match, match_game_now_ms(call->ctx), trp_epoch_ms(call->ctx));
    if (status != TRP_OK) {
        return status;
    }
    match_seen(&game->match);
    if (state->has_player_id) {
        view.player = match_player_find(&game->match, state->player_id);
        if (view.player == NULL || view.player->kicked) {
            return tool_fail(call, "E_NOT_FOUND", "no such player in this match");
        }
    }
    return reply_snapshot(call, &view);
}

static const tool_t tools[] = {
    {"match_join", &match_join_schema, run_join},
    {"match_leave", &match_leave_schema, run_leave},
    {"match_start", &match_start_schema, run_start},
    {"match_answer", &match_answer_schema, run_answer},
    {"match_state", &match_state_schema, run_state},
    {"match_end", &match_end_schema, run_end},
    {"match_control", &match_control_schema, run_control},
};
const tool_table_t match_game_tools = {.tools = tools, .count = sizeof(tools) / sizeof(tools[0])};

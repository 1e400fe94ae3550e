/* SPDX-License-Identifier: MIT */
/* One match as an actor: the pure machine of match_logic.h with a timer, a log and tools. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match.h"
#include "actors/match_logic.h"
#include "actors/match_notice.h"
#include "actors/match_player.h"
#include "actors/match_snapshot.h"
#include "actors/tool.h"
#include "runtime/log.h"

typedef struct game {
    match_t match;
    match_seed_t seed;
    trp_document_t document; /* what the seed points to, with `bytes` */
    void *bytes;
    trp_pid_t worker; /* the root: passes tasks on until it is told that the match is over */
    bool is_leaving;  /* it was told */
    uint64_t timer;
    int64_t timer_ms; /* when it fires; MATCH_NEVER: none is set */
    uint64_t logged;  /* version up to which notices were logged */
} game_t;

static int64_t now_ms(const trp_ctx_t *ctx)
{
    return trp_now_ns(ctx) / 1000000;
}

static match_input_t input_of(const tool_call_t *call, match_event_t event)
{
    return (match_input_t){
        .event = event, .now_ms = now_ms(call->ctx), .epoch_ms = trp_epoch_ms(call->ctx)};
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
    game_t *game = call->state;
    trp_status_t status = match_handle(&game->match, input, verdict);
    if (status != TRP_OK) {
        return status;
    }
    return verdict->code == MATCH_E_NONE ? TRP_OK : refuse(call, verdict);
}

static trp_status_t reply_snapshot(tool_call_t *call, const match_view_t *view)
{
    game_t *game = call->state;
    match_write_snapshot(&game->match, view, &call->result);
    return TRP_OK;
}

/* The host's key, compared in a time that does not depend on where it differs. */
static trp_status_t check_host(tool_call_t *call, trp_text_t key)
{
    const game_t *game = call->state;
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
    game_t *game = call->state;
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
    trp_write_key(writer, "player_id");
    trp_write_text(writer, verdict.player->id);
    trp_write_key(writer, "seat");
    trp_write_int(writer, verdict.player->seat);
    trp_write_key(writer, "name");
    trp_write_text(writer, verdict.player->name);
    trp_write_key(writer, "returned");
    trp_write_bool(writer, verdict.returned);
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
    trp_write_key(writer, "accepted");
    trp_write_bool(writer, verdict.accepted);
    trp_write_key(writer, "t_ms");
    trp_write_int(writer, verdict.t_ms);
    trp_write_key(writer, "epoch_ms");
    trp_write_int(writer, input.epoch_ms);
    return TRP_OK;
}

static trp_status_t run_state(tool_call_t *call, const void *request)
{
    const match_state_t *state = request;
    game_t *game = call->state;
    match_view_t view = {.has_since = state->has_since_version,
                         .since = state->has_since_version ? (uint64_t)state->since_version : 0};
    trp_status_t status = match_tick(&game->match, now_ms(call->ctx), trp_epoch_ms(call->ctx));
    if (status != TRP_OK) {
        return status;
    }
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
static const tool_table_t table = {.tools = tools, .count = sizeof(tools) / sizeof(tools[0])};

/* ---- the actor ---- */

/* A line for each transition (what players do: at debug level); here the store will be written. */
static void log_news(trp_ctx_t *ctx, game_t *game)
{
    const match_t *match = &game->match;
    for (uint64_t version = game->logged + 1; version <= match->version; version++) {
        const match_notice_t *notice = match_notice(match, version);
        bool is_player = notice != NULL && strncmp(notice->event, "player:", 7) == 0;
        if (notice != NULL) {
            trp_log(ctx, is_player ? LOG_DEBUG : LOG_INFO, "match_event", "%.*s %s version %llu",
                    (int)game->seed.match_id.size, game->seed.match_id.data, notice->event,
                    (unsigned long long)version);
        }
    }
    if (game->logged != match->version) {
        trp_describe(ctx, match_phase_name(match->phase));
    }
    game->logged = match->version;
}

static trp_status_t set_timer(trp_ctx_t *ctx, game_t *game)
{
    int64_t at_ms = match_deadline(&game->match);
    if (at_ms == game->timer_ms) {
        return TRP_OK;
    }
    if (game->timer_ms != MATCH_NEVER) {
        trp_timer_cancel(ctx, game->timer);
    }
    game->timer_ms = at_ms;
    if (at_ms == MATCH_NEVER) {
        return TRP_OK;
    }
    int64_t delay_ms = at_ms - now_ms(ctx);
    return trp_timer_start(ctx, delay_ms < 0 ? 0 : delay_ms, 0, MATCH_TAG_TIMER, &game->timer);
}

/* A match that is over serves what was passed on to it before the worker knew. */
static trp_status_t settle(trp_ctx_t *ctx, game_t *game)
{
    log_news(ctx, game);
    if (game->is_leaving || trp_pid_is_none(game->worker) ||
        !match_is_over(&game->match, now_ms(ctx))) {
        return game->is_leaving ? TRP_OK : set_timer(ctx, game);
    }
    game->is_leaving = true;
    return trp_send(ctx, game->worker, MATCH_TAG_OVER, NULL, 0);
}

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    game_t *game = state;
    trp_fault_t fault;
    size_t size = 0;
    const void *data = args == NULL ? NULL : trp_message_data(args, &size);
    game->bytes = malloc(size + 1);
    if (game->bytes == NULL) {
        return TRP_NO_MEMORY;
    }
    if (size != 0) {
        memcpy(game->bytes, data, size);
    }
    game->timer_ms = MATCH_NEVER;
    game->worker = args == NULL ? TRP_PID_NONE : args->from;
    trp_status_t status = trp_schema_unpack(&match_seed_schema, (trp_text_t){game->bytes, size},
                                            &game->document, &game->seed, &fault);
    if (status != TRP_OK) {
        free(game->bytes);
        return status;
    }
    status = match_init(&game->match, &game->seed, now_ms(ctx), trp_epoch_ms(ctx), &fault);
    if (status == TRP_OK) {
        status = settle(ctx, game);
    }
    if (status != TRP_OK) { /* terminate is not called */
        match_fini(&game->match);
        trp_document_fini(&game->document);
        free(game->bytes);
    }
    return status;
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    game_t *game = state;
    trp_status_t status = TRP_OK;
    switch (message->tag) {
    case TRP_TAG_TASK_RUN:
        status = tool_serve(ctx, state, message, &table);
        break;
    case MATCH_TAG_TIMER:
        game->timer_ms = MATCH_NEVER;
        status = match_tick(&game->match, now_ms(ctx), trp_epoch_ms(ctx));
        break;
    case MATCH_TAG_BYE:
        trp_stop(ctx, NULL);
        return TRP_OK;
    default:
        return TRP_OK;
    }
    return status == TRP_OK ? settle(ctx, game) : status;
}

static void terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx, (void)reason;
    game_t *game = state;
    match_fini(&game->match);
    trp_document_fini(&game->document);
    free(game->bytes);
}

static const trp_schema_t *const messages[] = {
    &task_run_schema,      &match_seed_schema,
    &match_join_schema,    &match_leave_schema,
    &match_start_schema,   &match_answer_schema,
    &match_state_schema,   &match_end_schema,
    &match_control_schema, NULL,
};

const trp_class_t match_game_class = {.name = "match_game",
                                      .version = 1,
                                      .state_size = sizeof(game_t),
                                      .init = init,
                                      .receive = receive,
                                      .terminate = terminate,
                                      .messages = messages};

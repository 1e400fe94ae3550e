/* SPDX-License-Identifier: MIT */
/* One match as an actor: the pure machine of match_logic.h with a timer and a log. */
#include "actors/match/match_game.h"

#include <stdlib.h>
#include <string.h>

#include "actors/match/match.h"
#include "actors/match/match_notice.h"
#include "runtime/log.h"

/* A line for each transition (what players do: at debug level); here the store will be written. */
static void log_news(trp_ctx_t *ctx, match_game_t *game)
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

static trp_status_t set_timer(trp_ctx_t *ctx, match_game_t *game)
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
    int64_t delay_ms = at_ms - match_game_now_ms(ctx);
    return trp_timer_start(ctx, delay_ms < 0 ? 0 : delay_ms, 0, MATCH_TAG_TIMER, &game->timer);
}

/* Ends the match's actor, with `status` as its reason: once the worker passes no more tasks on and
 * says so, since a task in the mailbox of a dead actor would run into its time limit. */
static trp_status_t leave(trp_ctx_t *ctx, match_game_t *game, trp_status_t status)
{
    if (game->is_leaving) {
        return TRP_OK;
    }
    game->is_leaving = true;
    game->status = status;
    return trp_send(ctx, game->worker, MATCH_TAG_OVER, NULL, 0);
}

static trp_status_t settle(trp_ctx_t *ctx, match_game_t *game)
{
    log_news(ctx, game);
    if (game->is_leaving) {
        return TRP_OK;
    }
    if (match_is_over(&game->match, match_game_now_ms(ctx))) {
        return leave(ctx, game, TRP_OK);
    }
    return set_timer(ctx, game);
}

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    match_game_t *game = state;
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
    status =
        match_init(&game->match, &game->seed, match_game_now_ms(ctx), trp_epoch_ms(ctx), &fault);
    if (status == TRP_OK) {
        trp_describe(ctx, match_phase_name(game->match.phase));
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
    match_game_t *game = state;
    trp_status_t status = TRP_OK;
    switch (message->tag) {
    case TRP_TAG_TASK_RUN:
        status = tool_serve(ctx, state, message, &match_game_tools);
        break;
    case MATCH_TAG_TIMER:
        game->timer_ms = MATCH_NEVER;
        status = match_tick(&game->match, match_game_now_ms(ctx), trp_epoch_ms(ctx));
        break;
    case MATCH_TAG_BYE:
        trp_stop(ctx, NULL);
        return game->status;
    default:
        return TRP_OK;
    }
    return status == TRP_OK ? settle(ctx, game) : leave(ctx, game, status);
}

static void terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx, (void)reason;
    match_game_t *game = state;
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
                                      .state_size = sizeof(match_game_t),
                                      .init = init,
                                      .receive = receive,
                                      .terminate = terminate,
                                      .messages = messages,
                                      .answers = tool_answers};

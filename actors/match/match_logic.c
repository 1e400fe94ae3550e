/* SPDX-License-Identifier: MIT */
#include "actors/match/match_logic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_notice.h"

/* Order of play: the seed's, or one that depends on the match's id alone. */
static trp_status_t make_items(match_t *match, trp_fault_t *fault)
{
    const match_seed_t *seed = match->seed;
    uint32_t order[MATCH_QUESTIONS_MAX];
    uint64_t state = match_shuffle_seed(seed->match_id);
    match->items = calloc(seed->questions_count, sizeof(*match->items));
    if (match->items == NULL) {
        return TRP_NO_MEMORY;
    }
    match_shuffle(&state, order, (uint32_t)seed->questions_count);
    for (size_t i = 0; i < seed->questions_count; i++) {
        size_t from = match->settings.shuffle_questions ? order[i] : i;
        char path[64];
        snprintf(path, sizeof(path), "questions[%zu]", from);
        match->item_count++;
        trp_status_t status =
            match_item_init(&match->items[i], &seed->questions[from], path, fault);
        if (status != TRP_OK) {
            return status;
        }
        if (match->settings.shuffle_options) {
            match_item_shuffle(&match->items[i], &state);
        }
    }
    return TRP_OK;
}

trp_status_t match_init(match_t *match, const match_seed_t *seed, int64_t now_ms, int64_t epoch_ms,
                        trp_fault_t *fault)
{
    *match = (match_t){.seed = seed,
                       .settings = match_settings_default,
                       .phase_ends_ms = MATCH_NEVER,
                       .current = -1,
                       .now_ms = now_ms,
                       .epoch_ms = epoch_ms,
                       .created_ms = now_ms,
                       .heard_ms = now_ms,
                       .empty_since_ms = now_ms};
    trp_status_t status = match_settings_apply(&match->settings, &seed->rules, fault);
    if (status != TRP_OK) {
        return status;
    }
    match->linger_ms = match->settings.finished_ttl_s * 1000;
    return make_items(match, fault);
}

void match_fini(match_t *match)
{
    for (size_t i = 0; i < match->item_count; i++) {
        match_item_fini(&match->items[i]);
    }
    for (size_t i = 0; i < match->player_count; i++) {
        free(match->players[i].folded);
    }
    match_notices_free(match);
    free(match->items);
    free(match->players);
    free(match->ranking);
    *match = (match_t){0};
}

const char *match_phase_name(match_phase_t phase)
{
    static const char *const names[MATCH_PHASES] = {
        "LOBBY", "COUNTDOWN", "QUESTION", "REVEAL", "LEADERBOARD", "PAUSED", "FINISHED", "ABORTED"};
    return names[phase];
}

const char *match_code_name(match_code_t code)
{
    static const char *const names[MATCH_CODES] = {
#define MATCH_CODE_NAME(name, text) "E_" #name,
        MATCH_CODE_MAP(MATCH_CODE_NAME)
#undef MATCH_CODE_NAME
    };
    return names[code];
}

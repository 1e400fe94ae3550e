/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "actors/match/match_player.h"

#define RATE_WINDOW_MS 1000

bool match_all_answered(const match_t *match)
{
    bool somebody = false;
    /* Where the last answer counts, players may still change theirs. */
    if (match->phase != MATCH_QUESTION || match->settings.last_answer) {
        return false;
    }
    for (size_t i = 0; i < match->player_count; i++) {
        const match_player_t *player = &match->players[i];
        if (!player->connected || player->first_item > match->current) {
            continue;
        }
        if (!player->answered) {
            return false;
        }
        somebody = true;
    }
    return somebody;
}

static bool is_too_fast(match_player_t *player, int64_t now_ms)
{
    int64_t *slot = &player->attempts_ms[player->attempts % MATCH_RATE_MAX];
    if (player->attempts >= MATCH_RATE_MAX && now_ms - *slot < RATE_WINDOW_MS) {
        return true;
    }
    *slot = now_ms;
    player->attempts++;
    return false;
}

/* Who answers; NULL when all is said already: a refusal, or the acknowledgement once more. */
static match_player_t *admit(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    match_player_t *player = match_player_find(match, input->player_id);
    if (player == NULL || player->kicked || !player->connected) {
        match_refuse(verdict, MATCH_E_NOT_FOUND, "no such player is there");
        return NULL;
    }
    if (is_too_fast(player, match->now_ms)) {
        match_refuse(verdict, MATCH_E_RATE, "more than 5 answers in a second");
        return NULL;
    }
    verdict->player = player;
    if (input->answer_id.data == NULL || player->answer_id[0] == '\0' ||
        !match_text_is(match_text(player->answer_id), input->answer_id)) {
        return player;
    }
    verdict->accepted = player->ack_accepted;
    verdict->t_ms = player->ack_ms;
    return NULL;
}

/* The index among the questions opened so far; -1: none of them. */
static int32_t opened_index(const match_t *match, trp_text_t question_id)
{
    for (int32_t i = match->current; i >= 0; i--) {
        if (match_text_is(match->items[i].question->id, question_id)) {
            return i;
        }
    }
    return -1;
}

static void acknowledge(match_player_t *player, const match_input_t *input,
                        match_verdict_t *verdict)
{
    verdict->t_ms = player->t_ms;
    if (input->answer_id.data == NULL) {
        return;
    }
    memcpy(player->answer_id, input->answer_id.data, input->answer_id.size);
    player->answer_id[input->answer_id.size] = '\0';
    player->ack_accepted = verdict->accepted;
    player->ack_ms = verdict->t_ms;
}

void match_answer_take(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    match_player_t *player = admit(match, input, verdict);
    if (player == NULL) {
        return;
    }
    int32_t index = opened_index(match, input->question_id);
    if (index != match->current) {
        match_refuse(verdict, index < 0 ? MATCH_E_NOT_FOUND : MATCH_E_LATE,
                     index < 0 ? "no such question was opened" : "the question is closed");
        return;
    }
    match_given_t given;
    trp_status_t status =
        match_given_read(&match->items[index], input->answer, &given, &verdict->fault);
    if (status == TRP_PAYLOAD) {
        match_refuse(verdict, MATCH_E_BAD_PAYLOAD, "not an answer to this question");
        return;
    }
    if (status != TRP_OK) {
        match->failed = true;
        return;
    }
    verdict->accepted = !player->answered || match->settings.last_answer;
    if (verdict->accepted) {
        player->answered = true;
        player->given = given;
        player->t_ms = match_answer_time(&match->settings, match->round.time_ms,
                                         match->now_ms - match->round.opened_ms, input->rtt_ms);
    }
    acknowledge(player, input, verdict);
}

void match_answer_late(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    if (admit(match, input, verdict) == NULL) {
        return;
    }
    if (opened_index(match, input->question_id) < 0) {
        match_refuse(verdict, MATCH_E_NOT_FOUND, "no such question was opened");
    } else {
        match_refuse(verdict, MATCH_E_LATE, "the question is closed");
    }
}

void match_answer_hold(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    if (admit(match, input, verdict) != NULL) {
        match_refuse(verdict, MATCH_E_STATE, "the match is paused");
    }
}

/* SPDX-License-Identifier: MIT */
#include "actors/match/match_rank.h"

#include <stdlib.h>

static int64_t points_of(const match_t *match, match_player_t *player)
{
    const match_item_t *item = &match->items[match->current];
    const match_given_t *given = &player->given;
    int64_t base =
        item->question->has_points ? item->question->points : match->settings.base_points;
    int64_t points = match_points(&match->settings, base, match->round.time_ms, player->t_ms);
    points = match_share(points, given->right, given->wrong, item->correct_count);
    if (!given->is_correct) {
        player->streak = 0;
        return points;
    }
    player->correct++;
    player->streak++;
    if (player->streak > player->streak_best) {
        player->streak_best = player->streak;
    }
    return points + match_bonus(&match->settings, base, player->streak);
}

static void settle(match_t *match, match_player_t *player)
{
    if (!player->answered) {
        if (player->late_item != match->current) {
            player->streak = 0;
            player->timeouts++;
            match->round.missed++;
        }
        return;
    }
    player->has_result = true;
    player->result_item = match->current;
    player->result_correct = player->given.is_correct;
    player->result_points = points_of(match, player);
    player->score += player->result_points;
    player->answer_ms += player->t_ms;
    match->awarded += player->result_points;
    match->answers++;
    match->answers_right += player->given.is_correct ? 1 : 0;
    match->round.right += player->given.is_correct ? 1 : 0;
}

void match_settle_question(match_t *match)
{
    const match_item_t *item = &match->items[match->current];
    for (size_t i = 0; i < match->player_count; i++) {
        match_player_t *player = &match->players[i];
        player->has_result = false;
        if (player->kicked) {
            continue;
        }
        for (uint32_t k = 0; player->answered && k < item->choice_count; k++) {
            match->round.histogram[k] += (player->given.mask >> k) & 1u;
        }
        match->round.answers += player->answered ? 1 : 0;
        if (!match->round.is_void) {
            settle(match, player);
        }
        player->answered = false;
    }
    match->is_ranked = false;
}

static int first_three(const match_player_t *a, const match_player_t *b)
{
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    if (a->correct != b->correct) {
        return a->correct > b->correct ? -1 : 1;
    }
    return (a->answer_ms > b->answer_ms) - (a->answer_ms < b->answer_ms);
}

static int by_rank(const void *left, const void *right)
{
    const match_player_t *a = *(match_player_t *const *)left, *b = *(match_player_t *const *)right;
    int order = first_three(a, b);
    if (order != 0) {
        return order;
    }
    if (a->timeouts != b->timeouts) {
        return a->timeouts < b->timeouts ? -1 : 1;
    }
    return a->seat < b->seat ? -1 : 1;
}

void match_rank(match_t *match)
{
    if (match->is_ranked) {
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < match->player_count; i++) {
        if (!match->players[i].kicked) {
            match->ranking[count++] = &match->players[i];
        }
    }
    if (count != 0) {
        qsort(match->ranking, count, sizeof(*match->ranking), by_rank);
    }
    for (size_t i = 0; i < count; i++) {
        bool is_equal = i > 0 && first_three(match->ranking[i - 1], match->ranking[i]) == 0;
        match->ranking[i]->rank = is_equal ? match->ranking[i - 1]->rank : (uint32_t)i + 1;
    }
    match->ranking_count = count;
    match->is_ranked = true;
}

static int by_score(const void *left, const void *right)
{
    const match_team_t *a = left, *b = right;
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    return a->index < b->index ? -1 : 1;
}

size_t match_rank_teams(const match_t *match, match_team_t teams[MATCH_TEAMS_MAX])
{
    size_t count = match->seed->teams_count;
    for (size_t i = 0; i < count; i++) {
        teams[i] = (match_team_t){.index = (uint32_t)i};
    }
    for (size_t i = 0; count != 0 && i < match->player_count; i++) {
        const match_player_t *player = &match->players[i];
        if (!player->kicked) {
            teams[player->team].members++;
            teams[player->team].score += player->score;
        }
    }
    for (size_t i = 0; i < count; i++) {
        teams[i].score = match_mean(teams[i].score, teams[i].members);
    }
    if (count != 0) {
        qsort(teams, count, sizeof(teams[0]), by_score);
    }
    for (size_t i = 0; i < count; i++) {
        teams[i].rank =
            i > 0 && teams[i].score == teams[i - 1].score ? teams[i - 1].rank : (uint32_t)i + 1;
    }
    return count;
}

/* SPDX-License-Identifier: MIT */
/* The parts of match_snapshot.h that are data of notices as well. */
#include "actors/match/match_snapshot.h"

#include "actors/match/match_player.h"
#include "actors/match/match_rank.h"

static const char *const types[] = {"single", "multi", "boolean", "text", "numeric"};

int64_t match_remaining_ms(const match_t *match)
{
    bool is_paused = match->phase == MATCH_PAUSED;
    int64_t left_ms = 0;
    if (match_phase_seen(match) == MATCH_QUESTION) {
        left_ms = match->round.opened_ms + match->round.time_ms -
                  (is_paused ? match->paused_ms : match->now_ms);
    } else if (is_paused) {
        left_ms = match->paused_left_ms;
    } else if (match->phase_ends_ms != MATCH_NEVER) {
        left_ms = match->phase_ends_ms - match->now_ms;
    }
    return left_ms < 0 ? 0 : left_ms;
}

void match_write_progress(match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    (void)player;
    trp_write_map(writer, 3);
    trp_put_text(writer, "state", match_phase_name(match->phase));
    trp_put_int(writer, "remaining_ms", match_remaining_ms(match));
    trp_put_bool(writer, "locked", match->locked);
}

void match_write_player(match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    bool has_team = match->seed->teams_count != 0;
    trp_write_map(writer, has_team ? 5 : 4);
    trp_put_int(writer, "seat", player->seat);
    trp_put_text(writer, "name", player->name);
    if (has_team) {
        trp_put_string(writer, "team", match->seed->teams[player->team]);
    }
    trp_put_bool(writer, "kicked", player->kicked);
    trp_put_int(writer, "players", (int64_t)match_seated(match));
}

/* ---- questions ---- */

static void write_question(match_t *match, trp_writer_t *writer)
{
    const match_item_t *item = &match->items[match->current];
    const match_question_t *question = item->question;
    bool has_options = item->choice_count != 0;
    trp_write_map(writer, 6u + question->has_media_url + has_options);
    trp_put_int(writer, "index", match->current);
    trp_put_string(writer, "id", question->id);
    trp_put_text(writer, "type", types[question->type]);
    trp_put_string(writer, "text", question->text);
    if (question->has_media_url) {
        trp_put_string(writer, "media_url", question->media_url);
    }
    if (has_options) {
        trp_write_key(writer, "options");
        trp_write_array(writer, item->choice_count);
        for (uint32_t i = 0; i < item->choice_count; i++) {
            trp_write_map(writer, 2);
            trp_put_string(writer, "id", item->choices[i].id);
            trp_put_string(writer, "text", item->choices[i].text);
        }
    }
    trp_put_int(writer, "time_ms", match->round.time_ms);
    trp_put_int(writer, "points",
                question->has_points ? question->points : match->settings.base_points);
}

void match_write_open(match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    (void)player;
    trp_write_map(writer, 3);
    trp_write_key(writer, "question");
    write_question(match, writer);
    trp_put_int(writer, "question_count", (int64_t)match->item_count);
    trp_put_int(writer, "remaining_ms", match_remaining_ms(match));
}

static void write_correct(const match_item_t *item, trp_writer_t *writer)
{
    trp_write_key(writer, "correct");
    if (item->choice_count == 0) {
        trp_write_object(writer, item->question->correct);
        return;
    }
    trp_write_array(writer, item->correct_count);
    for (uint32_t i = 0; i < item->choice_count; i++) {
        if ((item->correct_mask >> i & 1u) != 0) {
            trp_write_string(writer, item->choices[i].id.data, item->choices[i].id.size);
        }
    }
}

void match_write_reveal(match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    (void)player;
    const match_item_t *item = &match->items[match->current];
    const match_round_t *round = &match->round;
    trp_write_map(writer, 8);
    trp_put_int(writer, "index", match->current);
    trp_put_string(writer, "question_id", item->question->id);
    write_correct(item, writer);
    trp_put_bool(writer, "void", round->is_void);
    trp_put_int(writer, "answers", round->answers);
    trp_put_int(writer, "right", round->right);
    trp_put_int(writer, "missed", round->missed);
    trp_write_key(writer, "histogram");
    trp_write_map(writer, item->choice_count);
    for (uint32_t i = 0; i < item->choice_count; i++) {
        trp_write_string(writer, item->choices[i].id.data, item->choices[i].id.size);
        trp_write_int(writer, round->histogram[i]);
    }
}

size_t match_write_round(match_t *match, trp_writer_t *writer)
{
    match_phase_t seen = match_phase_seen(match);
    if (seen != MATCH_QUESTION && seen != MATCH_REVEAL && seen != MATCH_LEADERBOARD) {
        return 0;
    }
    trp_write_key(writer, "question");
    write_question(match, writer);
    if (seen == MATCH_QUESTION) {
        return 1;
    }
    trp_write_key(writer, "reveal");
    match_write_reveal(match, NULL, writer);
    return 2;
}

/* ---- rankings ---- */

static void write_row(const match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    bool has_team = match->seed->teams_count != 0;
    trp_write_map(writer, has_team ? 9 : 8);
    trp_put_int(writer, "rank", player->rank);
    trp_put_int(writer, "seat", player->seat);
    trp_put_text(writer, "name", player->name);
    if (has_team) {
        trp_put_string(writer, "team", match->seed->teams[player->team]);
    }
    trp_put_int(writer, "score", player->score);
    trp_put_int(writer, "correct", player->correct);
    trp_put_int(writer, "streak", player->streak);
    trp_put_int(writer, "answer_ms", player->answer_ms);
    trp_put_int(writer, "timeouts", player->timeouts);
}

size_t match_write_ranking(match_t *match, const char *key, size_t rows, trp_writer_t *writer)
{
    match_rank(match);
    if (rows > match->ranking_count) {
        rows = match->ranking_count;
    }
    trp_write_key(writer, key);
    trp_write_array(writer, rows);
    for (size_t i = 0; i < rows; i++) {
        write_row(match, match->ranking[i], writer);
    }
    match_team_t teams[MATCH_TEAMS_MAX];
    size_t count = match_rank_teams(match, teams);
    if (count == 0) {
        return 1;
    }
    trp_write_key(writer, "teams");
    trp_write_array(writer, count);
    for (size_t i = 0; i < count; i++) {
        trp_write_map(writer, 4);
        trp_put_int(writer, "rank", teams[i].rank);
        trp_put_string(writer, "team", match->seed->teams[teams[i].index]);
        trp_put_int(writer, "score", teams[i].score);
        trp_put_int(writer, "members", teams[i].members);
    }
    return 2;
}

void match_write_board(match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    (void)player;
    size_t mark = trp_write_map_begin(writer);
    size_t rows = (size_t)match->settings.leaderboard_top;
    size_t members = match_write_ranking(match, "leaderboard", rows, writer);
    trp_put_int(writer, "players", (int64_t)match->ranking_count);
    trp_write_map_end(writer, mark, members + 1);
}

void match_write_finale(match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    (void)player;
    size_t mark = trp_write_map_begin(writer);
    trp_put_text(writer, "reason", match->reason);
    size_t members = match_write_ranking(match, "ranking", SIZE_MAX, writer);
    trp_write_key(writer, "stats");
    trp_write_map(writer, 5);
    trp_put_int(writer, "questions", match->current + 1);
    trp_put_int(writer, "players", (int64_t)match->ranking_count);
    trp_put_int(writer, "answers", (int64_t)match->answers);
    trp_put_int(writer, "right", (int64_t)match->answers_right);
    trp_put_int(writer, "duration_ms", match->ended_ms - match->created_ms);
    trp_write_map_end(writer, mark, members + 2);
}

void match_write_aborted(match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    (void)player;
    trp_write_map(writer, 1);
    trp_put_text(writer, "reason", match->reason);
}

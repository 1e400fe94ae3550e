/* SPDX-License-Identifier: MIT */
#include "actors/match/match_snapshot.h"

#include "actors/match/match_notice.h"
#include "actors/match/match_player.h"
#include "actors/match/match_rank.h"

/* The viewer's own result of the question that was closed last. */
static void write_result(const match_player_t *player, trp_writer_t *writer)
{
    trp_write_key(writer, "result");
    trp_write_map(writer, 3);
    trp_put_int(writer, "index", player->result_item);
    trp_put_bool(writer, "correct", player->result_correct);
    trp_put_int(writer, "points", player->result_points);
}

static void write_own(match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    bool has_team = match->seed->teams_count != 0;
    trp_write_map(writer, 8u + has_team + player->has_result);
    trp_put_int(writer, "seat", player->seat);
    trp_put_text(writer, "name", player->name);
    if (has_team) {
        trp_put_string(writer, "team", match->seed->teams[player->team]);
    }
    trp_put_bool(writer, "connected", player->connected);
    trp_put_int(writer, "rank", player->rank);
    trp_put_int(writer, "score", player->score);
    trp_put_int(writer, "streak", player->streak);
    trp_put_int(writer, "correct", player->correct);
    trp_put_bool(writer, "answered", player->answered);
    if (player->has_result) {
        write_result(player, writer);
    }
}

static void write_event(const match_t *match, const match_notice_t *notice,
                        const match_player_t *player, trp_writer_t *writer)
{
    bool is_own = player != NULL && notice->item >= 0 && notice->item == match->current &&
                  player->has_result && player->result_item == notice->item;
    trp_write_map(writer, is_own ? 5 : 4);
    trp_put_int(writer, "version", (int64_t)notice->version);
    trp_put_text(writer, "event", notice->event);
    trp_put_int(writer, "epoch_ms", notice->epoch_ms);
    trp_write_key(writer, "data");
    trp_write_raw(writer, notice->data, notice->size);
    if (!is_own) {
        return;
    }
    trp_write_key(writer, "you");
    trp_write_map(writer, 3);
    trp_put_bool(writer, "correct", player->result_correct);
    trp_put_int(writer, "points", player->result_points);
    trp_put_int(writer, "streak", player->streak);
}

/* `events` after a version; `events_lost` when some of them are not kept any more. */
static void write_events(const match_t *match, const match_view_t *view, trp_writer_t *writer)
{
    uint64_t from = view->since + 1, kept_from = 1;
    if (match->version > MATCH_NOTICES_MAX) {
        kept_from = match->version - MATCH_NOTICES_MAX + 1;
    }
    bool is_lost = from < kept_from;
    if (is_lost) {
        from = kept_from;
    }
    size_t items = 0;
    trp_write_key(writer, "events");
    size_t mark = trp_write_array_begin(writer);
    for (uint64_t version = from; version <= match->version; version++, items++) {
        write_event(match, match_notice(match, version), view->player, writer);
    }
    trp_write_array_end(writer, mark, items);
    trp_put_bool(writer, "events_lost", is_lost);
}

void match_write_snapshot(match_t *match, const match_view_t *view, trp_writer_t *writer)
{
    size_t members = 11, mark = trp_write_map_begin(writer);
    trp_put_string(writer, "match_id", match->seed->match_id);
    trp_put_text(writer, "state", match_phase_name(match->phase));
    trp_put_int(writer, "version", (int64_t)match->version);
    trp_put_int(writer, "epoch_ms", match->epoch_ms);
    trp_put_int(writer, "remaining_ms", match_remaining_ms(match));
    trp_put_int(writer, "question_index", match->current);
    trp_put_int(writer, "question_count", (int64_t)match->item_count);
    trp_put_int(writer, "players", (int64_t)match_seated(match));
    trp_put_int(writer, "connected", (int64_t)match_connected(match));
    trp_put_int(writer, "max_players", match->settings.max_players);
    trp_put_bool(writer, "locked", match->locked);
    if (match->phase == MATCH_PAUSED) {
        trp_put_text(writer, "paused_from", match_phase_name(match->paused_from));
        members++;
    }
    if (match->reason != NULL) {
        trp_put_text(writer, "reason", match->reason);
        members++;
    }
    members += match_write_round(match, writer);
    bool is_final = match->phase == MATCH_FINISHED;
    members +=
        match_write_ranking(match, is_final ? "ranking" : "leaderboard",
                            is_final ? SIZE_MAX : (size_t)match->settings.leaderboard_top, writer);
    if (view->player != NULL && !view->player->kicked) {
        trp_write_key(writer, "you");
        members++;
        write_own(match, view->player, writer);
    }
    if (view->has_since) {
        write_events(match, view, writer);
        members += 2;
    }
    trp_write_map_end(writer, mark, members);
}

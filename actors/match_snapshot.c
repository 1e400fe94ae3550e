/* SPDX-License-Identifier: MIT */
#include "actors/match_snapshot.h"

#include "actors/match_notice.h"
#include "actors/match_player.h"
#include "actors/match_rank.h"

static void write_int(trp_writer_t *writer, const char *key, int64_t value)
{
    trp_write_key(writer, key);
    trp_write_int(writer, value);
}

static void write_text(trp_writer_t *writer, const char *key, trp_text_t text)
{
    trp_write_key(writer, key);
    trp_write_string(writer, text.data, text.size);
}

static void write_bool(trp_writer_t *writer, const char *key, bool value)
{
    trp_write_key(writer, key);
    trp_write_bool(writer, value);
}

/* The viewer's own result of the question that was closed last. */
static size_t write_result(const match_player_t *player, trp_writer_t *writer)
{
    if (!player->has_result) {
        return 0;
    }
    trp_write_key(writer, "result");
    trp_write_map(writer, 3);
    write_int(writer, "index", player->result_item);
    write_bool(writer, "correct", player->result_correct);
    write_int(writer, "points", player->result_points);
    return 1;
}

static void write_own(match_t *match, const match_player_t *player, trp_writer_t *writer)
{
    size_t members = 8, mark = trp_write_map_begin(writer);
    write_int(writer, "seat", player->seat);
    write_text(writer, "name", match_text(player->name));
    if (match->seed->teams_count != 0) {
        write_text(writer, "team", match->seed->teams[player->team]), members++;
    }
    write_bool(writer, "connected", player->connected);
    write_int(writer, "rank", player->rank);
    write_int(writer, "score", player->score);
    write_int(writer, "streak", player->streak);
    write_int(writer, "correct", player->correct);
    write_bool(writer, "answered", player->answered);
    members += write_result(player, writer);
    trp_write_map_end(writer, mark, members);
}

static void write_event(const match_t *match, const match_notice_t *notice,
                        const match_player_t *player, trp_writer_t *writer)
{
    bool is_own = player != NULL && notice->item >= 0 && notice->item == match->current &&
                  player->has_result && player->result_item == notice->item;
    trp_write_map(writer, is_own ? 5 : 4);
    write_int(writer, "version", (int64_t)notice->version);
    write_text(writer, "event", match_text(notice->event));
    write_int(writer, "epoch_ms", notice->epoch_ms);
    trp_write_key(writer, "data");
    trp_write_raw(writer, notice->data, notice->size);
    if (!is_own) {
        return;
    }
    trp_write_key(writer, "you");
    trp_write_map(writer, 3);
    write_bool(writer, "correct", player->result_correct);
    write_int(writer, "points", player->result_points);
    write_int(writer, "streak", player->streak);
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
    write_bool(writer, "events_lost", is_lost);
}

void match_write_snapshot(match_t *match, const match_view_t *view, trp_writer_t *writer)
{
    size_t members = 11, mark = trp_write_map_begin(writer);
    write_text(writer, "match_id", match->seed->match_id);
    write_text(writer, "state", match_text(match_phase_name(match->phase)));
    write_int(writer, "version", (int64_t)match->version);
    write_int(writer, "epoch_ms", match->epoch_ms);
    write_int(writer, "remaining_ms", match_remaining_ms(match));
    write_int(writer, "question_index", match->current);
    write_int(writer, "question_count", (int64_t)match->item_count);
    write_int(writer, "players", (int64_t)match_seated(match));
    write_int(writer, "connected", (int64_t)match_connected(match));
    write_int(writer, "max_players", match->settings.max_players);
    write_bool(writer, "locked", match->locked);
    if (match->phase == MATCH_PAUSED) {
        write_text(writer, "paused_from", match_text(match_phase_name(match->paused_from))),
            members++;
    }
    if (match->reason != NULL) {
        write_text(writer, "reason", match_text(match->reason)), members++;
    }
    members += match_write_round(match, writer);
    bool is_final = match->phase == MATCH_FINISHED;
    members +=
        match_write_ranking(match, is_final ? "ranking" : "leaderboard",
                            is_final ? SIZE_MAX : (size_t)match->settings.leaderboard_top, writer);
    if (view->player != NULL && !view->player->kicked) {
        trp_write_key(writer, "you"), members++;
        write_own(match, view->player, writer);
    }
    if (view->has_since) {
        write_events(match, view, writer), members += 2;
    }
    trp_write_map_end(writer, mark, members);
}

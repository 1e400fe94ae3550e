/* SPDX-License-Identifier: MIT */
#include "actors/match/match_player.h"

#include <stdlib.h>
#include <string.h>

#include "actors/match/match_notice.h"
#include "actors/match/match_snapshot.h"

#define SLOTS_PER_SEAT 4 /* players remembered for each seat: those who left keep their score */

match_player_t *match_player_find(const match_t *match, trp_text_t id)
{
    for (size_t i = 0; i < match->player_count; i++) {
        if (match_text_is(match_text(match->players[i].id), id)) {
            return &match->players[i];
        }
    }
    return NULL;
}

size_t match_connected(const match_t *match)
{
    size_t count = 0;
    for (size_t i = 0; i < match->player_count; i++) {
        count += match->players[i].connected ? 1 : 0;
    }
    return count;
}

size_t match_seated(const match_t *match)
{
    size_t count = 0;
    for (size_t i = 0; i < match->player_count; i++) {
        count += match->players[i].gone || match->players[i].kicked ? 0 : 1;
    }
    return count;
}

/* A seat is given up: before the first question nothing of the player needs to be kept. */
static void give_up(match_t *match, match_player_t *player)
{
    player->connected = false;
    player->gone = true;
    match_notify(match, "player:left", player, match_write_player);
    if (match->current >= 0 || match->failed) {
        return;
    }
    free(player->folded);
    size_t index = (size_t)(player - match->players);
    memmove(player, player + 1, (match->player_count - index - 1) * sizeof(*player));
    match->player_count--;
    match->is_ranked = false;
}

void match_release_seats(match_t *match)
{
    for (size_t i = match->player_count; i-- > 0;) {
        match_player_t *player = &match->players[i];
        if (!player->connected && !player->gone && !player->kicked &&
            player->away_until_ms <= match->now_ms) {
            give_up(match, player);
        }
    }
}

/* ---- joining ---- */

static bool has_room(const match_t *match, match_verdict_t *verdict)
{
    if ((int64_t)match_seated(match) < match->settings.max_players) {
        return true;
    }
    match_refuse(verdict, MATCH_E_FULL, "the match has no free seat");
    return false;
}

static void come_back(match_t *match, match_player_t *player, match_verdict_t *verdict)
{
    if (player->kicked) {
        match_refuse(verdict, MATCH_E_FORBIDDEN, "removed by the host");
        return;
    }
    if (player->gone && !has_room(match, verdict)) {
        return;
    }
    verdict->player = player;
    verdict->returned = true;
    if (player->connected) {
        return;
    }
    player->connected = true;
    player->gone = false;
    match_notify(match, "player:back", player, match_write_player);
}

static bool choose_team(const match_t *match, trp_text_t wish, uint32_t *team,
                        match_verdict_t *verdict)
{
    uint32_t members[MATCH_TEAMS_MAX] = {0}, count = (uint32_t)match->seed->teams_count;
    *team = 0;
    if (wish.data != NULL) {
        for (uint32_t i = 0; i < count; i++) {
            if (match_text_is(match->seed->teams[i], wish)) {
                *team = i;
                return true;
            }
        }
        msgpack_object value = {.type = MSGPACK_OBJECT_STR,
                                .via.str = {(uint32_t)wish.size, wish.data}};
        trp_fault_set(&verdict->fault, &value, "team", "the name of a team of this match");
        match_refuse(verdict, MATCH_E_BAD_PAYLOAD, "no such team");
        return false;
    }
    for (size_t i = 0; count != 0 && i < match->player_count; i++) {
        if (!match->players[i].gone && !match->players[i].kicked) {
            members[match->players[i].team]++;
        }
    }
    for (uint32_t i = 1; i < count; i++) {
        if (members[i] < members[*team]) {
            *team = i;
        }
    }
    return true;
}

static bool choose_name(match_t *match, trp_text_t wish, match_player_t *player,
                        match_verdict_t *verdict)
{
    trp_status_t status =
        match_name_clean(wish, player->name, &player->folded, &player->folded_size);
    if (status == TRP_PAYLOAD) {
        msgpack_object value = {.type = MSGPACK_OBJECT_STR,
                                .via.str = {(uint32_t)wish.size, wish.data}};
        trp_fault_set(&verdict->fault, &value, "name",
                      "1 to 24 characters after trimming, one of them visible");
        match_refuse(verdict, MATCH_E_BAD_PAYLOAD, "not a name");
        return false;
    }
    if (status != TRP_OK) {
        match->failed = true;
        return false;
    }
    for (size_t i = 0; i < match->player_count; i++) {
        const match_player_t *other = &match->players[i];
        if (!other->kicked && other->folded_size == player->folded_size &&
            memcmp(other->folded, player->folded, player->folded_size) == 0) {
            match_refuse(verdict, MATCH_E_DUP_NAME, "this name is taken in this match");
            free(player->folded);
            return false;
        }
    }
    return true;
}

/* Room for one more player; the ranking has as much. */
static bool grow(match_t *match)
{
    if (match->player_count < match->player_room) {
        return true;
    }
    size_t room = match->player_room == 0 ? 16 : 2 * match->player_room;
    match_player_t *players = realloc(match->players, room * sizeof(*players));
    if (players == NULL) {
        return false;
    }
    match->players = players;
    match->is_ranked = false;
    match_player_t **ranking = realloc(match->ranking, room * sizeof(match_player_t *));
    if (ranking == NULL) {
        return false;
    }
    match->ranking = ranking;
    match->player_room = room;
    return true;
}

/* Which questions count for one who comes in now. */
static void place_in_time(const match_t *match, match_player_t *player)
{
    match_phase_t seen = match_phase_seen(match);
    player->late_item = seen == MATCH_QUESTION ? match->current : -1;
    player->first_item = seen == MATCH_LOBBY || seen == MATCH_COUNTDOWN ? 0
                         : seen == MATCH_QUESTION                       ? match->current
                                                                        : match->current + 1;
}

void match_player_join(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    match_player_t *known = match_player_find(match, input->player_id);
    if (known != NULL) {
        come_back(match, known, verdict);
        return;
    }
    match_player_t player = {.connected = true};
    if (match->locked) {
        match_refuse(verdict, MATCH_E_LOCKED, "the lobby is locked");
        return;
    }
    if ((int64_t)match->player_count >= SLOTS_PER_SEAT * match->settings.max_players) {
        match_refuse(verdict, MATCH_E_FULL, "too many players have come and gone");
        return;
    }
    if (!has_room(match, verdict) || !choose_team(match, input->team, &player.team, verdict) ||
        !choose_name(match, input->name, &player, verdict)) {
        return;
    }
    if (!grow(match)) {
        free(player.folded);
        match->failed = true;
        return;
    }
    memcpy(player.id, input->player_id.data, input->player_id.size);
    player.seat = ++match->seats_given;
    place_in_time(match, &player);
    match->players[match->player_count] = player;
    verdict->player = &match->players[match->player_count++];
    match->is_ranked = false;
    match_notify(match, "player:joined", verdict->player, match_write_player);
}

/* ---- going ---- */

static match_player_t *find_seated(const match_t *match, trp_text_t id, match_verdict_t *verdict)
{
    match_player_t *player = match_player_find(match, id);
    if (player != NULL && !player->gone && !player->kicked) {
        return player;
    }
    match_refuse(verdict, MATCH_E_NOT_FOUND, "no such player in this match");
    return NULL;
}

void match_player_away(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    match_player_t *player = find_seated(match, input->player_id, verdict);
    if (player == NULL || !player->connected) {
        return;
    }
    player->connected = false;
    player->away_until_ms = match->now_ms + match->settings.reconnect_window_ms;
    match_notify(match, "player:away", player, match_write_player);
}

void match_player_leave(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    match_player_t *player = find_seated(match, input->player_id, verdict);
    if (player != NULL) {
        give_up(match, player);
    }
}

void match_player_kick(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    for (size_t i = 0; i < match->player_count; i++) {
        match_player_t *player = &match->players[i];
        if (player->seat != input->seat || player->kicked) {
            continue;
        }
        player->connected = false;
        player->kicked = true;
        match->forfeited += player->score;
        match->is_ranked = false;
        match_notify(match, "player:left", player, match_write_player);
        return;
    }
    match_refuse(verdict, MATCH_E_NOT_FOUND, "no such player in this match");
}

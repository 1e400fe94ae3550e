/* SPDX-License-Identifier: MIT */
#include "actors/match/match_logic.h"

#include "actors/match/match_notice.h"
#include "actors/match/match_player.h"
#include "actors/match/match_rank.h"
#include "actors/match/match_snapshot.h"

typedef void (*action_t)(match_t *match, const match_input_t *input, match_verdict_t *verdict);

static void enter(match_t *match, match_phase_t phase, int64_t lasts_ms)
{
    match->phase = phase;
    match->phase_ends_ms = lasts_ms == MATCH_NEVER ? MATCH_NEVER : match->now_ms + lasts_ms;
}

/* ---- actions: how a match goes on ---- */

static void begin(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)input;
    if ((int64_t)match_connected(match) < match->settings.min_players) {
        match_refuse(verdict, MATCH_E_STATE, "fewer players than min_players are there");
        return;
    }
    enter(match, MATCH_COUNTDOWN, match->settings.countdown_ms);
    match_notify(match, "match:state", NULL, match_write_progress);
}

static void open_question(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)input, (void)verdict;
    match->current++;
    const match_question_t *question = match->items[match->current].question;
    match->round = (match_round_t){.opened_ms = match->now_ms,
                                   .time_ms = question->has_time_ms ? question->time_ms
                                                                    : match->settings.question_ms};
    for (size_t i = 0; i < match->player_count; i++) {
        match->players[i].answered = false;
    }
    enter(match, MATCH_QUESTION, match->round.time_ms + match->settings.late_answer_grace_ms);
    match_notify(match, "question:open", NULL, match_write_open);
}

static void close_question(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)input, (void)verdict;
    match_settle_question(match);
    enter(match, MATCH_REVEAL, match->settings.reveal_ms);
    match_notify(match, MATCH_EVENT_NAME_REVEAL, NULL, match_write_reveal);
}

static void void_question(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    match->round.is_void = true;
    close_question(match, input, verdict);
}

static void show_board(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)input, (void)verdict;
    enter(match, MATCH_LEADERBOARD, match->settings.leaderboard_ms);
    match_notify(match, "leaderboard", NULL, match_write_board);
}

static void finish(match_t *match, const char *reason)
{
    enter(match, MATCH_FINISHED, MATCH_NEVER);
    match->reason = reason;
    match->ended_ms = match->now_ms;
    match_notify(match, "match:finished", NULL, match_write_finale);
}

static void advance(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    if ((size_t)match->current + 1 < match->item_count) {
        open_question(match, input, verdict);
    } else {
        finish(match, "completed");
    }
}

/* The host ends a match that has begun: an open question is void. */
static void end(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)input, (void)verdict;
    if (match_phase_seen(match) == MATCH_QUESTION) {
        match->round.is_void = true;
        match_settle_question(match);
    }
    finish(match, "host");
}

static void abort_for(match_t *match, const char *reason)
{
    if (match_phase_seen(match) == MATCH_QUESTION) {
        match->round.is_void = true;
        match_settle_question(match);
    }
    enter(match, MATCH_ABORTED, MATCH_NEVER);
    match->reason = reason;
    match->ended_ms = match->now_ms;
    match_notify(match, "match:aborted", NULL, match_write_aborted);
}

static void abort_match(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)verdict;
    abort_for(match, input->reason);
}

static void cancel(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)input, (void)verdict;
    abort_for(match, "host");
}

/* ---- actions: the host's controls ---- */

static void freeze(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)input, (void)verdict;
    match->paused_from = match->phase;
    match->paused_left_ms = match->phase_ends_ms - match->now_ms;
    match->paused_ms = match->now_ms;
    enter(match, MATCH_PAUSED, MATCH_NEVER);
    match_notify(match, "match:state", NULL, match_write_progress);
}

static void thaw(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)input, (void)verdict;
    if (match->paused_from == MATCH_QUESTION) {
        match->round.opened_ms += match->now_ms - match->paused_ms;
    }
    enter(match, match->paused_from, match->paused_left_ms);
    match_notify(match, "match:state", NULL, match_write_progress);
}

static void extend(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)input;
    int64_t more_ms = MATCH_QUESTION_MS - match->round.time_ms;
    if (more_ms > MATCH_EXTEND_MS) {
        more_ms = MATCH_EXTEND_MS;
    }
    if (more_ms <= 0) {
        match_refuse(verdict, MATCH_E_STATE, "the question can't last any longer");
        return;
    }
    match->round.time_ms += more_ms;
    match->phase_ends_ms += more_ms;
    match_notify(match, "match:state", NULL, match_write_progress);
}

static void set_lock(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    (void)verdict;
    bool locked = input->event == MATCH_EVENT_LOCK;
    if (match->locked == locked) {
        return;
    }
    match->locked = locked;
    match_notify(match, "match:state", NULL, match_write_progress);
}

/* ---- the table ---- */

/* clang-format off */
enum action {
    NO, /* E_STATE */
    BEGIN, OPEN, CLOSE, BOARD, ADVANCE, FREEZE, THAW, VOID, EXTEND, LOCK, END, CANCEL, ABORT,
    KICK, JOIN, AWAY, LEAVE, TAKE, LATE, HOLD,
    ACTIONS
};

static const uint8_t table[MATCH_EVENTS][MATCH_PHASES] = {
    /*                        LOBBY   COUNTDOWN  QUESTION  REVEAL   LEADERBOARD  PAUSED  FINISHED  ABORTED */
    [MATCH_EVENT_START]  = {  BEGIN,  NO,        NO,       NO,      NO,          NO,     NO,       NO    },
    [MATCH_EVENT_TIMER]  = {  NO,     OPEN,      CLOSE,    BOARD,   ADVANCE,     NO,     NO,       NO    },
    [MATCH_EVENT_NEXT]   = {  NO,     OPEN,      CLOSE,    BOARD,   ADVANCE,     NO,     NO,       NO    },
    [MATCH_EVENT_PAUSE]  = {  NO,     FREEZE,    FREEZE,   FREEZE,  FREEZE,      NO,     NO,       NO    },
    [MATCH_EVENT_RESUME] = {  NO,     NO,        NO,       NO,      NO,          THAW,   NO,       NO    },
    [MATCH_EVENT_SKIP]   = {  NO,     NO,        VOID,     NO,      NO,          NO,     NO,       NO    },
    [MATCH_EVENT_EXTEND] = {  NO,     NO,        EXTEND,   NO,      NO,          NO,     NO,       NO    },
    [MATCH_EVENT_LOCK]   = {  LOCK,   LOCK,      LOCK,     LOCK,    LOCK,        LOCK,   NO,       NO    },
    [MATCH_EVENT_UNLOCK] = {  LOCK,   LOCK,      LOCK,     LOCK,    LOCK,        LOCK,   NO,       NO    },
    [MATCH_EVENT_END]    = {  CANCEL, END,       END,      END,     END,         END,    NO,       NO    },
    [MATCH_EVENT_ABORT]  = {  ABORT,  ABORT,     ABORT,    ABORT,   ABORT,       ABORT,  NO,       NO    },
    [MATCH_EVENT_KICK]   = {  KICK,   KICK,      KICK,     KICK,    KICK,        KICK,   NO,       NO    },
    [MATCH_EVENT_JOIN]   = {  JOIN,   JOIN,      JOIN,     JOIN,    JOIN,        JOIN,   NO,       NO    },
    [MATCH_EVENT_AWAY]   = {  AWAY,   AWAY,      AWAY,     AWAY,    AWAY,        AWAY,   NO,       NO    },
    [MATCH_EVENT_LEAVE]  = {  LEAVE,  LEAVE,     LEAVE,    LEAVE,   LEAVE,       LEAVE,  NO,       NO    },
    [MATCH_EVENT_ANSWER] = {  NO,     NO,        TAKE,     LATE,    LATE,        HOLD,   LATE,     LATE  },
};
/* clang-format on */

static const action_t actions[ACTIONS] = {
    [BEGIN] = begin,
    [OPEN] = open_question,
    [CLOSE] = close_question,
    [BOARD] = show_board,
    [ADVANCE] = advance,
    [FREEZE] = freeze,
    [THAW] = thaw,
    [VOID] = void_question,
    [EXTEND] = extend,
    [LOCK] = set_lock,
    [END] = end,
    [CANCEL] = cancel,
    [ABORT] = abort_match,
    [KICK] = match_player_kick,
    [JOIN] = match_player_join,
    [AWAY] = match_player_away,
    [LEAVE] = match_player_leave,
    [TAKE] = match_answer_take,
    [LATE] = match_answer_late,
    [HOLD] = match_answer_hold,
};

static void run(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    action_t action = actions[table[input->event][match->phase]];
    if (action == NULL) {
        match_refuse(verdict, MATCH_E_STATE, "not possible in this state of the match");
    } else {
        action(match, input, verdict);
    }
}

/* ---- time ---- */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t idle_at(const match_t *match)
{
    bool waits = match->phase == MATCH_LOBBY || match->phase == MATCH_PAUSED;
    return waits ? match->heard_ms + match->settings.idle_match_ttl_ms : MATCH_NEVER;
}

static int64_t empty_at(const match_t *match)
{
    return match->empty_since_ms == MATCH_NEVER
               ? MATCH_NEVER
               : match->empty_since_ms + match->settings.empty_match_ttl_ms;
}

static void watch_presence(match_t *match)
{
    if (match_connected(match) != 0) {
        match->empty_since_ms = MATCH_NEVER;
    } else if (match->empty_since_ms == MATCH_NEVER) {
        match->empty_since_ms = match->now_ms;
    }
}

int64_t match_deadline(const match_t *match)
{
    if (match_has_ended(match)) {
        return match->ended_ms + match->linger_ms;
    }
    int64_t at_ms = sooner(match->phase_ends_ms, sooner(empty_at(match), idle_at(match)));
    for (size_t i = 0; i < match->player_count; i++) {
        const match_player_t *player = &match->players[i];
        if (!player->connected && !player->gone && !player->kicked) {
            at_ms = sooner(at_ms, player->away_until_ms);
        }
    }
    return at_ms;
}

bool match_is_over(const match_t *match, int64_t now_ms)
{
    return match_has_ended(match) && now_ms >= match->ended_ms + match->linger_ms;
}

trp_status_t match_tick(match_t *match, int64_t now_ms, int64_t epoch_ms)
{
    const match_input_t timer = {.event = MATCH_EVENT_TIMER};
    match_verdict_t verdict = {0};
    if (now_ms > match->now_ms) {
        match->now_ms = now_ms;
    }
    match->epoch_ms = epoch_ms;
    while (match->phase_ends_ms <= match->now_ms) {
        run(match, &timer, &verdict);
    }
    if (match_has_ended(match)) {
        return match->failed ? TRP_NO_MEMORY : TRP_OK;
    }
    match_release_seats(match);
    if (empty_at(match) <= match->now_ms || idle_at(match) <= match->now_ms) {
        match->linger_ms = 0;
        abort_for(match, empty_at(match) <= match->now_ms ? "empty" : "idle");
    }
    return match->failed ? TRP_NO_MEMORY : TRP_OK;
}

trp_status_t match_handle(match_t *match, const match_input_t *input, match_verdict_t *verdict)
{
    *verdict = (match_verdict_t){.code = MATCH_E_NONE, .text = "done"};
    trp_status_t status = match_tick(match, input->now_ms, input->epoch_ms);
    if (status != TRP_OK) {
        return status;
    }
    match->heard_ms = match->now_ms;
    run(match, input, verdict);
    if (match_all_answered(match)) {
        close_question(match, input, verdict);
    }
    watch_presence(match);
    return match->failed ? TRP_NO_MEMORY : TRP_OK;
}

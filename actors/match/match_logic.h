/* SPDX-License-Identifier: MIT */
/* One quiz match as a pure state machine: no actor, no clock, no chance of its own. The caller owns
 * the match, hands in the time with each input, and asks for the next deadline. Every transition
 * and every change among the players raises `version` by one and leaves one notice in a bounded
 * log: what is sent to players, and later written to a store, is read from there. One thread. */
#ifndef TRP_ACTORS_MATCH_LOGIC_H
#define TRP_ACTORS_MATCH_LOGIC_H

#include "actors/match/match_question.h"
#include "actors/match/match_score.h"
#include "actors/match/match_text.h"
#include "messages/match.h"

#define MATCH_NOTICES_MAX 256       /* notices kept for those who missed some */
#define MATCH_RATE_MAX    5         /* answers of one player in a second */
#define MATCH_EXTEND_MS   5000      /* one extension */
#define MATCH_QUESTION_MS 240000    /* the longest question, with its extensions */
#define MATCH_NEVER       INT64_MAX /* no deadline */

typedef enum match_phase {
    MATCH_LOBBY,
    MATCH_COUNTDOWN,
    MATCH_QUESTION,
    MATCH_REVEAL,
    MATCH_LEADERBOARD,
    MATCH_PAUSED,
    MATCH_FINISHED,
    MATCH_ABORTED,
    MATCH_PHASES
} match_phase_t;

/** What can happen to a match. */
typedef enum match_event {
    MATCH_EVENT_START,
    MATCH_EVENT_TIMER, /* the phase's time is over; raised by match_tick alone */
    MATCH_EVENT_NEXT,
    MATCH_EVENT_PAUSE,
    MATCH_EVENT_RESUME,
    MATCH_EVENT_SKIP,
    MATCH_EVENT_EXTEND,
    MATCH_EVENT_LOCK,
    MATCH_EVENT_UNLOCK,
    MATCH_EVENT_END,
    MATCH_EVENT_ABORT,
    MATCH_EVENT_KICK,
    MATCH_EVENT_JOIN,
    MATCH_EVENT_AWAY,
    MATCH_EVENT_LEAVE,
    MATCH_EVENT_ANSWER,
    MATCH_EVENTS
} match_event_t;

/** Refusals: X(NAME, text). What is sent is E_NAME. */
#define MATCH_CODE_MAP(X)                                    \
    X(NONE, "done")                                          \
    X(STATE, "not possible in this state of the match")      \
    X(NOT_FOUND, "no such player or question in this match") \
    X(FULL, "the match has no free seat")                    \
    X(LOCKED, "the lobby is locked")                         \
    X(LATE, "the question is closed")                        \
    X(DUP_NAME, "this name is taken in this match")          \
    X(RATE, "more than 5 answers in a second")               \
    X(FORBIDDEN, "only the host may do this")                \
    X(BAD_PAYLOAD, "a member is out of its bounds")

typedef enum match_code {
#define MATCH_CODE_ENUM(name, text) MATCH_E_##name,
    MATCH_CODE_MAP(MATCH_CODE_ENUM)
#undef MATCH_CODE_ENUM
        MATCH_CODES
} match_code_t;

typedef struct match_player {
    char id[MATCH_ID_MAX + 1];
    char name[MATCH_NAME_MAX + 1];
    uint8_t *folded; /* what makes the name unique; malloc'd */
    size_t folded_size;
    uint32_t seat; /* 1.. in the order of joining, never given twice */
    uint32_t team; /* index; only with teams */
    bool connected;
    bool gone;   /* left, or away for too long: the seat is free, the score stays */
    bool kicked; /* out of all lists, never comes back */
    int64_t away_until_ms;

    int64_t score;
    int64_t answer_ms; /* sum over the answers given */
    uint32_t streak, streak_best, correct, timeouts;
    uint32_t rank; /* set by match_rank */

    int32_t first_item; /* the first question that this player has to answer */
    int32_t late_item;  /* question in whose course the player joined, or -1 */

    bool answered; /* the open question */
    match_given_t given;
    int64_t t_ms;

    bool has_result; /* of question `result_item` */
    int32_t result_item;
    bool result_correct;
    int64_t result_points;

    char answer_id[MATCH_ID_MAX + 1]; /* of the last answer taken, with its acknowledgement */
    bool ack_accepted;
    int64_t ack_ms;
    int64_t attempts_ms[MATCH_RATE_MAX]; /* ring: when the last answers came */
    uint32_t attempts;
} match_player_t;

/** The question that was opened last. */
typedef struct match_round {
    int64_t opened_ms; /* moved on by pauses */
    int64_t time_ms;   /* with extensions */
    uint32_t histogram[MATCH_CHOICES_MAX];
    uint32_t answers, right, missed;
    bool is_void;
} match_round_t;

/** One event as it is sent: `data` is an encoded map that all players may see. */
typedef struct match_notice {
    uint64_t version;
    const char *event; /* constant */
    int64_t epoch_ms;
    int32_t item; /* question:reveal: adds the viewer's own result of this question; else -1 */
    void *data;
    size_t size;
} match_notice_t;

typedef struct match {
    const match_seed_t *seed; /* outlives the match */
    match_settings_t settings;
    match_item_t *items;
    size_t item_count;

    match_phase_t phase;
    match_phase_t paused_from;
    int64_t phase_ends_ms;  /* MATCH_NEVER: no timer */
    int64_t paused_left_ms; /* frozen time of `paused_from` */
    int64_t paused_ms;      /* when */
    bool locked;
    bool failed;        /* out of memory */
    const char *reason; /* why it was aborted or ended; constant */
    uint64_t version;

    int32_t current; /* index of the question opened last, -1 before the first */
    match_round_t round;

    match_player_t *players; /* in the order of joining */
    size_t player_count, player_room;
    uint32_t seats_given;
    match_player_t **ranking; /* kicked ones are not in it */
    size_t ranking_count;
    bool is_ranked;

    int64_t awarded;   /* points given to anybody */
    int64_t forfeited; /* points of those who were kicked */
    uint64_t answers, answers_right;

    match_notice_t notices[MATCH_NOTICES_MAX]; /* ring by version */
    int64_t now_ms, epoch_ms;                  /* of the input that is handled */
    int64_t created_ms, heard_ms, ended_ms;
    int64_t linger_ms;      /* the match can be looked at that long after its end */
    int64_t empty_since_ms; /* MATCH_NEVER: somebody is connected */
} match_t;

/** One input. Members beyond the first three belong to the events named. */
typedef struct match_input {
    match_event_t event;
    int64_t now_ms;   /* monotonic */
    int64_t epoch_ms; /* wall clock, shown to players */

    trp_text_t player_id; /* JOIN AWAY LEAVE ANSWER */
    trp_text_t name;      /* JOIN */
    trp_text_t team;      /* JOIN; data NULL: no wish */
    uint32_t seat;        /* KICK */
    const char *reason;   /* ABORT; constant */

    trp_text_t question_id; /* ANSWER */
    trp_text_t answer_id;   /* ANSWER; data NULL: none */
    const msgpack_object *answer;
    int64_t rtt_ms;
} match_input_t;

/** What came of an input. */
typedef struct match_verdict {
    match_code_t code;
    const char *text;             /* why, when not OK; constant */
    trp_fault_t fault;            /* BAD_PAYLOAD */
    const match_player_t *player; /* JOIN ANSWER; valid until the next input */
    bool returned;                /* JOIN: has had this seat before */
    bool accepted;                /* ANSWER: counts */
    int64_t t_ms;                 /* ANSWER: after the opening, as it is scored */
} match_verdict_t;

/** Prepares a match in its lobby. owns: `seed` and all it points to must outlive the match; end it
 * with match_fini also after an error. errors: TRP_PAYLOAD with `fault`, TRP_NO_MEMORY */
trp_status_t match_init(match_t *match, const match_seed_t *seed, int64_t now_ms, int64_t epoch_ms,
                        trp_fault_t *fault);
void match_fini(match_t *match);

/** Runs what is due by now, then handles one input. A refusal is in the verdict and changes
 * nothing. errors: TRP_NO_MEMORY, the match can't go on */
trp_status_t match_handle(match_t *match, const match_input_t *input, match_verdict_t *verdict);

/** Runs what is due: ends of phases, seats and matches that nobody came back to. errors:
 * TRP_NO_MEMORY */
trp_status_t match_tick(match_t *match, int64_t now_ms, int64_t epoch_ms);

/** When match_tick has something to do; MATCH_NEVER: only an input brings that about. */
int64_t match_deadline(const match_t *match);

/** The match was ended and nobody needs it any more: its actor ends. */
bool match_is_over(const match_t *match, int64_t now_ms);

/** "LOBBY", ...; "E_LATE", ... Never NULL. */
const char *match_phase_name(match_phase_t phase);
const char *match_code_name(match_code_t code);

/** The phase that players see behind a pause. */
static inline match_phase_t match_phase_seen(const match_t *match)
{
    return match->phase == MATCH_PAUSED ? match->paused_from : match->phase;
}

/** Somebody looked at the match by now: it is not idle. */
static inline void match_seen(match_t *match)
{
    match->heard_ms = match->now_ms;
}

static inline bool match_has_ended(const match_t *match)
{
    return match->phase == MATCH_FINISHED || match->phase == MATCH_ABORTED;
}

static inline trp_text_t match_text(const char *text)
{
    return (trp_text_t){text, __builtin_strlen(text)};
}

#endif

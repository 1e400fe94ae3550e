/* SPDX-License-Identifier: MIT */
/* What is said about quiz matches: the requests of the tools, the bank of questions, the options of
 * the class. Constants only, no thread affinity. docs/match.md shows each with an example. */
#ifndef TRP_MESSAGES_MATCH_H
#define TRP_MESSAGES_MATCH_H

#include "messages/schema.h"

#define MATCH_ID_MAX        64  /* bytes of an id of a match, player, question or answer */
#define MATCH_CHOICES_MAX   8   /* options of one question */
#define MATCH_QUESTIONS_MAX 200 /* questions of one match */
#define MATCH_BANK_MAX      10000
#define MATCH_ACCEPTED_MAX  32 /* answers that a text question takes as right */
#define MATCH_TEAMS_MAX     50
#define MATCH_NAME_BYTES    256 /* a name as it is sent, before it is cleaned */

enum {
    MATCH_TAG_CREATE = 0x0200,
    MATCH_TAG_JOIN = 0x0201,
    MATCH_TAG_START = 0x0202,
    MATCH_TAG_ANSWER = 0x0203,
    MATCH_TAG_STATE = 0x0204,
    MATCH_TAG_END = 0x0205,
    MATCH_TAG_CONTROL = 0x0206,
    MATCH_TAG_LEAVE = 0x0207,
    MATCH_TAG_SEED = 0x0210,  /* what a match is started with, inside a worker */
    MATCH_TAG_TIMER = 0x0211, /* a match's own clock */
    MATCH_TAG_OVER = 0x0212,  /* match to worker: send me no more [] */
    MATCH_TAG_BYE = 0x0213,   /* worker to match: that was all, end [] */
};

/** The settings of a match, in one list: X(F, kind, name, min, max, default, text). */
#define MATCH_RULES(X, F)                                                                       \
    X(F, INT, question_ms, 5000, 240000, 20000, "time to answer a question")                    \
    X(F, INT, countdown_ms, 0, 60000, 3000, "between start and the first question")             \
    X(F, INT, reveal_ms, 0, 60000, 4000, "the right answer is shown")                           \
    X(F, INT, leaderboard_ms, 0, 60000, 4000, "the leaderboard is shown")                       \
    X(F, INT, late_answer_grace_ms, 0, 2000, 250,                                               \
      "for network delay: an answer that late is taken as given at the time limit")             \
    X(F, INT, max_players, 1, 1000, 100, "seats")                                               \
    X(F, INT, min_players, 1, 1000, 1, "connected players without which no match starts")       \
    X(F, INT, base_points, 0, 2000, 1000, "points for a right answer: 0, 1000 or 2000")         \
    X(F, INT, free_window_ms, 0, 240000, 500, "full points inside it")                          \
    X(F, INT, streak_step, 0, 1000, 100, "bonus for each further right answer in a row")        \
    X(F, INT, streak_cap, 0, 10000, 500, "largest bonus")                                       \
    X(F, INT, reconnect_window_ms, 0, 3600000, 60000, "a lost player's seat is kept that long") \
    X(F, INT, empty_match_ttl_ms, 100, 86400000, 120000, "a match without players is ended")    \
    X(F, INT, idle_match_ttl_ms, 1000, 604800000, 3600000,                                      \
      "a match that waits in its lobby or pause is ended when nobody says anything that long")  \
    X(F, INT, finished_ttl_s, 0, 604800, 3600, "a match can be looked at after its end")        \
    X(F, INT, rtt_compensation_cap_ms, 0, 1000, 150, "most of a round trip that is given back") \
    X(F, INT, leaderboard_top, 1, 100, 10, "rows of the leaderboard")                           \
    X(F, BOOL, speed, 0, 1, 1, "quick answers get more points")                                 \
    X(F, BOOL, last_answer, 0, 1, 0, "the last answer before the lock counts, not the first")   \
    X(F, BOOL, shuffle_questions, 0, 1, 0, "order of given questions from the match's id")      \
    X(F, BOOL, shuffle_options, 0, 1, 0, "order of each question's options from the match's id")

#define MATCH_RULE_FIELD(F, kind, name, min, max, fallback, text) \
    F(OPT_##kind, name, _, min, max, text "; default " #fallback)

#define MATCH_RULES_FIELDS(F) MATCH_RULES(MATCH_RULE_FIELD, F)

#define MATCH_OPTIONS_FIELDS(F)                                                          \
    MATCH_RULES_FIELDS(F)                                                                \
    F(OPT_INT, max_matches, _, 1, 10000, "matches at a time in one worker; default 100") \
    F(OPT_INT, report_ms, _, 50, 3600000,                                                \
      "how often it tells the router which matches it has; default 5000")                \
    F(OPT_STRING, questions, _, 1, 4095, "file with the bank of questions (JSON, match_bank)")

#define MATCH_CHOICE_FIELDS(F)                                               \
    F(STRING, id, _, 1, MATCH_ID_MAX, "unique among the question's options") \
    F(STRING, text, _, 1, 512, "what players read")

#define MATCH_QUESTION_FIELDS(F)                                                               \
    F(STRING, id, _, 1, MATCH_ID_MAX, "unique in its list")                                    \
    F(ENUM, type, "single|multi|boolean|text|numeric", 0, 0, "kind of question")               \
    F(STRING, text, _, 1, 2048, "the question")                                                \
    F(OPT_STRING, media_url, _, 1, 2048, "picture or sound")                                   \
    F(OPT_LIST, options, match_choice, 2, MATCH_CHOICES_MAX,                                   \
      "single and multi; boolean has true and false unless given")                             \
    F(ANY, correct, _, 0, 0,                                                                   \
      "array: ids of right options; accepted texts; one number. Never sent before the reveal") \
    F(OPT_REAL, tolerance, _, 0, 1e9, "numeric: distance from the number that is still right") \
    F(OPT_INT, time_ms, _, 5000, 240000, "time to answer, instead of question_ms")             \
    F(OPT_INT, points, _, 0, 2000, "0, 1000 or 2000, instead of base_points")                  \
    F(OPT_TEXTS, tags, _, 0, 16, "to choose questions by")

#define MATCH_BANK_FIELDS(F) \
    F(LIST, questions, match_question, 1, MATCH_BANK_MAX, "the questions, ids unique")

#define MATCH_PICK_FIELDS(F)                                                   \
    F(OPT_TEXTS, tags, _, 0, 16, "only questions that have one of these tags") \
    F(OPT_INT, count, _, 1, MATCH_QUESTIONS_MAX, "how many; default 10, or all there are")

#define MATCH_CREATE_FIELDS(F)                                                                \
    F(OPT_LIST, questions, match_question, 1, MATCH_QUESTIONS_MAX, "questions of this match") \
    F(OPT_MESSAGE, bank, match_pick, 0, 0, "or a seeded choice from the worker's bank")       \
    F(OPT_MESSAGE, settings, match_rules, 0, 0, "instead of the worker's settings")           \
    F(OPT_TEXTS, teams, _, 2, MATCH_TEAMS_MAX,                                                \
      "names of teams; a player without a wish gets the smallest")

#define MATCH_JOIN_FIELDS(F)                                                                      \
    F(STRING, match_id, _, 1, MATCH_ID_MAX, "id of the match")                                    \
    F(TEXT, name, _, 1, MATCH_NAME_BYTES, "1 to 24 characters after trimming, not taken yet")     \
    F(OPT_STRING, player_id, _, 1, MATCH_ID_MAX,                                                  \
      "the player's secret id; one that is seated already gets its seat back; made up if absent") \
    F(OPT_STRING, team, _, 1, 256, "name of a team")

#define MATCH_HOST_FIELDS(F)                                   \
    F(STRING, match_id, _, 1, MATCH_ID_MAX, "id of the match") \
    F(STRING, host_key, _, 1, MATCH_ID_MAX, "from match_create's reply")

#define MATCH_ANSWER_FIELDS(F)                                                            \
    F(STRING, match_id, _, 1, MATCH_ID_MAX, "id of the match")                            \
    F(STRING, player_id, _, 1, MATCH_ID_MAX, "from match_join's reply")                   \
    F(STRING, question_id, _, 1, MATCH_ID_MAX, "of the open question")                    \
    F(ANY, answer, _, 0, 0, "option id; array of them; true or false; text; number")      \
    F(OPT_STRING, answer_id, _, 1, MATCH_ID_MAX, "repeat it to get the same reply again") \
    F(OPT_INT, rtt_ms, _, 0, 60000, "round trip to the player as the transport measured it")

#define MATCH_STATE_FIELDS(F)                                                      \
    F(STRING, match_id, _, 1, MATCH_ID_MAX, "id of the match")                     \
    F(OPT_STRING, player_id, _, 1, MATCH_ID_MAX, "adds what concerns this player") \
    F(OPT_INT, since_version, _, 0, 9e15, "adds the events after this version")

#define MATCH_CONTROL_FIELDS(F)                                                           \
    MATCH_HOST_FIELDS(F)                                                                  \
    F(ENUM, action, "next|pause|resume|skip|extend|kick|lock|unlock", 0, 0, "what to do") \
    F(OPT_INT, seat, _, 1, 1e9, "kick: whom")

#define MATCH_LEAVE_FIELDS(F)                                  \
    F(STRING, match_id, _, 1, MATCH_ID_MAX, "id of the match") \
    F(STRING, player_id, _, 1, MATCH_ID_MAX, "who leaves")

/* All that a worker needs to find the match that a request is for. */
#define MATCH_ADDRESS_FIELDS(F) F(STRING, match_id, _, 1, MATCH_ID_MAX, "id of the match")

#define MATCH_SEED_FIELDS(F)                                                       \
    F(STRING, match_id, _, 1, MATCH_ID_MAX, "id of the match")                     \
    F(STRING, host_key, _, 1, MATCH_ID_MAX, "secret of the host")                  \
    F(MESSAGE, rules, match_rules, 0, 0, "settings that differ from the defaults") \
    F(LIST, questions, match_question, 1, MATCH_QUESTIONS_MAX, "in their order")   \
    F(OPT_TEXTS, teams, _, 2, MATCH_TEAMS_MAX, "names of teams")

TRP_SCHEMA_DECLARE(match_rules, MATCH_RULES_FIELDS)
TRP_SCHEMA_DECLARE(match_options, MATCH_OPTIONS_FIELDS)
TRP_SCHEMA_DECLARE(match_choice, MATCH_CHOICE_FIELDS)
TRP_SCHEMA_DECLARE(match_question, MATCH_QUESTION_FIELDS)
TRP_SCHEMA_DECLARE(match_bank, MATCH_BANK_FIELDS)
TRP_SCHEMA_DECLARE(match_pick, MATCH_PICK_FIELDS)
TRP_SCHEMA_DECLARE(match_create, MATCH_CREATE_FIELDS)
TRP_SCHEMA_DECLARE(match_join, MATCH_JOIN_FIELDS)
TRP_SCHEMA_DECLARE(match_start, MATCH_HOST_FIELDS)
TRP_SCHEMA_DECLARE(match_answer, MATCH_ANSWER_FIELDS)
TRP_SCHEMA_DECLARE(match_state, MATCH_STATE_FIELDS)
TRP_SCHEMA_DECLARE(match_end, MATCH_HOST_FIELDS)
TRP_SCHEMA_DECLARE(match_control, MATCH_CONTROL_FIELDS)
TRP_SCHEMA_DECLARE(match_leave, MATCH_LEAVE_FIELDS)
TRP_SCHEMA_DECLARE(match_address, MATCH_ADDRESS_FIELDS)
TRP_SCHEMA_DECLARE(match_seed, MATCH_SEED_FIELDS)

/** Order of the type's choices in MATCH_QUESTION_FIELDS. */
typedef enum match_question_type {
    MATCH_SINGLE,
    MATCH_MULTI,
    MATCH_BOOLEAN,
    MATCH_TEXT,
    MATCH_NUMERIC,
} match_question_type_t;

/** The settings with all defaults filled in. */
#define MATCH_SETTING_INT                                      int64_t
#define MATCH_SETTING_BOOL                                     bool
#define MATCH_SETTING(F, kind, name, min, max, fallback, text) MATCH_SETTING_##kind name;
typedef struct match_settings {
    MATCH_RULES(MATCH_SETTING, _)
} match_settings_t;

/** The defaults. */
TRP_API extern const match_settings_t match_settings_default;

/** Overwrites what `rules` has. errors: TRP_PAYLOAD with `fault`, when they don't fit together */
TRP_API TRP_MUST_USE trp_status_t match_settings_apply(match_settings_t *settings,
                                                       const match_rules_t *rules,
                                                       trp_fault_t *fault);

/** The other way: every member of `rules` set, as a message can carry them. */
TRP_API void match_rules_from(const match_settings_t *settings, match_rules_t *rules);

#endif

/* SPDX-License-Identifier: MIT */
#include "messages/match.h"

#include <stdio.h>

TRP_SCHEMA_DEFINE(match_rules, 0, 0, MATCH_RULES_FIELDS, "settings of a match")
TRP_SCHEMA_DEFINE(match_options, 0, 0, MATCH_OPTIONS_FIELDS, "options of the class match")
TRP_SCHEMA_DEFINE(match_choice, 0, 0, MATCH_CHOICE_FIELDS, "an option of a question")
TRP_SCHEMA_DEFINE(match_question, 0, 0, MATCH_QUESTION_FIELDS, "a question")
TRP_SCHEMA_DEFINE(match_bank, 0, 0, MATCH_BANK_FIELDS, "a bank of questions")
TRP_SCHEMA_DEFINE(match_pick, 0, 0, MATCH_PICK_FIELDS, "a choice from the bank")
TRP_SCHEMA_DEFINE(match_create, MATCH_TAG_CREATE, 0, MATCH_CREATE_FIELDS, "opens a match's lobby")
TRP_SCHEMA_DEFINE(match_join, MATCH_TAG_JOIN, 0, MATCH_JOIN_FIELDS, "takes a seat in a match")
TRP_SCHEMA_DEFINE(match_start, MATCH_TAG_START, 0, MATCH_HOST_FIELDS, "starts the countdown")
TRP_SCHEMA_DEFINE(match_answer, MATCH_TAG_ANSWER, 0, MATCH_ANSWER_FIELDS, "answers a question")
TRP_SCHEMA_DEFINE(match_state, MATCH_TAG_STATE, 0, MATCH_STATE_FIELDS, "looks at a match")
TRP_SCHEMA_DEFINE(match_end, MATCH_TAG_END, 0, MATCH_HOST_FIELDS, "ends a match")
TRP_SCHEMA_DEFINE(match_control, MATCH_TAG_CONTROL, 0, MATCH_CONTROL_FIELDS, "the host's controls")
TRP_SCHEMA_DEFINE(match_leave, MATCH_TAG_LEAVE, 0, MATCH_LEAVE_FIELDS, "gives up a seat")
TRP_SCHEMA_DEFINE(match_address, 0, TRP_SCHEMA_OPEN, MATCH_ADDRESS_FIELDS, "which match")
TRP_SCHEMA_DEFINE(match_seed, MATCH_TAG_SEED, 0, MATCH_SEED_FIELDS, "what a match is made of")

#define SETTING_DEFAULT(F, kind, name, min, max, fallback, text) .name = fallback,
const match_settings_t match_settings_default = {MATCH_RULES(SETTING_DEFAULT, _)};

static trp_status_t refuse(trp_fault_t *fault, int64_t value, const char *path, const char *rule)
{
    msgpack_object shown = {.type = MSGPACK_OBJECT_POSITIVE_INTEGER, .via.u64 = (uint64_t)value};
    trp_fault_set(fault, &shown, path, rule);
    fault->message = match_rules_schema.name;
    return TRP_PAYLOAD;
}

trp_status_t match_settings_apply(match_settings_t *settings, const match_rules_t *rules,
                                  trp_fault_t *fault)
{
#define SETTING_APPLY(F, kind, name, min, max, fallback, text) \
    if (rules->has_##name)                                     \
        settings->name = rules->name;
    MATCH_RULES(SETTING_APPLY, _)
#undef SETTING_APPLY
    if (settings->base_points % 1000 != 0) {
        return refuse(fault, settings->base_points, "base_points", "0, 1000 or 2000");
    }
    if (settings->min_players > settings->max_players) {
        return refuse(fault, settings->min_players, "min_players", "at most max_players");
    }
    return TRP_OK;
}

void match_rules_from(const match_settings_t *settings, match_rules_t *rules)
{
#define SETTING_SHOW(F, kind, name, min, max, fallback, text) \
    rules->name = settings->name;                             \
    rules->has_##name = true;
    MATCH_RULES(SETTING_SHOW, _)
#undef SETTING_SHOW
}

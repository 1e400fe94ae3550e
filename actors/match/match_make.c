/* SPDX-License-Identifier: MIT */
/* match_create: checks all that a match is made of, then starts its actor. */
#include "actors/match/match_host.h"

#include <stdio.h>
#include <string.h>

#include "actors/match/match.h"

match_entry_t *match_host_find(const match_host_t *host, trp_text_t id)
{
    for (size_t i = 0; i < host->match_count; i++) {
        if (!host->matches[i].is_over && match_text_is(match_text(host->matches[i].id), id)) {
            return &host->matches[i];
        }
    }
    return NULL;
}

void match_host_describe(trp_ctx_t *ctx, const match_host_t *host)
{
    char text[32];
    snprintf(text, sizeof(text), "%zu matches", host->match_count);
    trp_describe(ctx, text);
}

static trp_status_t fail_at(tool_call_t *call, const char *path, const char *rule)
{
    trp_fault_t fault = {0};
    trp_fault_set(&fault, NULL, path, rule);
    return tool_fail_fault(call, &fault);
}

/* A fault about a part of the request, named by its place in the whole. */
static trp_status_t fail_inside(tool_call_t *call, const char *part, const trp_fault_t *fault)
{
    trp_fault_t whole = *fault;
    snprintf(whole.path, sizeof(whole.path), "%s%.*s", part, (int)(sizeof(whole.path) - 16),
             fault->path);
    return tool_fail_fault(call, &whole);
}

static trp_status_t choose_questions(tool_call_t *call, const match_create_t *create,
                                     match_seed_t *seed)
{
    match_host_t *host = call->state;
    trp_fault_t fault = {0};
    trp_status_t status;
    if (create->questions_count != 0) {
        if (create->bank != NULL) {
            return fail_at(call, "bank", "not there together with questions");
        }
        seed->questions = create->questions;
        seed->questions_count = create->questions_count;
        status = match_questions_check(seed->questions, seed->questions_count, &fault);
    } else {
        if (host->bank.bytes == NULL) {
            return fail_at(call, "questions",
                           "questions of this match, as this worker has no bank of them");
        }
        status = match_bank_pick(&host->bank.bank, create->bank, seed, call->zone, &fault);
    }
    return status == TRP_PAYLOAD ? tool_fail_fault(call, &fault) : status;
}

static trp_status_t check_teams(tool_call_t *call, const match_create_t *create)
{
    for (size_t i = 0; i < create->teams_count; i++) {
        char path[32];
        snprintf(path, sizeof(path), "teams[%zu]", i);
        if (create->teams[i].size == 0 || create->teams[i].size > MATCH_NAME_BYTES) {
            return fail_at(call, path, "1 to 256 bytes");
        }
        for (size_t k = 0; k < i; k++) {
            if (match_text_is(create->teams[i], create->teams[k])) {
                return fail_at(call, path, "unique among the teams");
            }
        }
    }
    return TRP_OK;
}

static trp_status_t spawn_match(tool_call_t *call, const match_seed_t *seed, match_entry_t *entry)
{
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_schema_write(&match_seed_schema, seed, &writer);
    trp_spawn_t spawn = {.class = &match_game_class, .args_tag = MATCH_TAG_SEED, .link = true};
    spawn.args = trp_writer_data(&writer, &spawn.args_size);
    trp_status_t status = writer.failed ? TRP_NO_MEMORY : trp_spawn(call->ctx, &spawn, &entry->pid);
    trp_writer_fini(&writer);
    return status;
}

static void reply_created(tool_call_t *call, const match_seed_t *seed)
{
    trp_writer_t *writer = &call->result;
    trp_write_map(writer, 5);
    trp_put_string(writer, "match_id", seed->match_id);
    trp_put_string(writer, "host_key", seed->host_key);
    trp_put_text(writer, "state", match_phase_name(MATCH_LOBBY));
    trp_put_int(writer, "question_count", (int64_t)seed->questions_count);
    trp_write_key(writer, "settings");
    trp_schema_write(&match_rules_schema, &seed->rules, writer);
}

/* Fills the seed but for its names; TRP_OK: it can be played. */
static trp_status_t make_seed(tool_call_t *call, const match_create_t *create, match_seed_t *seed)
{
    const match_host_t *host = call->state;
    match_settings_t settings = host->settings;
    trp_fault_t fault = {0};
    if (create->settings != NULL &&
        match_settings_apply(&settings, create->settings, &fault) != TRP_OK) {
        return fail_inside(call, "settings.", &fault);
    }
    match_rules_from(&settings, &seed->rules);
    seed->teams = create->teams;
    seed->teams_count = create->teams_count;
    trp_status_t status = check_teams(call, create);
    return status == TRP_OK ? choose_questions(call, create, seed) : status;
}

trp_status_t match_host_create(tool_call_t *call, const void *request)
{
    match_host_t *host = call->state;
    if (host->match_count == host->match_max) {
        return tool_fail(call, "E_NO_CAPACITY", "this worker hosts %zu matches already",
                         host->match_max);
    }
    match_entry_t *entry = &host->matches[host->match_count];
    entry->is_over = false;
    char host_key[MATCH_KEY_SIZE];
    do {
        snprintf(entry->id, sizeof(entry->id), "m-%016llx",
                 (unsigned long long)trp_random(call->ctx));
    } while (match_host_find(host, match_text(entry->id)) != NULL);
    snprintf(host_key, sizeof(host_key), "%016llx%016llx",
             (unsigned long long)trp_random(call->ctx), (unsigned long long)trp_random(call->ctx));
    match_seed_t seed = {.match_id = match_text(entry->id), .host_key = match_text(host_key)};
    trp_status_t status = make_seed(call, request, &seed);
    if (status == TRP_OK) {
        status = spawn_match(call, &seed, entry);
    }
    if (status != TRP_OK) {
        return status;
    }
    host->match_count++;
    memcpy(call->bind, entry->id, sizeof(entry->id));
    match_host_describe(call->ctx, host);
    reply_created(call, &seed);
    return TRP_OK;
}

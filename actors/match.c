/* SPDX-License-Identifier: MIT */
/* The root of a match worker: makes matches, and passes tasks on to them by match_id. */
#include "actors/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match_bank.h"
#include "actors/match_logic.h"
#include "actors/tool.h"
#include "runtime/log.h"

#define MATCHES_DEFAULT 100
#define KEY_SIZE        (2 + 2 * 16 + 1) /* "m-" or nothing, and up to 32 hexadecimal digits */

typedef struct entry {
    char id[KEY_SIZE];
    trp_pid_t pid;
    bool is_over; /* gets no more tasks */
} entry_t;

typedef struct host {
    match_settings_t settings;
    match_bank_file_t bank;
    entry_t *matches;
    size_t match_count, match_max;
    trp_pid_t router; /* who asked for the last match: wants to know which keys are free again */
} host_t;

static entry_t *find_id(const host_t *host, trp_text_t id)
{
    for (size_t i = 0; i < host->match_count; i++) {
        if (!host->matches[i].is_over && match_text_is(match_text(host->matches[i].id), id)) {
            return &host->matches[i];
        }
    }
    return NULL;
}

static entry_t *find_pid(const host_t *host, trp_pid_t pid)
{
    for (size_t i = 0; i < host->match_count; i++) {
        if (trp_pid_equal(host->matches[i].pid, pid)) {
            return &host->matches[i];
        }
    }
    return NULL;
}

static void describe(trp_ctx_t *ctx, const host_t *host)
{
    char text[32];
    snprintf(text, sizeof(text), "%zu matches", host->match_count);
    trp_describe(ctx, text);
}

/* ---- match_create ---- */

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
    host_t *host = call->state;
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
            return fail_at(call, "questions", "there, as this worker has no bank of questions");
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

static trp_status_t spawn_match(tool_call_t *call, const match_seed_t *seed, entry_t *entry)
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
    trp_write_key(writer, "match_id");
    trp_write_string(writer, seed->match_id.data, seed->match_id.size);
    trp_write_key(writer, "host_key");
    trp_write_string(writer, seed->host_key.data, seed->host_key.size);
    trp_write_key(writer, "state");
    trp_write_text(writer, match_phase_name(MATCH_LOBBY));
    trp_write_key(writer, "question_count");
    trp_write_int(writer, (int64_t)seed->questions_count);
    trp_write_key(writer, "settings");
    trp_schema_write(&match_rules_schema, &seed->rules, writer);
}

/* Fills the seed but for its names; TRP_OK: it can be played. */
static trp_status_t make_seed(tool_call_t *call, const match_create_t *create, match_seed_t *seed)
{
    const host_t *host = call->state;
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

static trp_status_t run_create(tool_call_t *call, const void *request)
{
    host_t *host = call->state;
    if (host->match_count == host->match_max) {
        return tool_fail(call, "E_NO_CAPACITY", "this worker hosts %zu matches already",
                         host->match_max);
    }
    entry_t *entry = &host->matches[host->match_count];
    entry->is_over = false;
    char host_key[KEY_SIZE];
    do {
        snprintf(entry->id, sizeof(entry->id), "m-%016llx",
                 (unsigned long long)trp_random(call->ctx));
    } while (find_id(host, match_text(entry->id)) != NULL);
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
    host->router = call->message->from;
    memcpy(call->bind, entry->id, sizeof(entry->id));
    describe(call->ctx, host);
    reply_created(call, &seed);
    return TRP_OK;
}

/* ---- all other tools ---- */

static trp_status_t pass_on(tool_call_t *call, const void *request)
{
    const match_address_t *address = request;
    const entry_t *entry = find_id(call->state, address->match_id);
    if (entry == NULL) {
        return tool_fail(call, "E_NOT_FOUND", "no such match");
    }
    trp_status_t status = trp_forward(call->ctx, call->message, entry->pid);
    if (status == TRP_FULL || status == TRP_BUSY) {
        return tool_fail(call, "E_BUSY", "too much is waiting for this match");
    }
    return status == TRP_OK ? TRP_PENDING : status;
}

static const tool_t tools[] = {
    {"match_create", &match_create_schema, run_create},
    {"match_join", &match_address_schema, pass_on},
    {"match_leave", &match_address_schema, pass_on},
    {"match_start", &match_address_schema, pass_on},
    {"match_answer", &match_address_schema, pass_on},
    {"match_state", &match_address_schema, pass_on},
    {"match_end", &match_address_schema, pass_on},
    {"match_control", &match_address_schema, pass_on},
};
static const tool_table_t table = {.tools = tools, .count = sizeof(tools) / sizeof(tools[0])};

/* ---- the actor ---- */

static trp_status_t read_options(trp_ctx_t *ctx, host_t *host, const match_options_t *options)
{
    match_rules_t rules = {0};
    trp_fault_t fault;
    char error[512] = "";
#define RULE_COPY(F, kind, name, min, max, fallback, text) \
    rules.name = options->name, rules.has_##name = options->has_##name;
    MATCH_RULES(RULE_COPY, _)
#undef RULE_COPY
    host->settings = match_settings_default;
    if (match_settings_apply(&host->settings, &rules, &fault) != TRP_OK) {
        trp_log(ctx, LOG_ERROR, "match_options", "%s should be %s", fault.path, fault.rule);
        return TRP_CONFIG;
    }
    host->match_max = options->has_max_matches ? (size_t)options->max_matches : MATCHES_DEFAULT;
    host->matches = calloc(host->match_max, sizeof(*host->matches));
    if (host->matches == NULL) {
        return TRP_NO_MEMORY;
    }
    if (!options->has_questions) {
        return TRP_OK;
    }
    char path[4096];
    snprintf(path, sizeof(path), "%.*s", (int)options->questions.size, options->questions.data);
    trp_status_t status = match_bank_open(&host->bank, path, error);
    if (status == TRP_CONFIG) {
        trp_log(ctx, LOG_ERROR, "match_bank", "%s", error);
    }
    return status;
}

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    host_t *host = state;
    match_options_t options = {0};
    trp_document_t document;
    trp_fault_t fault;
    size_t size = 0;
    const void *data = args == NULL ? NULL : trp_message_data(args, &size);
    trp_status_t status = TRP_OK;
    if (size != 0) {
        status = trp_schema_unpack(&match_options_schema, (trp_text_t){data, size}, &document,
                                   &options, &fault);
    }
    if (status == TRP_OK) {
        status = read_options(ctx, host, &options);
    }
    if (status == TRP_PAYLOAD) {
        trp_log(ctx, LOG_ERROR, "match_options", "%s should be %s", fault.path, fault.rule);
    } else if (size != 0) {
        trp_document_fini(&document);
    }
    if (status != TRP_OK) {
        free(host->matches);
        return status;
    }
    trp_trap_exit(ctx, true); /* a match that fails takes no other with it */
    describe(ctx, host);
    return TRP_OK;
}

/* A match ended: its place and its key are free. */
static void forget(trp_ctx_t *ctx, host_t *host, entry_t *entry, const trp_reason_t *reason)
{
    char line[TRP_REASON_LINE_MAX];
    trp_log(ctx, trp_reason_is_clean(reason) ? LOG_INFO : LOG_ERROR, "match_gone", "%s %s",
            entry->id, trp_reason_format(reason, line));
    const task_release_t release = {.key = match_text(entry->id)};
    trp_status_t status = trp_send_struct(ctx, host->router, &task_release_schema, &release);
    if (status != TRP_OK) {
        trp_log(ctx, LOG_WARN, "key_not_released", "%s %s", entry->id, trp_status_name(status));
    }
    *entry = host->matches[--host->match_count];
    describe(ctx, host);
}

static trp_status_t on_gone(trp_ctx_t *ctx, host_t *host, const trp_envelope_t *message)
{
    trp_reason_t reason;
    size_t size;
    memcpy(&reason, trp_message_data(message, &size), sizeof(reason));
    entry_t *entry = find_pid(host, message->from);
    if (entry != NULL) {
        forget(ctx, host, entry, &reason);
    } else {
        trp_stop(ctx, &reason); /* our supervisor; the link ends the matches */
    }
    return TRP_OK;
}

static trp_status_t on_over(trp_ctx_t *ctx, host_t *host, const trp_envelope_t *message)
{
    entry_t *entry = find_pid(host, message->from);
    if (entry == NULL) {
        return TRP_OK;
    }
    entry->is_over = true;
    return trp_send(ctx, entry->pid, MATCH_TAG_BYE, NULL, 0);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    switch (message->tag) {
    case TRP_TAG_TASK_RUN:
        return tool_serve(ctx, state, message, &table);
    case TRP_TAG_EXIT:
        return on_gone(ctx, state, message);
    case MATCH_TAG_OVER:
        return on_over(ctx, state, message);
    default:
        return TRP_OK;
    }
}

static void terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx, (void)reason;
    host_t *host = state;
    match_bank_close(&host->bank);
    free(host->matches);
}

static const trp_schema_t *const messages[] = {&task_run_schema, &match_create_schema, NULL};

const trp_class_t match_class = {.name = "match",
                                 .version = 1,
                                 .state_size = sizeof(host_t),
                                 .init = init,
                                 .receive = receive,
                                 .terminate = terminate,
                                 .messages = messages,
                                 .options = &match_options_schema};

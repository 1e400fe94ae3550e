/* SPDX-License-Identifier: MIT */
/* The root of a match worker: makes matches, and passes tasks on to them by match_id. */
#include "actors/match/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_host.h"
#include "runtime/log.h"

#define MATCHES_DEFAULT 100
#define REPORT_MS       5000
#define TAG_REPORT      (TRP_TAG_USER + 63)

static match_entry_t *find_pid(const match_host_t *host, trp_pid_t pid)
{
    for (size_t i = 0; i < host->match_count; i++) {
        if (trp_pid_equal(host->matches[i].pid, pid)) {
            return &host->matches[i];
        }
    }
    return NULL;
}

/* ---- tools ---- */

static trp_status_t pass_on(tool_call_t *call, const void *request)
{
    const match_address_t *address = request;
    const match_entry_t *entry = match_host_find(call->state, address->match_id);
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
    {"match_create", &match_create_schema, match_host_create},
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

static trp_status_t read_options(trp_ctx_t *ctx, match_host_t *host, const match_options_t *options)
{
    match_rules_t rules = {0};
    trp_fault_t fault;
    char error[512] = "";
#define RULE_COPY(F, kind, name, min, max, fallback, text) \
    rules.name = options->name;                            \
    rules.has_##name = options->has_##name;
    MATCH_RULES(RULE_COPY, _)
#undef RULE_COPY
    host->settings = match_settings_default;
    if (match_settings_apply(&host->settings, &rules, &fault) != TRP_OK) {
        trp_log(ctx, LOG_ERROR, "match_options", "%s should be %s", fault.path, fault.rule);
        return TRP_CONFIG;
    }
    host->match_max = options->has_max_matches ? (size_t)options->max_matches : MATCHES_DEFAULT;
    host->report_ms = options->has_report_ms ? options->report_ms : REPORT_MS;
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
    match_host_t *host = state;
    match_options_t options;
    trp_document_t document;
    trp_fault_t fault = {.message = ""};
    trp_status_t status =
        trp_message_unpack(&match_options_schema, args, &document, &options, &fault);
    if (status != TRP_OK) {
        trp_log(ctx, LOG_ERROR, "match_options", "%s should be %s", fault.path, fault.rule);
        return status;
    }
    status = read_options(ctx, host, &options);
    trp_document_fini(&document);
    if (status != TRP_OK) {
        free(host->matches);
        return status;
    }
    trp_trap_exit(ctx, true); /* a match that fails takes no other with it */
    match_host_describe(ctx, host);
    return TRP_OK;
}

/* A match ended: its place and its key are free. */
static void forget(trp_ctx_t *ctx, match_host_t *host, match_entry_t *entry,
                   const trp_reason_t *reason)
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
    match_host_describe(ctx, host);
}

static trp_status_t on_gone(trp_ctx_t *ctx, match_host_t *host, const trp_envelope_t *message)
{
    trp_reason_t reason;
    size_t size;
    memcpy(&reason, trp_message_data(message, &size), sizeof(reason));
    match_entry_t *entry = find_pid(host, message->from);
    if (entry != NULL) {
        forget(ctx, host, entry, &reason);
    } else {
        trp_stop(ctx, &reason); /* our supervisor; the link ends the matches */
    }
    return TRP_OK;
}

static trp_status_t on_over(trp_ctx_t *ctx, match_host_t *host, const trp_envelope_t *message)
{
    match_entry_t *entry = find_pid(host, message->from);
    if (entry == NULL) {
        return TRP_OK;
    }
    entry->is_over = true;
    return trp_send(ctx, entry->pid, MATCH_TAG_BYE, NULL, 0);
}

/* Releases may be lost, as when the router was restarted: the whole truth each so often mends
 * that. */
static void report(trp_ctx_t *ctx, match_host_t *host)
{
    trp_text_t *keys = calloc(host->match_count + 1, sizeof(*keys));
    zmq_msg_t message;
    if (keys == NULL) {
        return;
    }
    for (size_t i = 0; i < host->match_count; i++) {
        keys[i] = match_text(host->matches[i].id);
    }
    const task_keys_t held = {.keys = keys, .keys_count = host->match_count};
    if (trp_schema_pack(&task_keys_schema, &held, &message) == TRP_OK) {
        (void)!trp_send_move(ctx, trp_whereis(ctx, "router"), TRP_TAG_TASK_KEYS, &message);
        (void)zmq_msg_close(&message);
    }
    free(keys);
    if (host->match_count == 0) {
        trp_timer_cancel(ctx, host->report_timer);
        host->report_timer = 0;
    }
}

static trp_status_t serve(trp_ctx_t *ctx, match_host_t *host, const trp_envelope_t *message)
{
    host->router = message->from;
    const trp_status_t status = tool_serve(ctx, host, message, &table);
    if (status == TRP_OK && host->match_count > 0 && host->report_timer == 0) {
        return trp_timer_start(ctx, host->report_ms, host->report_ms, TAG_REPORT,
                               &host->report_timer);
    }
    return status;
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    match_host_t *host = state;
    switch (message->tag) {
    case TRP_TAG_TASK_RUN:
        return serve(ctx, host, message);
    case TAG_REPORT:
        report(ctx, host);
        return TRP_OK;
    case TRP_TAG_EXIT:
        return on_gone(ctx, host, message);
    case MATCH_TAG_OVER:
        return on_over(ctx, host, message);
    default:
        return TRP_OK;
    }
}

static void terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx, (void)reason;
    match_host_t *host = state;
    match_bank_close(&host->bank);
    free(host->matches);
}

static const trp_schema_t *const messages[] = {&task_run_schema, &match_create_schema, NULL};

const trp_class_t match_class = {.name = "match",
                                 .version = 1,
                                 .state_size = sizeof(match_host_t),
                                 .init = init,
                                 .receive = receive,
                                 .terminate = terminate,
                                 .messages = messages,
                                 .answers = tool_answers,
                                 .options = &match_options_schema};

/* SPDX-License-Identifier: MIT */
#include "actors/parser/parser_tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "actors/parser/parser_write.h"
#include "runtime/log.h"

#define MIB           ((int64_t)1 << 20)
#define NS_PER_MS     1000000
#define MEMORY_MAX_MB 1024
#define CODE_SIZE_MAX (4 * MIB)
#define RUN_MS        30000
#define RESULT_MAX    (32 * MIB) /* of a tree as MessagePack: JSON is up to twice that */
#define EARLY_NS_MAX  (100 * NS_PER_MS)

void parser_init(parser_t *parser, const parser_options_t *options)
{
    *parser = (parser_t){
        .memory_max_bytes = (options->has_memory_mb ? options->memory_mb : MEMORY_MAX_MB) * MIB,
        .size_max = options->has_size_max ? options->size_max : CODE_SIZE_MAX,
        .run_ms = options->has_run_ms ? options->run_ms : RUN_MS,
    };
    if (options->has_grammars) {
        (void)snprintf(parser->folder, sizeof(parser->folder), "%.*s", (int)options->grammars.size,
                       options->grammars.data);
    } else {
        parser_grammar_folder(parser->folder);
    }
}

void parser_fini(parser_t *parser)
{
    for (size_t i = 0; i < PARSER_LANGUAGES; i++) {
        parser_grammar_close(&parser->grammars[i]);
    }
}

/* ---- which language ---- */

static trp_status_t fail_language(tool_call_t *call, trp_text_t language, const char *what)
{
    (void)tool_fail(call, "E_UNSUPPORTED_LANGUAGE", "%s '%.*s' is not supported", what,
                    (int)language.size, language.data);
    trp_writer_t *writer = tool_error_member(call, "language");
    trp_write_string(writer, language.data, language.size);
    size_t count = 0;
    while (parser_language_ids[count] != NULL) {
        count++;
    }
    writer = tool_error_member(call, "supported");
    trp_write_array(writer, count);
    for (size_t i = 0; i < count; i++) {
        trp_write_text(writer, parser_language_ids[i]);
    }
    return TRP_FAILED;
}

/* By id, else by file name, else by the first line. */
static trp_status_t find_language(tool_call_t *call, const code_parse_t *request,
                                  const parser_language_t **language)
{
    trp_fault_t fault;

    if (request->has_language) {
        *language = parser_language_by_id(request->language);
        return *language != NULL ? TRP_OK : fail_language(call, request->language, "the language");
    }
    *language = request->has_filename ? parser_language_by_filename(request->filename) : NULL;
    if (*language == NULL) {
        *language = parser_language_by_shebang(request->code);
    }
    if (*language != NULL) {
        return TRP_OK;
    }
    if (request->has_filename) {
        return fail_language(call, request->filename, "the language of the file");
    }
    trp_fault_set(&fault, NULL, "language", "given, or told by filename or by the code's #! line");
    return tool_fail_fault(call, &fault);
}

static trp_status_t open_grammar(tool_call_t *call, const parser_language_t *language,
                                 parser_grammar_t **grammar)
{
    parser_t *parser = call->state;
    char fault[PARSER_FAULT_MAX];

    *grammar = &parser->grammars[language - parser_languages];
    if ((*grammar)->parser != NULL) {
        return TRP_OK;
    }
    if (parser_grammar_open(*grammar, language, parser->folder, fault) != TRP_OK) {
        log_event(LOG_ERROR, "grammar_missing", LOG_TEXT("fault", fault));
        return tool_fail(call, "E_INTERNAL", "%s", fault);
    }
    return TRP_OK;
}

/* ---- what is shown ---- */

static trp_status_t read_form(tool_call_t *call, const code_parse_options_t *options,
                              parser_form_t *form)
{
    static const code_parse_options_t none = {.has_format = false};
    trp_fault_t fault;

    options = options != NULL ? options : &none;
    int format = options->has_format ? options->format : CODE_PARSE_SEXP;
    bool is_json = format == CODE_PARSE_JSON;
    *form = (parser_form_t){
        .format = (code_parse_format_t)format,
        .depth_max = is_json ? CODE_PARSE_JSON_DEPTH : INT64_MAX,
        .nodes_max = is_json ? CODE_PARSE_JSON_NODES : INT64_MAX,
        .named_only = options->has_named_only && options->named_only,
        .include_text = options->has_include_text && options->include_text,
        .ranges = options->has_ranges ? options->ranges : format != CODE_PARSE_SEXP,
        .size_max = RESULT_MAX,
    };
    if (options->has_max_depth) {
        form->depth_max = options->max_depth;
    }
    if (options->has_max_nodes) {
        form->nodes_max = options->max_nodes;
    }
    if (is_json && form->depth_max > CODE_PARSE_JSON_DEPTH_MAX) {
        const msgpack_object *given = trp_member(&call->document->root, "options");
        trp_fault_set(&fault, trp_member(given, "max_depth"), "options.max_depth",
                      "at most 1000 with format json");
        return tool_fail_fault(call, &fault);
    }
    return TRP_OK;
}

/* ---- the parse ---- */

/* One request on its way through. */
struct job {
    tool_call_t *call;
    trp_text_t code;
    parser_grammar_t *grammar;
    parser_form_t form;
    parser_limits_t limits;
    int64_t start_ns, end_ns, stop_ns;
    TSTree *tree;
};

static bool is_late(void *arg)
{
    const struct job *job = arg;

    return tool_now_ns(job->call) >= job->stop_ns;
}

/* Whoever set a deadline replaces a worker that is silent then: our own word comes earlier. */
static void set_limits(struct job *job)
{
    const parser_t *parser = job->call->state;
    int64_t deadline_ns = job->call->message->deadline_ns;

    job->start_ns = tool_now_ns(job->call);
    job->end_ns = job->start_ns + parser->run_ms * NS_PER_MS;
    if (deadline_ns > 0 && deadline_ns < job->end_ns) {
        job->end_ns = deadline_ns;
    }
    int64_t early = (job->end_ns - job->start_ns) / 10;
    job->stop_ns = job->end_ns - (early < EARLY_NS_MAX ? early : EARLY_NS_MAX);
    job->limits = (parser_limits_t){parser->memory_max_bytes, is_late, job};
    job->form.limits = &job->limits;
}

static trp_status_t fail_late(const struct job *job)
{
    int64_t limit_ms = (job->end_ns - job->start_ns) / NS_PER_MS;

    (void)tool_fail(job->call, "E_TIMEOUT", "not parsed within %" PRId64 " ms", limit_ms);
    trp_write_int(tool_error_member(job->call, "limit_ms"), limit_ms);
    return TRP_FAILED;
}

static trp_status_t make_tree(struct job *job)
{
    const parser_t *parser = job->call->state;

    switch (parser_grammar_parse(job->grammar, job->code, &job->limits, &job->tree)) {
    case TRP_OK:
        return TRP_OK;
    case TRP_TIMEOUT:
        return fail_late(job);
    case TRP_TOO_LARGE:
        (void)tool_fail(job->call, "E_TOO_LARGE", "the parse needs more than %" PRId64 " MiB",
                        parser->memory_max_bytes / MIB);
        trp_write_int(tool_error_member(job->call, "limit"), parser->memory_max_bytes);
        return TRP_FAILED;
    default:
        return tool_fail(job->call, "E_INTERNAL", "the parser gave up");
    }
}

/* ---- the reply ---- */

static trp_status_t write_text_root(const struct job *job, bool *truncated)
{
    const parser_form_t *form = &job->form;
    parser_text_t text;

    parser_text_init(&text, form->size_max);
    trp_status_t status = form->format == CODE_PARSE_SEXP
                              ? parser_write_sexp(job->tree, job->code, form, &text, truncated)
                              : parser_write_outline(job->tree, job->code, form, &text, truncated);
    if (status == TRP_OK) {
        trp_write_string(&job->call->result, text.data, text.size);
    }
    parser_text_fini(&text);
    return status;
}

static trp_status_t write_reply(const struct job *job)
{
    trp_writer_t *writer = &job->call->result;
    TSNode root = ts_tree_root_node(job->tree);
    bool truncated = false;

    trp_write_map(writer, 7);
    trp_put_text(writer, "language", job->grammar->language->id);
    trp_put_text(writer, "grammar_version", job->grammar->version);
    trp_put_int(writer, "abi", job->grammar->abi);
    trp_put_bool(writer, "has_error", ts_node_has_error(root));
    trp_put_int(writer, "node_count", ts_node_descendant_count(root));
    trp_write_key(writer, "root");
    trp_status_t status =
        job->form.format == CODE_PARSE_JSON
            ? parser_write_json(job->tree, job->code, &job->form, writer, &truncated)
            : write_text_root(job, &truncated);
    trp_put_bool(writer, "truncated", truncated);
    if (status == TRP_TOO_LARGE) {
        (void)tool_fail(job->call, "E_TOO_LARGE",
                        "the tree is over %" PRId64 " MiB; give max_nodes or max_depth",
                        RESULT_MAX / MIB);
        trp_write_int(tool_error_member(job->call, "limit"), RESULT_MAX);
        return TRP_FAILED;
    }
    return status == TRP_TIMEOUT ? fail_late(job) : status;
}

static trp_status_t check_size(tool_call_t *call, size_t size)
{
    const parser_t *parser = call->state;

    if ((int64_t)size <= parser->size_max) {
        return TRP_OK;
    }
    (void)tool_fail(call, "E_TOO_LARGE", "code has %zu bytes, and %" PRId64 " is the limit", size,
                    parser->size_max);
    trp_write_int(tool_error_member(call, "limit"), parser->size_max);
    trp_write_int(tool_error_member(call, "size"), (int64_t)size);
    return TRP_FAILED;
}

trp_status_t parser_code_parse(tool_call_t *call, const void *request)
{
    const code_parse_t *parse = request;
    const parser_language_t *language = NULL;
    struct job job = {.call = call, .code = parse->code};

    trp_status_t status = check_size(call, parse->code.size);
    if (status == TRP_OK) {
        status = read_form(call, parse->options, &job.form);
    }
    if (status == TRP_OK) {
        status = find_language(call, parse, &language);
    }
    if (status == TRP_OK) {
        status = open_grammar(call, language, &job.grammar);
    }
    if (status == TRP_OK) {
        set_limits(&job);
        status = make_tree(&job);
    }
    if (status == TRP_OK) {
        status = write_reply(&job);
        ts_tree_delete(job.tree);
    }
    return status;
}

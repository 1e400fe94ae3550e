/* SPDX-License-Identifier: MIT */
#include "actors/parser_tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "actors/parser_write.h"
#include "runtime/log.h"

#define MIB           ((int64_t)1 << 20)
#define NS_PER_MS     1000000
#define MEMORY_MAX_MB 512
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
        trp_log(call->ctx, LOG_ERROR, "grammar_missing", "%s", fault);
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

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* arg: an int64_t, the moment to stop at */
static bool is_late(void *arg)
{
    return now_ns() >= *(const int64_t *)arg;
}

static trp_status_t fail_too_large(tool_call_t *call, int64_t limit, size_t size)
{
    trp_write_int(tool_error_member(call, "limit"), limit);
    if (size > 0) {
        trp_write_int(tool_error_member(call, "size"), (int64_t)size);
    }
    return TRP_FAILED;
}

static trp_status_t make_tree(tool_call_t *call, parser_grammar_t *grammar, trp_text_t code,
                              TSTree **tree)
{
    const parser_t *parser = call->state;
    int64_t start = now_ns();
    int64_t end = start + parser->run_ms * NS_PER_MS;

    if (call->message != NULL && call->message->deadline_ns > 0 &&
        call->message->deadline_ns < end) {
        end = call->message->deadline_ns;
    }
    /* Whoever set the deadline replaces a worker that is silent then: our own word comes earlier.
     */
    int64_t early = (end - start) / 10;
    int64_t stop_at = end - (early < EARLY_NS_MAX ? early : EARLY_NS_MAX);
    const parser_limits_t limits = {parser->memory_max_bytes, is_late, &stop_at};

    switch (parser_grammar_parse(grammar, code, &limits, tree)) {
    case TRP_OK:
        return TRP_OK;
    case TRP_TIMEOUT:
        (void)tool_fail(call, "E_TIMEOUT", "not parsed within %" PRId64 " ms",
                        (end - start) / NS_PER_MS);
        trp_write_int(tool_error_member(call, "limit_ms"), (end - start) / NS_PER_MS);
        return TRP_FAILED;
    case TRP_TOO_LARGE:
        (void)tool_fail(call, "E_TOO_LARGE", "the parse needs more than %" PRId64 " MiB of memory",
                        parser->memory_max_bytes / MIB);
        return fail_too_large(call, parser->memory_max_bytes, 0);
    default:
        return tool_fail(call, "E_INTERNAL", "the parser gave up");
    }
}

/* ---- the reply ---- */

static trp_status_t write_root(const TSTree *tree, trp_text_t code, const parser_form_t *form,
                               trp_writer_t *writer, bool *truncated)
{
    parser_text_t text;

    if (form->format == CODE_PARSE_JSON) {
        return parser_write_json(tree, code, form, writer, truncated);
    }
    parser_text_init(&text, form->size_max);
    trp_status_t status = form->format == CODE_PARSE_SEXP
                              ? parser_write_sexp(tree, code, form, &text, truncated)
                              : parser_write_outline(tree, code, form, &text, truncated);
    if (status == TRP_OK) {
        trp_write_string(writer, text.data, text.size);
    }
    parser_text_fini(&text);
    return status;
}

static trp_status_t write_reply(tool_call_t *call, const parser_grammar_t *grammar,
                                const TSTree *tree, trp_text_t code, const parser_form_t *form)
{
    trp_writer_t *writer = &call->result;
    TSNode root = ts_tree_root_node(tree);
    bool truncated = false;

    trp_write_map(writer, 7);
    trp_write_key(writer, "language");
    trp_write_text(writer, grammar->language->id);
    trp_write_key(writer, "grammar_version");
    trp_write_text(writer, grammar->version);
    trp_write_key(writer, "abi");
    trp_write_int(writer, grammar->abi);
    trp_write_key(writer, "has_error");
    trp_write_bool(writer, ts_node_has_error(root));
    trp_write_key(writer, "node_count");
    trp_write_int(writer, ts_node_descendant_count(root));
    trp_write_key(writer, "root");
    trp_status_t status = write_root(tree, code, form, writer, &truncated);
    trp_write_key(writer, "truncated");
    trp_write_bool(writer, truncated);
    if (status == TRP_TOO_LARGE) {
        (void)tool_fail(call, "E_TOO_LARGE",
                        "the tree is over %" PRId64 " MiB; give max_nodes or max_depth",
                        RESULT_MAX / MIB);
        return fail_too_large(call, RESULT_MAX, 0);
    }
    return status;
}

trp_status_t parser_code_parse(tool_call_t *call, const void *request)
{
    const code_parse_t *parse = request;
    const parser_t *parser = call->state;
    const parser_language_t *language;
    parser_grammar_t *grammar;
    parser_form_t form;
    TSTree *tree;

    if ((int64_t)parse->code.size > parser->size_max) {
        (void)tool_fail(call, "E_TOO_LARGE", "code has %zu bytes, and %" PRId64 " is the limit",
                        parse->code.size, parser->size_max);
        return fail_too_large(call, parser->size_max, parse->code.size);
    }

    trp_status_t status = read_form(call, parse->options, &form);
    if (status == TRP_OK) {
        status = find_language(call, parse, &language);
    }
    if (status == TRP_OK) {
        status = open_grammar(call, language, &grammar);
    }
    if (status == TRP_OK) {
        status = make_tree(call, grammar, parse->code, &tree);
    }
    if (status == TRP_OK) {
        status = write_reply(call, grammar, tree, parse->code, &form);
        ts_tree_delete(tree);
    }
    return status;
}

/* SPDX-License-Identifier: MIT */
/* The tools of the parser and the state that they share. Owner: one actor. */
#ifndef TRP_ACTORS_PARSER_TOOL_H
#define TRP_ACTORS_PARSER_TOOL_H

#include "actors/parser/parser_grammar.h"
#include "actors/tool.h"
#include "messages/parser.h"

/** State of the parser's actor. */
typedef struct parser {
    char folder[PARSER_PATH_MAX]; /* of the grammars */
    int64_t memory_max_bytes;
    int64_t size_max;                            /* bytes of code */
    int64_t run_ms;                              /* limit of a parse without a deadline */
    parser_grammar_t grammars[PARSER_LANGUAGES]; /* opened when first needed */
} parser_t;

/** Fills in the defaults for what the options leave open; opens nothing. */
void parser_init(parser_t *parser, const parser_options_t *options);

/** Closes what was opened. */
void parser_fini(parser_t *parser);

/** code_parse: tool_t's run, with a code_parse_t. call->state is a parser_t. */
trp_status_t parser_code_parse(tool_call_t *call, const void *request);

#endif

/* SPDX-License-Identifier: MIT */
/* The requests of the parser's tools.
 *
 * code_parse answers {language, grammar_version, abi, has_error, node_count, root, truncated}:
 *     language         id of the grammar: javascript for jsx
 *     grammar_version  of the package that it was built from
 *     node_count       every node of the tree; anonymous, ERROR and MISSING ones too
 *     root             sexp: text as the library prints it; outline: text, a line for each
 *                      declaration, indented; json: a node {t, n?, s, e, text?, missing?, c}:
 *                      type, field, start and end [row, column, byte], text of a node without
 *                      children, children. Rows, columns and bytes count from 0, columns in bytes
 *     truncated        max_depth or max_nodes cut something off */
#ifndef TRP_MESSAGES_PARSER_H
#define TRP_MESSAGES_PARSER_H

#include "messages/schema.h"
#include "messages/task.h"

/** Forms of the tree in a reply: code_parse_options_t.format. */
typedef enum code_parse_format {
    CODE_PARSE_SEXP,
    CODE_PARSE_JSON,
    CODE_PARSE_OUTLINE,
} code_parse_format_t;

/* Bounds of the json form, whose readers recurse. */
#define CODE_PARSE_JSON_DEPTH     200
#define CODE_PARSE_JSON_DEPTH_MAX 1000
#define CODE_PARSE_JSON_NODES     200000

#define CODE_PARSE_OPTIONS_FIELDS(F)                                                          \
    F(OPT_ENUM, format, "sexp|json|outline", 0, 0, "form of the tree; default sexp")          \
    F(OPT_INT, max_depth, _, 0, 1e9,                                                          \
      "levels below the root; json: default 200, at most 1000; sexp, outline: default all")   \
    F(OPT_INT, max_nodes, _, 1, 1e9, "nodes shown; json: default 200000; sexp, outline: all") \
    F(OPT_BOOL, named_only, _, 0, 1, "json: without anonymous nodes; default false")          \
    F(OPT_BOOL, include_text, _, 0, 1,                                                        \
      "sexp, json: the text of nodes without children; "                                      \
      "default false")                                                                        \
    F(OPT_BOOL, ranges, _, 0, 1, "where nodes start and end; default true, for sexp false")

#define CODE_PARSE_FIELDS(F)                                                                       \
    F(OPT_STRING, language, _, 1, 64, "of the code; default: by filename, else by its #! line")    \
    F(OPT_STRING, filename, _, 1, 4096, "its ending tells the language when `language` is absent") \
    F(TEXT, code, _, 0, TRP_BODY_MAX, "source text, at most 4 MiB")                                \
    F(OPT_MESSAGE, options, code_parse_options, 0, 0, "what the reply shows")

TRP_SCHEMA_DECLARE(code_parse_options, CODE_PARSE_OPTIONS_FIELDS)
TRP_SCHEMA_DECLARE(code_parse, CODE_PARSE_FIELDS)

/** Options of the class in a configuration. */
#define PARSER_OPTIONS_FIELDS(F)                                                              \
    F(OPT_STRING, grammars, _, 1, 500, "folder of the grammars; default: beside the program") \
    F(OPT_INT, memory_mb, _, 1, 1048576, "that one parse may hold; default 1024")             \
    F(OPT_INT, size_max, _, 1, 67108864, "bytes of code; default 4194304")                    \
    F(OPT_INT, run_ms, _, 1, 86400000,                                                        \
      "limit of one parse where the task has no deadline; default 30000")

TRP_SCHEMA_DECLARE(parser_options, PARSER_OPTIONS_FIELDS)

#endif

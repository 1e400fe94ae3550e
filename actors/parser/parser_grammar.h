/* SPDX-License-Identifier: MIT */
/* A language's grammar: loaded from a shared object, with the parser object that is kept for it.
 * Owner: one actor; used by one thread at a time. */
#ifndef TRP_ACTORS_PARSER_GRAMMAR_H
#define TRP_ACTORS_PARSER_GRAMMAR_H

#include <tree_sitter/api.h>

#include "actors/parser/parser_language.h"
#include "messages/status.h"

#define PARSER_PATH_MAX  512
#define PARSER_FAULT_MAX 256 + PARSER_PATH_MAX

typedef struct parser_grammar {
    const parser_language_t *language;
    const TSLanguage *table;
    TSParser *parser;
    void *object;     /* of dlopen */
    char version[32]; /* of the package it was built from; "" = not known */
    uint32_t abi;
} parser_grammar_t;

/** Bounds of one parse. */
typedef struct parser_limits {
    int64_t memory_max_bytes; /* that tree-sitter may hold for it */
    bool (*stop)(void *arg);  /* asked now and then during the parse; true ends it. NULL: never */
    void *arg;
} parser_limits_t;

/** The folder of the grammars when no option names one: TROUPE_GRAMMARS, else `grammars` beside
 * this program or in one of the two folders above it. */
void parser_grammar_folder(char folder[PARSER_PATH_MAX]);

/** Loads `folder`/ID.so. `fault` says, for people, what is wrong and what to do.
 * errors: TRP_NOT_FOUND (no such file), TRP_UNSUPPORTED (no grammar, or of another ABI),
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t parser_grammar_open(parser_grammar_t *grammar,
                                              const parser_language_t *language, const char *folder,
                                              char fault[PARSER_FAULT_MAX]);

/** Ends it; also one that is zeroed. No tree of it may be left. */
void parser_grammar_close(parser_grammar_t *grammar);

/** Parses UTF-8 text. owns: the caller deletes `*tree`.
 * errors: TRP_TIMEOUT (stop said so), TRP_TOO_LARGE (over the memory limit), TRP_FAILED */
TRP_MUST_USE trp_status_t parser_grammar_parse(parser_grammar_t *grammar, trp_text_t code,
                                               const parser_limits_t *limits, TSTree **tree);

#endif

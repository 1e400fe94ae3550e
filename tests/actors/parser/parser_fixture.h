/* SPDX-License-Identifier: MIT */
/* Parsing in one call, for the tests of the parser. */
#ifndef TRP_TESTS_ACTORS_PARSER_FIXTURE_H
#define TRP_TESTS_ACTORS_PARSER_FIXTURE_H

#include "actors/parser/parser_grammar.h"
#include "actors/parser/parser_write.h"

/** A grammar of build/grammars by language id. Fails the test, and says why, when it is not
 * there. */
parser_grammar_t *fixture_grammar(const char *id);

/** The tree of `code`; fails the test when there is none. owns: the caller deletes it */
TSTree *fixture_parse(const char *id, trp_text_t code);

/** A NUL-terminated string as a text. */
trp_text_t fixture_text(const char *string);

/** `count` times `piece`, malloc'd. */
trp_text_t fixture_repeat(const char *piece, size_t count);

/** A whole file, malloc'd. data NULL: no such file */
trp_text_t fixture_file(const char *path);

/** A form that shows everything. */
extern const parser_form_t fixture_everything;

/** parser_write_sexp of all of it as a NUL-terminated malloc'd string. */
char *fixture_sexp(const TSTree *tree, trp_text_t code);

#endif

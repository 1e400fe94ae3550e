/* SPDX-License-Identifier: MIT */
/* The languages of the parser, and how a text's language is found: by id, by file name, by its
 * first line. Constants; no thread affinity. */
#ifndef TRP_ACTORS_PARSER_LANGUAGE_H
#define TRP_ACTORS_PARSER_LANGUAGE_H

#include "messages/codec.h"

#define PARSER_LANGUAGES 8 /* grammars */

/** One grammar. The lists are words separated by one blank. */
typedef struct parser_language {
    const char *id;           /* also the name of its shared object */
    const char *aliases;      /* other ids */
    const char *extensions;   /* of file names, without the dot */
    const char *interpreters; /* in a #! line, without a version at the end */
} parser_language_t;

extern const parser_language_t parser_languages[PARSER_LANGUAGES];

/** The ids that requests may use and that an error lists. NULL-terminated. */
extern const char *const parser_language_ids[];

/** By id or alias, without regard to case. NULL: unknown */
const parser_language_t *parser_language_by_id(trp_text_t id);

/** By what follows the last dot of a path. NULL: unknown */
const parser_language_t *parser_language_by_filename(trp_text_t filename);

/** By the interpreter that the first line names (`#!/usr/bin/env python3`). NULL: none or
 * unknown */
const parser_language_t *parser_language_by_shebang(trp_text_t code);

#endif

/* SPDX-License-Identifier: MIT */
/* The parser: a worker that turns source text into syntax trees (tool code_parse). A grammar is
 * loaded when the first text of its language comes, and kept. */
#ifndef TRP_ACTORS_PARSER_H
#define TRP_ACTORS_PARSER_H

#include "runtime/troupe.h"

/** options: messages/parser.h, parser_options */
extern const trp_class_t parser_class;

#endif

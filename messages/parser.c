/* SPDX-License-Identifier: MIT */
#include "messages/parser.h"

TRP_SCHEMA_DEFINE(code_parse_options, 0, 0, CODE_PARSE_OPTIONS_FIELDS, "what a code_parse shows")
TRP_SCHEMA_DEFINE(code_parse, 0, 0, CODE_PARSE_FIELDS, "parses a source text to a syntax tree")
TRP_SCHEMA_DEFINE(parser_options, 0, 0, PARSER_OPTIONS_FIELDS, "options of the parser class")

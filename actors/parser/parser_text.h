/* SPDX-License-Identifier: MIT */
/* A text that grows up to a bound. A failure is kept and told at the end: no check after each
 * write. */
#ifndef TRP_ACTORS_PARSER_TEXT_H
#define TRP_ACTORS_PARSER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "messages/status.h"

typedef struct parser_text {
    char *data;
    size_t size, capacity;
    size_t size_max;
    trp_status_t status; /* TRP_TOO_LARGE (over size_max), TRP_NO_MEMORY, or a writer's own */
} parser_text_t;

void parser_text_init(parser_text_t *text, size_t size_max);
void parser_text_fini(parser_text_t *text);

void parser_text_add(parser_text_t *text, const char *data, size_t size);
void parser_text_put(parser_text_t *text, const char *string);
void parser_text_number(parser_text_t *text, long long number);

/** `data` in double quotes, with JSON's escapes. */
void parser_text_quote(parser_text_t *text, const char *data, size_t size);

#endif

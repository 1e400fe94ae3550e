/* SPDX-License-Identifier: MIT */
/* The one form of option tables: a row says name, type, default, bounds and text; parsing, printing
 * and documentation (docs/config.md) are driven by it. */
#ifndef TRP_RUNTIME_OPTION_H
#define TRP_RUNTIME_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/status.h"

#define OPTION_TEXT_MAX 256 /* bytes of a text option, the NUL included */

typedef enum option_kind { OPTION_INT, OPTION_TEXT, OPTION_CHOICE } option_kind_t;

typedef struct option {
    const char *name;
    option_kind_t kind;
    size_t offset;        /* in the struct: int64_t for INT and CHOICE, char[size] for TEXT */
    size_t size;          /* TEXT: bytes of the member */
    const char *fallback; /* the default, as one would type it */
    int64_t min, max;     /* INT */
    const char *choices;  /* CHOICE: "permanent|transient|temporary" */
    const char *text;     /* what it does, with its unit */
} option_t;

typedef struct option_table {
    const char *section; /* "node", "pools.NAME" */
    const option_t *rows;
    size_t count;
} option_table_t;

/** Fills a struct with the defaults. */
void option_defaults(const option_table_t *table, void *values);

/** Sets one option. `rule` (160 bytes) says what should hold. errors: TRP_NOT_FOUND (no such
 * option), TRP_CONFIG (value) */
TRP_MUST_USE trp_status_t option_set(const option_table_t *table, void *values, const char *name,
                                     const char *value, char rule[160]);

/** The value of one option as one would type it. */
void option_format(const option_t *row, const void *values, char text[OPTION_TEXT_MAX]);

#endif

/* SPDX-License-Identifier: MIT */
/* Aligned columns on standard output; colours only on a terminal (and not with NO_COLOR). */
#ifndef TRP_SUPERVISOR_TEXT_TABLE_H
#define TRP_SUPERVISOR_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_TABLE_COLUMNS_MAX 16
#define TEXT_TABLE_CELL_MAX    160 /* bytes; longer texts are cut */

typedef struct text_table {
    size_t columns;
    size_t cell_count, cell_capacity;
    char (*cells)[TEXT_TABLE_CELL_MAX];
    bool is_number[TEXT_TABLE_COLUMNS_MAX]; /* aligned to the right */
    bool has_failed;                        /* out of memory */
} text_table_t;

/** Starts with its headings, NULL-terminated; one that begins with `#` is of numbers. owns:
 * text_table_print frees all. */
void text_table_init(text_table_t *table, const char *const *headings);

/** The next cell of the present row. */
void text_table_text(text_table_t *table, const char *text);
void text_table_int(text_table_t *table, int64_t number);

/** A time in milliseconds, to the microsecond. units: `ns` nanoseconds */
void text_table_ms(text_table_t *table, int64_t ns);

/** Prints and frees. False: out of memory, nothing was printed. */
bool text_table_print(text_table_t *table);

#endif

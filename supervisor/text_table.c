/* SPDX-License-Identifier: MIT */
#include "supervisor/text_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOLD  "\033[1m"
#define RESET "\033[0m"

/* Words that are worth a colour where they stand alone in a cell. */
static const struct {
    const char *word, *colour;
} colours[] = {
    {"up", "\033[32m"},       {"backoff", "\033[31m"}, {"starting", "\033[33m"},
    {"stopping", "\033[33m"}, {"queued", "\033[33m"},  {"idle", "\033[2m"},
    {"running", "\033[32m"},  {"exiting", "\033[33m"},
};

/* Columns on a screen: bytes that begin a character. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

void text_table_text(text_table_t *table, const char *text)
{
    if (table->cell_count == table->cell_capacity) {
        size_t capacity = table->cell_capacity == 0 ? 256 : table->cell_capacity * 2;
        void *cells = realloc(table->cells, capacity * sizeof(*table->cells));
        if (cells == NULL) {
            table->has_failed = true;
            return;
        }
        table->cells = cells;
        table->cell_capacity = capacity;
    }
    snprintf(table->cells[table->cell_count++], TEXT_TABLE_CELL_MAX, "%s", text);
}

void text_table_int(text_table_t *table, int64_t number)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRId64, number);
    text_table_text(table, text);
}

void text_table_init(text_table_t *table, const char *const *headings)
{
    *table = (text_table_t){0};
    for (; headings[table->columns] != NULL; table->columns++) {
        const char *heading = headings[table->columns];
        table->is_number[table->columns] = heading[0] == '#';
        text_table_text(table, heading[0] == '#' ? heading + 1 : heading);
    }
}

static const char *colour_of(const char *text)
{
    for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++) {
        if (strcmp(colours[i].word, text) == 0) {
            return colours[i].colour;
        }
    }
    return NULL;
}

static void print_cell(const text_table_t *table, size_t index, size_t width, bool is_coloured)
{
    const char *text = table->cells[index];
    size_t column = index % table->columns;
    bool is_last = column + 1 == table->columns;
    int blanks = (int)(width - width_of(text));
    const char *colour = !is_coloured ? NULL : index < table->columns ? BOLD : colour_of(text);
    printf("%*s%s%s%s", table->is_number[column] ? blanks : 0, "", colour == NULL ? "" : colour,
           text, colour == NULL ? "" : RESET);
    if (is_last) {
        putchar('\n');
    } else {
        printf("%*s", (table->is_number[column] ? 0 : blanks) + 2, "");
    }
}

bool text_table_print(text_table_t *table)
{
    size_t widths[TEXT_TABLE_COLUMNS_MAX] = {0};
    bool is_coloured = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    bool is_complete = !table->has_failed;
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = width_of(table->cells[i]);
        size_t *widest = &widths[i % table->columns];
        *widest = width > *widest ? width : *widest;
    }
    for (size_t i = 0; i < table->cell_count && is_complete; i++) {
        print_cell(table, i, widths[i % table->columns], is_coloured);
    }
    free(table->cells);
    *table = (text_table_t){0};
    return is_complete;
}

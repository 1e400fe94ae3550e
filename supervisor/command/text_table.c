/* SPDX-License-Identifier: MIT */
#include "supervisor/command/text_table.h"

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

void text_table_ms(text_table_t *table, int64_t ns)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRId64 ".%03d", ns / 1000000, (int)(ns / 1000 % 1000));
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

static void print_cell(const text_table_t *table, size_t index, int blanks, const char *colour)
{
    const char *text = table->cells[index];
    bool is_number = table->is_number[index % table->columns];
    printf("%*s%s%s%s%*s", is_number ? blanks : 0, "", colour == NULL ? "" : colour, text,
           colour == NULL ? "" : RESET, is_number ? 0 : blanks, "");
}

/* A line ends with its last cell that is not empty. */
static void print_row(const text_table_t *table, size_t first, const size_t *widths,
                      bool is_coloured)
{
    size_t end = first + table->columns;
    while (end > first + 1 && table->cells[end - 1][0] == '\0') {
        end--;
    }
    for (size_t i = first; i < end; i++) {
        const char *text = table->cells[i];
        const char *colour = !is_coloured ? NULL : first == 0 ? BOLD : colour_of(text);
        bool is_padded = i + 1 < end || table->is_number[i - first];
        int blanks = is_padded ? (int)(widths[i - first] - width_of(text)) : 0;
        print_cell(table, i, blanks, colour);
        fputs(i + 1 < end ? "  " : "\n", stdout);
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
    for (size_t i = 0; i + table->columns <= table->cell_count && is_complete;
         i += table->columns) {
        print_row(table, i, widths, is_coloured);
    }
    free(table->cells);
    *table = (text_table_t){0};
    return is_complete;
}

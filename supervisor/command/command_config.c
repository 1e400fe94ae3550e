/* SPDX-License-Identifier: MIT */
/* Prints docs/config.md from the option tables. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/config/config.h"
#include "supervisor/command/command.h"

/* A choice's words, with `|` as Markdown wants it in a table. */
static void print_choices(const char *choices)
{
    for (; *choices != '\0'; choices++) {
        if (*choices == '|') {
            fputs(", ", stdout);
        } else {
            putchar(*choices);
        }
    }
}

static void print_row(const option_t *row)
{
    printf("| `%s` | ", row->name);
    if (row->kind == OPTION_INT) {
        printf("%" PRId64 " to %" PRId64, row->min, row->max);
    } else if (row->kind == OPTION_CHOICE) {
        print_choices(row->choices);
    } else {
        printf("text");
    }
    printf(" | %s%s%s | %s |\n", row->fallback[0] == '\0' ? "" : "`", row->fallback,
           row->fallback[0] == '\0' ? "" : "`", row->text);
}

static void write_row(trp_writer_t *writer, const char *section, const option_t *row)
{
    static const char *const kinds[] = {"int", "text", "choice"};
    trp_write_map(writer, row->kind == OPTION_INT ? 7 : row->kind == OPTION_CHOICE ? 6 : 5);
    trp_put_text(writer, "section", section);
    trp_put_text(writer, "option", row->name);
    trp_put_text(writer, "kind", kinds[row->kind]);
    trp_put_text(writer, "default", row->fallback);
    trp_put_text(writer, "text", row->text);
    if (row->kind == OPTION_INT) {
        trp_put_int(writer, "min", row->min);
        trp_put_int(writer, "max", row->max);
    } else if (row->kind == OPTION_CHOICE) {
        trp_put_text(writer, "choices", row->choices);
    }
}

static int print_json(const command_call_t *call, const option_table_t *tables, size_t count)
{
    trp_writer_t writer;
    size_t rows = 0;
    trp_writer_init(&writer);
    trp_write_map(&writer, 1);
    trp_write_key(&writer, "options");
    size_t mark = trp_write_array_begin(&writer);
    for (size_t i = 0; i < count; i++) {
        for (size_t row = 0; row < tables[i].count; row++, rows++) {
            write_row(&writer, tables[i].section, &tables[i].rows[row]);
        }
    }
    trp_write_array_end(&writer, mark, rows);

    size_t size = 0;
    const void *data = trp_writer_data(&writer, &size);
    trp_document_t document;
    trp_fault_t fault;
    int status = EXIT_FAILED;
    if (!writer.failed && trp_document_init(&document, data, size, &fault) == TRP_OK) {
        status = command_print_json(call, trp_member(&document.root, "options"));
        trp_document_fini(&document);
    }
    trp_writer_fini(&writer);
    return status;
}

int command_config(const command_call_t *call)
{
    size_t count = 0;
    const option_table_t *tables = config_tables(&count);
    if (call->json) {
        return print_json(call, tables, count);
    }
    printf("# Configuration\n\n"
           "A ZPL file: sections by indentation, `option = value`, `#` begins a comment. Every "
           "option\n"
           "can be set on the command line as well: `--set SECTION.OPTION=VALUE`. This page is "
           "printed\n"
           "by `troupe config` from the tables that parse the file.\n");
    for (size_t i = 0; i < count; i++) {
        bool is_continued = i > 0 && strcmp(tables[i].section, tables[i - 1].section) == 0;
        if (!is_continued) {
            printf("\n## `%s`\n\n| option | values | default | what it does |\n|---|---|---|---|\n",
                   tables[i].section);
        }
        for (size_t row = 0; row < tables[i].count; row++) {
            print_row(&tables[i].rows[row]);
        }
    }
    return EXIT_OK;
}

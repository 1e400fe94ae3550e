/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "messages/schema_internal.h"
#include "messages/writer.h"

#define LINE_MAX_BYTES 512

static TRP_PRINTF(2, 3) void print(trp_writer_t *out, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (length > 0) {
        writer_append(out, line, strlen(line));
    }
}

/* A bar would end the cell of the table. */
static void print_cell(trp_writer_t *out, const char *text)
{
    for (; *text != '\0'; text++) {
        writer_append(out, *text == '|' ? "\\|" : text, *text == '|' ? 2 : 1);
    }
    print(out, " |");
}

static void print_field(trp_writer_t *out, const trp_field_t *field)
{
    char rule[RULE_MAX];
    print(out, "| `%s` | ", field->name);
    if (field->of != NULL) {
        const char *suffix = field->kind == TRP_FIELD_LIST ? " each" : "";
        print(out, "%s,%s `%s` |", schema_rule(field, rule), suffix, field->of->name);
    } else {
        print_cell(out, schema_rule(field, rule));
    }
    print(out, " ");
    print_cell(out, field->text);
    print(out, "\n");
}

static void print_head(trp_writer_t *out, const trp_schema_t *schema)
{
    print(out, "## %s\n\n%s.", schema->name, schema->text);
    if (schema->tag != 0) {
        print(out, " Tag 0x%04x.", schema->tag);
    }
    if ((schema->flags & TRP_SCHEMA_FIXED) != 0) {
        print(out, " Of fixed size: %zu bytes inside a runtime.", schema->size);
    }
    if ((schema->flags & TRP_SCHEMA_OPEN) != 0) {
        print(out, " Unknown members are ignored.");
    }
    print(out, "\n");
}

char *trp_schema_document(const trp_schema_t *schema)
{
    const trp_field_t *fields = schema->fields();
    trp_writer_t out;
    trp_writer_init(&out);
    print_head(&out, schema);
    if (schema->field_count == 0) {
        print(&out, "\nIt has no members.\n");
    } else {
        print(&out, "\n| member | what holds | meaning |\n|---|---|---|\n");
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        print_field(&out, &fields[i]);
    }
    writer_append(&out, "", 1);
    if (out.failed) {
        trp_writer_fini(&out);
        return NULL;
    }
    return out.buffer.data;
}

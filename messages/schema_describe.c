/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "messages/schema_internal.h"

#define PARTS_MAX 64 /* schemas reachable from one message */

/* The schemas that a message consists of, itself first: each is described once and referred to by
 * name, so a schema may contain itself. */
typedef struct parts {
    const trp_schema_t *schemas[PARTS_MAX];
    size_t count;
} parts_t;

static void add_part(parts_t *parts, const trp_schema_t *schema)
{
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->schemas[i] == schema) {
            return;
        }
    }
    if (parts->count < PARTS_MAX) {
        parts->schemas[parts->count++] = schema;
    }
}

static void collect_parts(parts_t *parts, const trp_schema_t *schema)
{
    add_part(parts, schema);
    for (size_t i = 0; i < parts->count; i++) { /* the list grows as it is walked */
        const trp_field_t *fields = parts->schemas[i]->fields();
        for (size_t k = 0; k < parts->schemas[i]->field_count; k++) {
            if (fields[k].of != NULL) {
                add_part(parts, fields[k].of);
            }
        }
    }
}

static void write_number(trp_writer_t *writer, const char *key, double number)
{
    trp_write_key(writer, key);
    if (number == floor(number) && fabs(number) < 9e18) {
        trp_write_int(writer, (int64_t)number);
    } else {
        trp_write_real(writer, number);
    }
}

/* Returns the number of members written. */
static size_t write_type(trp_writer_t *writer, const char *type, bool optional)
{
    trp_write_key(writer, "type");
    if (optional) {
        trp_write_array(writer, 2);
        trp_write_text(writer, type);
        trp_write_text(writer, "null");
    } else {
        trp_write_text(writer, type);
    }
    return 1;
}

static size_t write_bounds(trp_writer_t *writer, const trp_field_t *field, const char *low,
                           const char *high)
{
    write_number(writer, low, field->min);
    write_number(writer, high, field->max);
    return 2;
}

/* Our bounds count bytes, those of JSON Schema characters of one to four bytes: what it says is
 * necessary, and the description says the rest. */
static size_t write_lengths(trp_writer_t *writer, const trp_field_t *field)
{
    write_number(writer, "minLength", ceil(field->min / 4));
    write_number(writer, "maxLength", field->max);
    return 2;
}

static size_t write_choices(trp_writer_t *writer, const trp_field_t *field)
{
    const char *rest = field->choices;
    trp_text_t choice;
    size_t count = 0;
    trp_write_key(writer, "enum");
    size_t mark = trp_write_array_begin(writer);
    for (; schema_choice(&rest, &choice); count++) {
        trp_write_string(writer, choice.data, choice.size);
    }
    if (field->optional) {
        trp_write_nil(writer);
        count++;
    }
    trp_write_array_end(writer, mark, count);
    return 1;
}

static void write_reference(trp_writer_t *writer, const trp_schema_t *schema)
{
    char reference[300];
    snprintf(reference, sizeof(reference), "#/$defs/%s", schema->name);
    trp_write_map(writer, 1);
    trp_put_text(writer, "$ref", reference);
}

static size_t write_message(trp_writer_t *writer, const trp_field_t *field)
{
    trp_write_key(writer, "anyOf");
    trp_write_array(writer, field->optional ? 2 : 1);
    write_reference(writer, field->of);
    if (field->optional) {
        trp_write_map(writer, 1);
        trp_put_text(writer, "type", "null");
    }
    return 1;
}

static size_t write_items(trp_writer_t *writer, const trp_field_t *field)
{
    size_t members = write_type(writer, "array", field->optional);
    members += write_bounds(writer, field, "minItems", "maxItems");
    trp_write_key(writer, "items");
    if (field->kind == TRP_FIELD_LIST) {
        write_reference(writer, field->of);
    } else {
        trp_write_map(writer, 1);
        trp_put_text(writer, "type", "string");
    }
    return members + 1;
}

static size_t write_kind(trp_writer_t *writer, const trp_field_t *field)
{
    switch (field->kind) {
    case TRP_FIELD_BOOL:
        return write_type(writer, "boolean", field->optional);
    case TRP_FIELD_INT:
        return write_type(writer, "integer", field->optional) +
               write_bounds(writer, field, "minimum", "maximum");
    case TRP_FIELD_REAL:
        return write_type(writer, "number", field->optional) +
               write_bounds(writer, field, "minimum", "maximum");
    case TRP_FIELD_STRING:
    case TRP_FIELD_TEXT:
    case TRP_FIELD_BYTES:
        return write_type(writer, "string", field->optional) + write_lengths(writer, field);
    case TRP_FIELD_ENUM:
        return write_choices(writer, field);
    case TRP_FIELD_MESSAGE:
        return write_message(writer, field);
    case TRP_FIELD_LIST:
    case TRP_FIELD_TEXTS:
        return write_items(writer, field);
    case TRP_FIELD_ANY:
    default:
        return 0;
    }
}

static void write_property(trp_writer_t *writer, const trp_field_t *field)
{
    trp_write_key(writer, field->name);
    size_t mark = trp_write_map_begin(writer);
    trp_put_text(writer, "description", field->text);
    trp_write_map_end(writer, mark, 1 + write_kind(writer, field));
}

static void write_required(trp_writer_t *writer, const trp_schema_t *schema)
{
    const trp_field_t *fields = schema->fields();
    size_t count = 0;
    trp_write_key(writer, "required");
    size_t mark = trp_write_array_begin(writer);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (!fields[i].optional) {
            trp_write_text(writer, fields[i].name);
            count++;
        }
    }
    trp_write_array_end(writer, mark, count);
}

/* The members of a map that describe one schema; returns their number. */
static size_t write_object(trp_writer_t *writer, const trp_schema_t *schema)
{
    const trp_field_t *fields = schema->fields();
    trp_put_text(writer, "description", schema->text);
    trp_put_text(writer, "type", "object");
    trp_write_key(writer, "properties");
    trp_write_map(writer, schema->field_count);
    for (size_t i = 0; i < schema->field_count; i++) {
        write_property(writer, &fields[i]);
    }
    write_required(writer, schema);
    trp_put_bool(writer, "additionalProperties", (schema->flags & TRP_SCHEMA_OPEN) != 0);
    return 5;
}

static void write_definitions(trp_writer_t *writer, const parts_t *parts)
{
    trp_write_key(writer, "$defs");
    trp_write_map(writer, parts->count);
    for (size_t i = 0; i < parts->count; i++) {
        trp_write_key(writer, parts->schemas[i]->name);
        size_t mark = trp_write_map_begin(writer);
        trp_write_map_end(writer, mark, write_object(writer, parts->schemas[i]));
    }
}

void trp_schema_describe(const trp_schema_t *schema, trp_writer_t *writer)
{
    parts_t parts = {.count = 0};
    collect_parts(&parts, schema);
    size_t mark = trp_write_map_begin(writer);
    trp_put_text(writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    trp_put_text(writer, "title", schema->name);
    size_t members = 2 + write_object(writer, schema);
    if (parts.count > 1) {
        write_definitions(writer, &parts);
        members++;
    }
    trp_write_map_end(writer, mark, members);
}

/* SPDX-License-Identifier: MIT */
#include "runtime/config/config_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const trp_field_t *find_field(const trp_schema_t *schema, const char *name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (strcmp(schema->fields()[i].name, name) == 0) {
            return &schema->fields()[i];
        }
    }
    return NULL;
}

static bool write_int(trp_writer_t *writer, const char *value)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0') {
        return false;
    }
    trp_write_int(writer, number);
    return true;
}

static bool write_real(trp_writer_t *writer, const char *value)
{
    char *end = NULL;
    errno = 0;
    double number = strtod(value, &end);
    if (errno != 0 || end == value || *end != '\0') {
        return false;
    }
    trp_write_real(writer, number);
    return true;
}

static bool write_bool(trp_writer_t *writer, const char *value)
{
    bool yes = strcmp(value, "1") == 0 || strcmp(value, "true") == 0 || strcmp(value, "yes") == 0;
    bool no = strcmp(value, "0") == 0 || strcmp(value, "false") == 0 || strcmp(value, "no") == 0;
    if (yes || no) {
        trp_write_bool(writer, yes);
    }
    return yes || no;
}

/* Text as a value of the field's kind; what does not read as that kind goes as text, for the
 * schema to refuse. */
static void write_value(trp_writer_t *writer, const trp_field_t *field, const char *value)
{
    trp_field_kind_t kind = field == NULL ? TRP_FIELD_STRING : field->kind;
    bool done = (kind == TRP_FIELD_INT && write_int(writer, value)) ||
                (kind == TRP_FIELD_REAL && write_real(writer, value)) ||
                (kind == TRP_FIELD_BOOL && write_bool(writer, value));
    if (!done) {
        trp_write_text(writer, value);
    }
}

static size_t count_items(zconfig_t *section)
{
    size_t count = 0;
    for (zconfig_t *item = section == NULL ? NULL : zconfig_child(section); item != NULL;
         item = zconfig_next(item)) {
        count++;
    }
    return count;
}

static trp_status_t check(const trp_schema_t *schema, const void *data, size_t size,
                          trp_fault_t *fault)
{
    void *values = calloc(1, schema->size + 1);
    if (values == NULL) {
        return TRP_NO_MEMORY;
    }
    trp_document_t document;
    trp_status_t status =
        trp_schema_unpack(schema, (trp_text_t){data, size}, &document, values, fault);
    if (status == TRP_OK) {
        trp_document_fini(&document);
    }
    free(values);
    return status;
}

static const trp_field_t *no_fields(void)
{
    return NULL;
}

static const trp_schema_t no_options = {.name = "options", .fields = no_fields};

trp_status_t config_args_build(config_child_t *child, zconfig_t *section, trp_fault_t *fault)
{
    const trp_schema_t *schema =
        child->class->options != NULL ? child->class->options : &no_options;
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_write_map(&writer, count_items(section));
    for (zconfig_t *item = section == NULL ? NULL : zconfig_child(section); item != NULL;
         item = zconfig_next(item)) {
        trp_write_key(&writer, zconfig_name(item));
        write_value(&writer, find_field(schema, zconfig_name(item)), zconfig_value(item));
    }
    size_t size = 0;
    const void *data = trp_writer_data(&writer, &size);
    trp_status_t status = writer.failed ? TRP_NO_MEMORY : check(schema, data, size, fault);
    if (status == TRP_OK) {
        child->args = malloc(size);
        child->args_size = size;
        status = child->args == NULL ? TRP_NO_MEMORY : TRP_OK;
    }
    if (status == TRP_OK) {
        memcpy(child->args, data, size);
    }
    trp_writer_fini(&writer);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "messages/schema_internal.h"

static bool is_present(const trp_field_t *field, const char *value)
{
    if (!field->optional) {
        return true;
    }
    if (schema_is_pointer(field)) {
        return *(void *const *)(value + field->offset) != NULL;
    }
    if (schema_is_counted(field)) {
        return *(const size_t *)(value + field->aux) > 0;
    }
    return *(const bool *)(value + field->aux);
}

static void write_choice(const trp_field_t *field, int index, trp_writer_t *writer)
{
    const char *rest = field->choices;
    trp_text_t choice;
    for (int i = 0; schema_choice(&rest, &choice); i++) {
        if (i == index) {
            trp_write_string(writer, choice.data, choice.size);
            return;
        }
    }
    trp_write_nil(writer); /* no such choice: the reader will name it */
}

static void write_list(const trp_field_t *field, const char *value, trp_writer_t *writer)
{
    const char *items = *(const char *const *)(value + field->offset);
    size_t count = *(const size_t *)(value + field->aux);
    trp_write_array(writer, count);
    for (size_t i = 0; i < count; i++) {
        if (field->kind == TRP_FIELD_LIST) {
            trp_schema_write(field->of, items + i * field->of->size, writer);
        } else {
            const trp_text_t *text = (const trp_text_t *)(const void *)items + i;
            trp_write_string(writer, text->data, text->size);
        }
    }
}

static void write_any(const msgpack_object *object, trp_writer_t *writer)
{
    if (object == NULL) {
        trp_write_nil(writer);
    } else {
        trp_write_object(writer, object);
    }
}

static void write_field(const trp_field_t *field, const char *value, trp_writer_t *writer)
{
    const void *member = value + field->offset;
    const trp_text_t *text = member;
    switch (field->kind) {
    case TRP_FIELD_BOOL:
        trp_write_bool(writer, *(const bool *)member);
        break;
    case TRP_FIELD_INT:
        trp_write_int(writer, *(const int64_t *)member);
        break;
    case TRP_FIELD_REAL:
        trp_write_real(writer, *(const double *)member);
        break;
    case TRP_FIELD_STRING:
    case TRP_FIELD_TEXT:
        trp_write_string(writer, text->data, text->size);
        break;
    case TRP_FIELD_BYTES:
        trp_write_bytes(writer, text->data, text->size);
        break;
    case TRP_FIELD_ENUM:
        write_choice(field, *(const int *)member, writer);
        break;
    case TRP_FIELD_MESSAGE:
        trp_schema_write(field->of, field->optional ? *(const void *const *)member : member,
                         writer);
        break;
    case TRP_FIELD_LIST:
    case TRP_FIELD_TEXTS:
        write_list(field, value, writer);
        break;
    case TRP_FIELD_ANY:
    default:
        write_any(*(const msgpack_object *const *)member, writer);
        break;
    }
}

void trp_schema_write(const trp_schema_t *schema, const void *value, trp_writer_t *writer)
{
    const trp_field_t *fields = schema->fields();
    size_t members = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        members += is_present(&fields[i], value) ? 1 : 0;
    }
    trp_write_map(writer, members);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (is_present(&fields[i], value)) {
            trp_write_key(writer, fields[i].name);
            write_field(&fields[i], value, writer);
        }
    }
}

trp_status_t trp_schema_pack(const trp_schema_t *schema, const void *value, zmq_msg_t *message)
{
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_schema_write(schema, value, &writer);
    trp_status_t status = trp_writer_take(&writer, message);
    trp_writer_fini(&writer);
    return status;
}

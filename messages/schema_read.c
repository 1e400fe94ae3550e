/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "messages/codec_internal.h"
#include "messages/fault.h"
#include "messages/schema_internal.h"
#include "messages/utf8.h"

/* Where we are: a chain on the stack from the member up to the whole; it becomes text only when a
 * fault is told. */
typedef struct place {
    const struct place *parent;
    const char *name; /* NULL: an item of the parent's array */
    size_t name_size;
    size_t index;
} place_t;

typedef struct reader {
    bool lenient;
    msgpack_zone *zone;
    trp_fault_t *fault;
} reader_t;

static trp_status_t read_map(reader_t *reader, const trp_schema_t *schema,
                             const msgpack_object *map, const place_t *place, void *out);

/* ---- faults ---- */

static size_t write_place(const place_t *place, char *path, size_t capacity)
{
    if (place == NULL) {
        path[0] = '\0';
        return 0;
    }
    size_t used = write_place(place->parent, path, capacity);
    if (place->name == NULL) {
        char index[24];
        int length = snprintf(index, sizeof(index), "[%zu]", place->index);
        return used + utf8_copy(path + used, capacity - used, index, (size_t)length);
    }
    if (used > 0) {
        used += utf8_copy(path + used, capacity - used, ".", 1);
    }
    return used + utf8_copy(path + used, capacity - used, place->name, place->name_size);
}

static trp_status_t refuse(reader_t *reader, const place_t *place, const msgpack_object *value,
                           const char *rule)
{
    char path[sizeof(reader->fault->path)];
    write_place(place, path, sizeof(path));
    trp_fault_set(reader->fault, value, path, rule);
    return TRP_PAYLOAD;
}

static trp_status_t refuse_field(reader_t *reader, const place_t *place,
                                 const msgpack_object *value, const trp_field_t *field)
{
    char rule[RULE_MAX];
    return refuse(reader, place, value, schema_rule(field, rule));
}

/* ---- scalars ---- */

static trp_status_t read_int(reader_t *reader, const trp_field_t *field,
                             const msgpack_object *value, const place_t *place, int64_t *out)
{
    bool is_int = value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ||
                  (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER && value->via.u64 <= INT64_MAX);
    if (!is_int || (double)value->via.i64 < field->min || (double)value->via.i64 > field->max) {
        return refuse_field(reader, place, value, field);
    }
    *out = value->via.i64;
    return TRP_OK;
}

static trp_status_t read_real(reader_t *reader, const trp_field_t *field,
                              const msgpack_object *value, const place_t *place, double *out)
{
    switch (value->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        *out = (double)value->via.u64;
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        *out = (double)value->via.i64;
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        *out = value->via.f64;
        break;
    default:
        return refuse_field(reader, place, value, field);
    }
    bool fits = *out >= field->min && *out <= field->max; /* false for NaN */
    return fits ? TRP_OK : refuse_field(reader, place, value, field);
}

static trp_status_t read_enum(reader_t *reader, const trp_field_t *field,
                              const msgpack_object *value, const place_t *place, int *out)
{
    const char *rest = field->choices;
    trp_text_t choice;
    if (value->type == MSGPACK_OBJECT_STR) {
        for (*out = 0; schema_choice(&rest, &choice); (*out)++) {
            if (choice.size == value->via.str.size &&
                memcmp(choice.data, value->via.str.ptr, choice.size) == 0) {
                return TRP_OK;
            }
        }
    }
    return refuse_field(reader, place, value, field);
}

/* ---- strings ---- */

static trp_status_t check_text(reader_t *reader, trp_field_kind_t kind, const msgpack_object *value,
                               const place_t *place)
{
    const char *data = value->via.str.ptr;
    size_t size = value->via.str.size;
    size_t bad = trp_utf8_check(data, size);
    const char *rule = "well-formed UTF-8";
    if (bad == size && kind == TRP_FIELD_STRING && size > 0) {
        const char *nul = memchr(data, '\0', size);
        bad = nul == NULL ? size : (size_t)(nul - data);
        rule = "a string without U+0000";
    }
    if (bad == size) {
        return TRP_OK;
    }
    refuse(reader, place, value, rule);
    reader->fault->has_offset = true;
    reader->fault->offset = bad;
    return TRP_PAYLOAD;
}

static trp_status_t read_text(reader_t *reader, const trp_field_t *field,
                              const msgpack_object *value, const place_t *place, trp_text_t *out)
{
    bool fits = value->type == MSGPACK_OBJECT_STR ||
                (value->type == MSGPACK_OBJECT_BIN && field->kind == TRP_FIELD_BYTES);
    if (!fits) {
        return refuse_field(reader, place, value, field);
    }
    *out = value->type == MSGPACK_OBJECT_STR
               ? (trp_text_t){value->via.str.ptr, value->via.str.size}
               : (trp_text_t){value->via.bin.ptr, value->via.bin.size};
    if ((double)out->size < field->min || (double)out->size > field->max) {
        return refuse_field(reader, place, value, field);
    }
    return field->kind == TRP_FIELD_BYTES ? TRP_OK : check_text(reader, field->kind, value, place);
}

/* ---- lists and messages ---- */

static trp_status_t read_texts(reader_t *reader, const msgpack_object_array *array,
                               const place_t *place, trp_text_t *out)
{
    static const trp_field_t item = {.kind = TRP_FIELD_STRING, .max = TEXTS_STRING_MAX};
    for (uint32_t i = 0; i < array->size; i++) {
        const place_t here = {.parent = place, .index = i};
        trp_status_t status = read_text(reader, &item, &array->ptr[i], &here, &out[i]);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t read_list(reader_t *reader, const trp_schema_t *of,
                              const msgpack_object_array *array, const place_t *place, char *out)
{
    for (uint32_t i = 0; i < array->size; i++) {
        const place_t here = {.parent = place, .index = i};
        trp_status_t status = read_map(reader, of, &array->ptr[i], &here, out + i * of->size);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t read_counted(reader_t *reader, const trp_field_t *field,
                                 const msgpack_object *value, const place_t *place, char *out)
{
    if (value->type != MSGPACK_OBJECT_ARRAY || value->via.array.size < field->min ||
        value->via.array.size > field->max) {
        return refuse_field(reader, place, value, field);
    }
    const msgpack_object_array *array = &value->via.array;
    bool is_list = field->kind == TRP_FIELD_LIST;
    size_t item_size = is_list ? field->of->size : sizeof(trp_text_t);
    void *items = NULL;
    if (array->size > 0) {
        items = msgpack_zone_malloc(reader->zone, array->size * item_size);
        if (items == NULL) {
            return TRP_NO_MEMORY;
        }
    }
    size_t count = array->size;
    memcpy(out + field->offset, &items, sizeof(items));
    memcpy(out + field->aux, &count, sizeof(count));
    return is_list ? read_list(reader, field->of, array, place, items)
                   : read_texts(reader, array, place, items);
}

static trp_status_t read_message(reader_t *reader, const trp_field_t *field,
                                 const msgpack_object *value, const place_t *place, char *out)
{
    void *target = out + field->offset;
    if (field->optional) {
        void *message = msgpack_zone_malloc(reader->zone, field->of->size);
        if (message == NULL) {
            return TRP_NO_MEMORY;
        }
        memcpy(target, &message, sizeof(message));
        target = message;
    }
    return read_map(reader, field->of, value, place, target);
}

/* ---- maps ---- */

static trp_status_t read_field(reader_t *reader, const trp_field_t *field,
                               const msgpack_object *value, const place_t *place, char *out)
{
    void *target = out + field->offset;
    if (value == NULL || (value->type == MSGPACK_OBJECT_NIL && field->optional)) {
        return field->optional ? TRP_OK : refuse_field(reader, place, value, field);
    }
    if (field->optional && field->aux != SIZE_MAX && !schema_is_counted(field)) {
        *(bool *)(out + field->aux) = true;
    }
    switch (field->kind) {
    case TRP_FIELD_BOOL:
        if (value->type != MSGPACK_OBJECT_BOOLEAN) {
            return refuse_field(reader, place, value, field);
        }
        *(bool *)target = value->via.boolean;
        return TRP_OK;
    case TRP_FIELD_INT:
        return read_int(reader, field, value, place, target);
    case TRP_FIELD_REAL:
        return read_real(reader, field, value, place, target);
    case TRP_FIELD_STRING:
    case TRP_FIELD_TEXT:
    case TRP_FIELD_BYTES:
        return read_text(reader, field, value, place, target);
    case TRP_FIELD_ENUM:
        return read_enum(reader, field, value, place, target);
    case TRP_FIELD_MESSAGE:
        return read_message(reader, field, value, place, out);
    case TRP_FIELD_LIST:
    case TRP_FIELD_TEXTS:
        return read_counted(reader, field, value, place, out);
    case TRP_FIELD_ANY:
    default:
        *(const msgpack_object **)target = value;
        return TRP_OK;
    }
}

/* The field of that name; members mostly come in the order of the table, so `hint` is tried
 * first. */
static size_t find_field(const trp_schema_t *schema, const trp_field_t *fields,
                         const msgpack_object_str *name, size_t hint)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        size_t index = (hint + i) % schema->field_count;
        const char *candidate = fields[index].name;
        if (strlen(candidate) == name->size && memcmp(candidate, name->ptr, name->size) == 0) {
            return index;
        }
    }
    return schema->field_count;
}

static trp_status_t sort_members(reader_t *reader, const trp_schema_t *schema,
                                 const msgpack_object *map, const place_t *place,
                                 const msgpack_object *values[TRP_FIELDS_MAX])
{
    const trp_field_t *fields = schema->fields();
    bool open = reader->lenient || (schema->flags & TRP_SCHEMA_OPEN) != 0;
    size_t hint = 0;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *member = &map->via.map.ptr[i];
        if (member->key.type != MSGPACK_OBJECT_STR) {
            return refuse(reader, place, &member->key, "names of members are strings");
        }
        const msgpack_object_str *name = &member->key.via.str;
        const place_t here = {.parent = place, .name = name->ptr, .name_size = name->size};
        size_t index = find_field(schema, fields, name, hint);
        if (index < schema->field_count && values[index] != NULL) {
            return refuse(reader, &here, &member->val, "each member once");
        }
        if (index < schema->field_count) {
            values[index] = &member->val;
            hint = index + 1;
        } else if (!open) {
            return refuse(reader, &here, &member->val, "a known member");
        }
    }
    return TRP_OK;
}

/* Recursion is bounded by the levels of the document, which its reader has bounded. */
static trp_status_t read_map(reader_t *reader, const trp_schema_t *schema,
                             const msgpack_object *map, const place_t *place, void *out)
{
    memset(out, 0, schema->size);
    if (map->type != MSGPACK_OBJECT_MAP) {
        return refuse(reader, place, map, "a map");
    }
    const trp_field_t *fields = schema->fields();
    const msgpack_object *values[TRP_FIELDS_MAX] = {NULL};
    trp_status_t status = sort_members(reader, schema, map, place, values);
    for (size_t i = 0; i < schema->field_count && status == TRP_OK; i++) {
        const place_t here = {
            .parent = place, .name = fields[i].name, .name_size = strlen(fields[i].name)};
        status = read_field(reader, &fields[i], values[i], &here, out);
    }
    return status;
}

/* Every string below, names of members included. The levels are bounded, as above. */
static bool is_utf8(const msgpack_object *object)
{
    bool good = true;
    if (object->type == MSGPACK_OBJECT_STR) {
        const msgpack_object_str *text = &object->via.str;
        return trp_utf8_check(text->ptr, text->size) == text->size;
    }
    if (object->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < object->via.array.size && good; i++) {
            good = is_utf8(&object->via.array.ptr[i]);
        }
    } else if (object->type == MSGPACK_OBJECT_MAP) {
        for (uint32_t i = 0; i < object->via.map.size && good; i++) {
            good = is_utf8(&object->via.map.ptr[i].key) && is_utf8(&object->via.map.ptr[i].val);
        }
    }
    return good;
}

static trp_status_t refuse_text(reader_t *reader)
{
    static const char rule[] = "well-formed UTF-8 in all strings";
    *reader->fault = (trp_fault_t){.message = ""};
    memcpy(reader->fault->rule, rule, sizeof(rule));
    return TRP_PAYLOAD;
}

static trp_status_t read_whole(const trp_schema_t *schema, const msgpack_object *map,
                               reader_t *reader, void *out)
{
    bool sound = (schema->flags & TRP_SCHEMA_UTF8) == 0 || is_utf8(map);
    trp_status_t status = sound ? read_map(reader, schema, map, NULL, out) : refuse_text(reader);
    if (status == TRP_PAYLOAD) {
        reader->fault->message = schema->name;
    }
    return status;
}

trp_status_t trp_schema_read(const trp_schema_t *schema, const msgpack_object *map,
                             msgpack_zone *zone, void *out, trp_fault_t *fault)
{
    return read_whole(schema, map, &(reader_t){.zone = zone, .fault = fault}, out);
}

trp_status_t trp_schema_read_lenient(const trp_schema_t *schema, const msgpack_object *map,
                                     msgpack_zone *zone, void *out, trp_fault_t *fault)
{
    return read_whole(schema, map, &(reader_t){.lenient = true, .zone = zone, .fault = fault}, out);
}

trp_status_t trp_schema_unpack(const trp_schema_t *schema, trp_text_t bytes,
                               trp_document_t *document, void *out, trp_fault_t *fault)
{
    if (schema_read_flat(schema, bytes, out)) {
        document_init_empty(document);
        return TRP_OK;
    }
    trp_status_t status = trp_document_init(document, bytes.data, bytes.size, fault);
    if (status == TRP_PAYLOAD) {
        fault->message = schema->name;
    }
    if (status != TRP_OK) {
        return status;
    }
    status = trp_schema_read(schema, &document->root, &document->zone, out, fault);
    if (status != TRP_OK) {
        trp_document_fini(document);
    }
    return status;
}

trp_status_t trp_message_unpack(const trp_schema_t *schema, const trp_envelope_t *message,
                                trp_document_t *document, void *out, trp_fault_t *fault)
{
    trp_text_t bytes = {.data = "\x80", .size = 1}; /* an empty map */
    size_t size = 0;
    const void *data = message == NULL ? NULL : trp_message_data(message, &size);
    if (size != 0) {
        bytes = (trp_text_t){.data = data, .size = size};
    }
    return trp_schema_unpack(schema, bytes, document, out, fault);
}

/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "messages/codec_internal.h"
#include "messages/fault.h"

/* ---- before the library sees the text: levels and counts ---- */

static trp_status_t check_bounds(const char *text, size_t size, trp_fault_t *fault)
{
    json_scan_t scan = {.text = text, .size = size};
    size_t depth = 0;
    size_t items = 0;
    for (int byte = json_scan_next(&scan); byte >= 0; byte = json_scan_next(&scan)) {
        switch (byte) {
        case '{':
        case '[':
            items++;
            if (++depth > TRP_DEPTH_MAX) {
                return fault_body(fault, false, TRP_DEPTH_RULE, scan.at - 1);
            }
            break;
        case '}':
        case ']':
            depth -= depth > 0 ? 1 : 0;
            break;
        case ',':
        case ':':
            items++;
            break;
        default:
            break;
        }
        if (items > TRP_ITEMS_MAX) {
            return fault_body(fault, false, TRP_ITEMS_RULE, scan.at - 1);
        }
    }
    return TRP_OK;
}

/* ---- the library's answer in our words ---- */

/* jansson stops behind a word that it does not know, and behind the sign of a number. */
static bool is_not_finite(const char *text, size_t size, size_t at)
{
    static const char *const words[] = {"NaN", "Infinity"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        bool before = at >= length && memcmp(text + at - length, words[i], length) == 0;
        bool after = at <= size && size - at >= length && at > 0 && text[at - 1] == '-' &&
                     memcmp(text + at, words[i], length) == 0;
        if (before || after) {
            return true;
        }
    }
    return false;
}

/* jansson has one code for all faults of syntax; a lone surrogate is told by its text alone. */
static bool is_lone_surrogate(const json_error_t *error)
{
    return strncmp(error->text, "invalid Unicode '", strlen("invalid Unicode '")) == 0;
}

static trp_status_t explain(const json_error_t *error, const char *text, size_t size,
                            trp_fault_t *fault)
{
    size_t at = error->position < 0 ? 0 : (size_t)error->position;
    at = at > size ? size : at;
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return TRP_NO_MEMORY;
    case json_error_duplicate_key:
        return fault_body(fault, false, "each member once", at);
    case json_error_end_of_input_expected:
        return fault_body(fault, false, "nothing after the map", at);
    case json_error_null_byte_in_key:
        return fault_body(fault, false, "names of members without U+0000", at);
    case json_error_numeric_overflow:
        return fault_body(fault, false, "numbers fit a double", at);
    case json_error_premature_end_of_input:
        return fault_body(fault, true, "a whole JSON text", at);
    default:
        break;
    }
    if (is_lone_surrogate(error)) {
        return fault_body(fault, false, "surrogates come in pairs", at);
    }
    if (is_not_finite(text, size, at)) {
        return fault_body(fault, false, "numbers are finite", at);
    }
    return fault_body(fault, true, "well-formed JSON", at);
}

/* ---- from jansson's tree to msgpack-c's ---- */

static trp_status_t convert(json_t *json, msgpack_zone *zone, msgpack_object *object);

static trp_status_t convert_array(json_t *json, msgpack_zone *zone, msgpack_object *object)
{
    size_t count = json_array_size(json);
    object->type = MSGPACK_OBJECT_ARRAY;
    object->via.array.size = (uint32_t)count;
    object->via.array.ptr =
        count == 0 ? NULL : msgpack_zone_malloc(zone, count * sizeof(msgpack_object));
    if (count != 0 && object->via.array.ptr == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        trp_status_t status = convert(json_array_get(json, i), zone, &object->via.array.ptr[i]);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t convert_map(json_t *json, msgpack_zone *zone, msgpack_object *object)
{
    size_t count = json_object_size(json);
    object->type = MSGPACK_OBJECT_MAP;
    object->via.map.size = (uint32_t)count;
    object->via.map.ptr =
        count == 0 ? NULL : msgpack_zone_malloc(zone, count * sizeof(msgpack_object_kv));
    if (count != 0 && object->via.map.ptr == NULL) {
        return TRP_NO_MEMORY;
    }
    msgpack_object_kv *member = object->via.map.ptr;
    for (void *i = json_object_iter(json); i != NULL; i = json_object_iter_next(json, i)) {
        member->key.type = MSGPACK_OBJECT_STR;
        member->key.via.str.ptr = json_object_iter_key(i);
        member->key.via.str.size = (uint32_t)json_object_iter_key_len(i);
        trp_status_t status = convert(json_object_iter_value(i), zone, &member->val);
        if (status != TRP_OK) {
            return status;
        }
        member++;
    }
    return TRP_OK;
}

/* Strings stay where jansson has them: the zone keeps its tree. Recursion is bounded by
 * check_bounds. */
static trp_status_t convert(json_t *json, msgpack_zone *zone, msgpack_object *object)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return convert_map(json, zone, object);
    case JSON_ARRAY:
        return convert_array(json, zone, object);
    case JSON_STRING:
        object->type = MSGPACK_OBJECT_STR;
        object->via.str.ptr = json_string_value(json);
        object->via.str.size = (uint32_t)json_string_length(json);
        return TRP_OK;
    case JSON_INTEGER:
        object->via.i64 = json_integer_value(json);
        object->type =
            object->via.i64 < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER : MSGPACK_OBJECT_POSITIVE_INTEGER;
        return TRP_OK;
    case JSON_REAL:
        object->type = MSGPACK_OBJECT_FLOAT64;
        object->via.f64 = json_real_value(json);
        return TRP_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        object->type = MSGPACK_OBJECT_BOOLEAN;
        object->via.boolean = json_is_true(json);
        return TRP_OK;
    case JSON_NULL:
    default:
        object->type = MSGPACK_OBJECT_NIL;
        return TRP_OK;
    }
}

static void release(void *json)
{
    json_decref(json);
}

/* ---- the whole way ---- */

static json_t *load(const char *text, size_t size, json_error_t *error)
{
    return json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, error);
}

static trp_status_t load_widened(const char *text, size_t size, json_t **json, trp_fault_t *fault)
{
    size_t widened;
    char *copy = json_widen(text, size, &widened);
    if (copy == NULL) {
        return TRP_NO_MEMORY;
    }
    json_error_t error;
    *json = load(copy, widened, &error);
    trp_status_t status = TRP_OK;
    if (*json == NULL) {
        status = explain(&error, copy, widened, fault);
        fault->has_offset = false; /* it would count bytes of the copy */
        fault->offset = 0;
    }
    free(copy);
    return status;
}

trp_status_t json_decode(const char *text, size_t size, msgpack_zone *zone, msgpack_object *root,
                         trp_fault_t *fault)
{
    size_t bad = trp_utf8_check(text, size);
    if (bad != size) {
        return fault_body(fault, true, "well-formed UTF-8", bad);
    }
    size_t lead = json_lead(text, size);
    json_error_t error;
    json_t *json = NULL;
    trp_status_t status = check_bounds(text + lead, size - lead, fault);
    if (status == TRP_OK) {
        json = load(text + lead, size - lead, &error);
        if (json == NULL && json_error_code(&error) == json_error_numeric_overflow) {
            status = load_widened(text + lead, size - lead, &json, fault);
        } else if (json == NULL) {
            status = explain(&error, text + lead, size - lead, fault);
        }
    }
    if (status != TRP_OK) {
        fault->offset += fault->has_offset ? lead : 0;
        return status;
    }
    if (!msgpack_zone_push_finalizer(zone, release, json)) {
        json_decref(json);
        return TRP_NO_MEMORY;
    }
    return convert(json, zone, root);
}

/* SPDX-License-Identifier: MIT */
#include "messages/fault.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "messages/json_text.h"
#include "messages/schema.h"
#include "messages/utf8.h"

#define VALUE_MAX       81                        /* bytes of trp_fault_t.value */
#define BYTES_SHOWN_MAX ((VALUE_MAX - 3) / 4 * 3) /* that fit as base64 between two quotes */

_Static_assert(sizeof(((trp_fault_t *)0)->value) == VALUE_MAX, "80 bytes and the NUL");

static void quote_string(const char *data, size_t size, char text[VALUE_MAX])
{
    size_t used = 0;
    text[used++] = '"';
    for (size_t at = 0; at < size;) {
        char character[JSON_CHARACTER_MAX];
        at += json_character(data + at, size - at, character);
        size_t bytes = strlen(character);
        if (used + bytes + 2 > VALUE_MAX) { /* the quote and the NUL must follow */
            break;
        }
        memcpy(text + used, character, bytes);
        used += bytes;
    }
    text[used++] = '"';
    text[used] = '\0';
}

static void quote_bytes(const char *data, size_t size, char text[VALUE_MAX])
{
    text[0] = '"';
    size_t used = 1 + json_base64(data, size < BYTES_SHOWN_MAX ? size : BYTES_SHOWN_MAX, text + 1);
    text[used++] = '"';
    text[used] = '\0';
}

static void write_real(double value, char text[VALUE_MAX])
{
    if (isfinite(value)) {
        json_real(value, text);
    } else {
        snprintf(text, VALUE_MAX, "%s",
                 isnan(value) ? "NaN"
                 : value > 0  ? "Infinity"
                              : "-Infinity");
    }
}

/* One value for a fault: a scalar as JSON text of at most 80 bytes, cut between characters; `map`,
 * `array`, `extension`; `missing` for NULL. */
static void write_value(const msgpack_object *value, char text[VALUE_MAX])
{
    if (value == NULL) {
        snprintf(text, VALUE_MAX, "missing");
        return;
    }
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        snprintf(text, VALUE_MAX, "null");
        return;
    case MSGPACK_OBJECT_BOOLEAN:
        snprintf(text, VALUE_MAX, "%s", value->via.boolean ? "true" : "false");
        return;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        snprintf(text, VALUE_MAX, "%" PRIu64, value->via.u64);
        return;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        snprintf(text, VALUE_MAX, "%" PRId64, value->via.i64);
        return;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        write_real(value->via.f64, text);
        return;
    case MSGPACK_OBJECT_STR:
        quote_string(value->via.str.ptr, value->via.str.size, text);
        return;
    case MSGPACK_OBJECT_BIN:
        quote_bytes(value->via.bin.ptr, value->via.bin.size, text);
        return;
    case MSGPACK_OBJECT_ARRAY:
        snprintf(text, VALUE_MAX, "array");
        return;
    case MSGPACK_OBJECT_MAP:
        snprintf(text, VALUE_MAX, "map");
        return;
    case MSGPACK_OBJECT_EXT:
    default:
        snprintf(text, VALUE_MAX, "extension");
        return;
    }
}

trp_status_t fault_body(trp_fault_t *fault, bool is_body, const char *rule, size_t offset)
{
    *fault = (trp_fault_t){.message = "", .is_body = is_body, .has_offset = true, .offset = offset};
    utf8_copy(fault->rule, sizeof(fault->rule), rule, strlen(rule));
    return TRP_PAYLOAD;
}

void trp_fault_set(trp_fault_t *fault, const msgpack_object *value, const char *path,
                   const char *rule)
{
    *fault = (trp_fault_t){.message = ""};
    utf8_copy(fault->path, sizeof(fault->path), path, strlen(path));
    utf8_copy(fault->rule, sizeof(fault->rule), rule, strlen(rule));
    write_value(value, fault->value);
}

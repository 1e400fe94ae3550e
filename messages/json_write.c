/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/codec_internal.h"
#include "messages/json_text.h"
#include "messages/writer.h"

static trp_status_t write_value(trp_writer_t *out, const msgpack_object *object, size_t depth);

static void write_literal(trp_writer_t *out, const char *text)
{
    writer_append(out, text, strlen(text));
}

static bool is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

static trp_status_t write_string(trp_writer_t *out, const char *data, size_t size)
{
    if (trp_utf8_check(data, size) != size) {
        return TRP_PAYLOAD;
    }
    write_literal(out, "\"");
    for (size_t at = 0; at < size;) {
        size_t run = at;
        while (run < size && is_plain(data[run])) {
            run++;
        }
        writer_append(out, data + at, run - at);
        at = run;
        if (at < size) {
            char character[JSON_CHARACTER_MAX];
            at += json_character(data + at, size - at, character);
            write_literal(out, character);
        }
    }
    write_literal(out, "\"");
    return TRP_OK;
}

static trp_status_t write_bytes(trp_writer_t *out, const char *data, size_t size)
{
    write_literal(out, "\"");
    char *place = writer_reserve(out, json_base64_size(size));
    if (place != NULL) {
        json_base64(data, size, place);
    }
    write_literal(out, "\"");
    return TRP_OK;
}

static trp_status_t write_real(trp_writer_t *out, double value)
{
    char text[JSON_REAL_MAX];
    if (!isfinite(value)) {
        return TRP_PAYLOAD;
    }
    json_real(value, text);
    write_literal(out, text);
    return TRP_OK;
}

static trp_status_t write_array(trp_writer_t *out, const msgpack_object_array *array, size_t depth)
{
    write_literal(out, "[");
    for (uint32_t i = 0; i < array->size; i++) {
        write_literal(out, i == 0 ? "" : ",");
        trp_status_t status = write_value(out, &array->ptr[i], depth + 1);
        if (status != TRP_OK) {
            return status;
        }
    }
    write_literal(out, "]");
    return TRP_OK;
}

static trp_status_t write_map(trp_writer_t *out, const msgpack_object_map *map, size_t depth)
{
    write_literal(out, "{");
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        write_literal(out, i == 0 ? "" : ",");
        if (key->type != MSGPACK_OBJECT_STR) {
            return TRP_PAYLOAD;
        }
        trp_status_t status = write_string(out, key->via.str.ptr, key->via.str.size);
        write_literal(out, ":");
        if (status == TRP_OK) {
            status = write_value(out, &map->ptr[i].val, depth + 1);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    write_literal(out, "}");
    return TRP_OK;
}

static trp_status_t write_value(trp_writer_t *out, const msgpack_object *object, size_t depth)
{
    char number[32];
    if (depth > TRP_DEPTH_MAX) {
        return TRP_PAYLOAD;
    }
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        write_literal(out, "null");
        return TRP_OK;
    case MSGPACK_OBJECT_BOOLEAN:
        write_literal(out, object->via.boolean ? "true" : "false");
        return TRP_OK;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        snprintf(number, sizeof(number), "%" PRIu64, object->via.u64);
        write_literal(out, number);
        return TRP_OK;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        snprintf(number, sizeof(number), "%" PRId64, object->via.i64);
        write_literal(out, number);
        return TRP_OK;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return write_real(out, object->via.f64);
    case MSGPACK_OBJECT_STR:
        return write_string(out, object->via.str.ptr, object->via.str.size);
    case MSGPACK_OBJECT_BIN:
        return write_bytes(out, object->via.bin.ptr, object->via.bin.size);
    case MSGPACK_OBJECT_ARRAY:
        return write_array(out, &object->via.array, depth);
    case MSGPACK_OBJECT_MAP:
        return write_map(out, &object->via.map, depth);
    case MSGPACK_OBJECT_EXT:
    default:
        return TRP_PAYLOAD;
    }
}

trp_status_t trp_json_from_object(const msgpack_object *object, char **json, size_t *json_size)
{
    trp_writer_t out;
    trp_writer_init(&out);
    trp_status_t status = write_value(&out, object, 0);
    writer_append(&out, "", 1);
    if (status == TRP_OK && out.failed) {
        status = TRP_NO_MEMORY;
    }
    if (status != TRP_OK) {
        trp_writer_fini(&out);
        return status;
    }
    *json_size = out.buffer.size - 1;
    *json = out.buffer.data;
    return TRP_OK;
}

trp_status_t trp_json_from_msgpack(const void *data, size_t size, char **json, size_t *json_size)
{
    msgpack_zone zone;
    msgpack_object root;
    trp_fault_t fault;
    if (!msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE)) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status = msgpack_decode(data, size, &zone, &root, &fault);
    if (status == TRP_OK) {
        status = trp_json_from_object(&root, json, json_size);
    }
    msgpack_zone_destroy(&zone);
    return status;
}

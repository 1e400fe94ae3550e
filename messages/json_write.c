/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/codec.h"
#include "messages/json_text.h"
#include "messages/msgpack_token.h"
#include "messages/writer.h"

#define JSON_DEPTH_MAX 4096 /* levels written of MessagePack: trees in replies are deep */

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

/* Hands the text over, or lets go of it. */
static trp_status_t finish(trp_writer_t *out, trp_status_t status, char **json, size_t *json_size)
{
    writer_append(out, "", 1);
    if (status == TRP_OK && out->failed) {
        status = TRP_NO_MEMORY;
    }
    if (status != TRP_OK) {
        trp_writer_fini(out);
        return status;
    }
    *json_size = out->buffer.size - 1;
    *json = out->buffer.data;
    return TRP_OK;
}

trp_status_t trp_json_from_object(const msgpack_object *object, char **json, size_t *json_size)
{
    trp_writer_t out;
    trp_writer_init(&out);
    trp_status_t status = write_value(&out, object, 0);
    return finish(&out, status, json, json_size);
}

/* ---- MessagePack straight to text: no tree and no recursion, so neither size nor depth hurts ----
 */

typedef struct level {
    uint64_t items, left; /* names and values: announced, still to come */
    bool is_map;
} level_t;

typedef struct transcoder {
    const unsigned char *data;
    size_t size, at;
    trp_writer_t *out;
    level_t *levels;
    size_t depth, capacity;
} transcoder_t;

/* Opens a map or array. */
static trp_status_t open_level(transcoder_t *coder, const token_t *token)
{
    if (coder->depth == JSON_DEPTH_MAX) {
        return TRP_PAYLOAD;
    }
    if (coder->depth == coder->capacity) {
        size_t capacity = coder->capacity == 0 ? 32 : 2 * coder->capacity;
        level_t *levels = realloc(coder->levels, capacity * sizeof(*levels));
        if (levels == NULL) {
            return TRP_NO_MEMORY;
        }
        coder->levels = levels;
        coder->capacity = capacity;
    }
    bool is_map = token->kind == TOKEN_MAP;
    write_literal(coder->out, is_map ? "{" : "[");
    coder->levels[coder->depth++] = (level_t){token->items, token->items, is_map};
    return TRP_OK;
}

static trp_status_t write_number(trp_writer_t *out, unsigned char tag, uint64_t bits, size_t size)
{
    char number[32];
    int64_t value = tag >= 0xe0 ? (int8_t)tag : tag; /* the small ones are their own tag */
    if (tag == 0xca) {
        float real;
        uint32_t half = (uint32_t)bits;
        memcpy(&real, &half, sizeof(real));
        return write_real(out, real);
    }
    if (tag == 0xcb) {
        double real;
        memcpy(&real, &bits, sizeof(real));
        return write_real(out, real);
    }
    if (tag >= 0xd0 && tag <= 0xd3) {
        unsigned shift = (unsigned)(8 * (8 - size)); /* brings the sign to its place and back */
        value = (int64_t)(bits << shift) >> shift;
    } else if (tag >= 0xcc && tag <= 0xcf) {
        snprintf(number, sizeof(number), "%" PRIu64, bits);
        write_literal(out, number);
        return TRP_OK;
    }
    snprintf(number, sizeof(number), "%" PRId64, value);
    write_literal(out, number);
    return TRP_OK;
}

/* A value without others in it, whose token begins at `at`. */
static trp_status_t write_scalar(transcoder_t *coder, const token_t *token)
{
    unsigned char tag = coder->data[coder->at];
    const unsigned char *body = coder->data + coder->at + token->head;
    size_t size = (size_t)token->body;
    if (token->kind == TOKEN_STRING) {
        return write_string(coder->out, (const char *)body, size);
    }
    switch (tag) {
    case 0xc0:
        write_literal(coder->out, "null");
        return TRP_OK;
    case 0xc2:
    case 0xc3:
        write_literal(coder->out, tag == 0xc3 ? "true" : "false");
        return TRP_OK;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return write_bytes(coder->out, (const char *)body, size);
    default:
        if (tag >= 0x80 && tag < 0xe0 && (tag < 0xca || tag > 0xd3)) {
            return TRP_PAYLOAD; /* ext */
        }
        return write_number(coder->out, tag, msgpack_big_endian(body, size), size);
    }
}

/* What stands before the next value or name. */
static trp_status_t write_separator(transcoder_t *coder, const token_t *token)
{
    if (coder->depth == 0) {
        return TRP_OK;
    }
    level_t *level = &coder->levels[coder->depth - 1];
    bool is_name = level->is_map && level->left % 2 == 0;
    if (is_name && token->kind != TOKEN_STRING) {
        return TRP_PAYLOAD;
    }
    if (level->is_map && !is_name) {
        write_literal(coder->out, ":");
    } else if (level->left < level->items) {
        write_literal(coder->out, ",");
    }
    level->left--;
    return TRP_OK;
}

/* One token, and the end of all levels that end with it. */
static trp_status_t transcode_token(transcoder_t *coder)
{
    token_t token;
    if (msgpack_token_read(coder->data + coder->at, coder->size - coder->at, &token) != NULL) {
        return TRP_PAYLOAD;
    }
    trp_status_t status = write_separator(coder, &token);
    if (status == TRP_OK) {
        bool opens = token.kind == TOKEN_MAP || token.kind == TOKEN_ARRAY;
        status = opens ? open_level(coder, &token) : write_scalar(coder, &token);
    }
    coder->at += token.head + (size_t)token.body;
    while (coder->depth > 0 && coder->levels[coder->depth - 1].left == 0) {
        write_literal(coder->out, coder->levels[--coder->depth].is_map ? "}" : "]");
    }
    return status;
}

trp_status_t trp_json_from_msgpack(const void *data, size_t size, char **json, size_t *json_size)
{
    trp_writer_t out;
    trp_writer_init(&out);
    transcoder_t coder = {.data = data, .size = size, .out = &out};
    trp_status_t status = TRP_OK;
    do {
        status = transcode_token(&coder);
    } while (status == TRP_OK && coder.depth > 0);
    free(coder.levels);
    if (status == TRP_OK && coder.at != size) {
        status = TRP_PAYLOAD;
    }
    return finish(&out, status, json, json_size);
}

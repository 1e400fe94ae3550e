/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "messages/json_text.h"
#include "messages/msgpack_scan.h"
#include "messages/writer.h"

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

/* Most of a large reply is small integers: they are not worth a format string. */
static void write_integer(trp_writer_t *out, const token_t *token)
{
    char number[24];
    size_t at = sizeof(number);
    bool negative = token->kind == TOKEN_INT && (int64_t)token->integer < 0;
    uint64_t left = negative ? 0 - token->integer : token->integer;
    do {
        number[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left != 0);
    if (negative) {
        number[--at] = '-';
    }
    writer_append(out, number + at, sizeof(number) - at);
}

static trp_status_t write_token(trp_writer_t *out, const token_t *token)
{
    switch (token->kind) {
    case TOKEN_NIL:
        write_literal(out, "null");
        return TRP_OK;
    case TOKEN_BOOL:
        write_literal(out, token->integer != 0 ? "true" : "false");
        return TRP_OK;
    case TOKEN_UINT:
    case TOKEN_INT:
        write_integer(out, token);
        return TRP_OK;
    case TOKEN_REAL:
        return write_real(out, token->real);
    case TOKEN_STRING:
        return write_string(out, token->data, token->size);
    case TOKEN_BYTES:
        return write_bytes(out, token->data, token->size);
    case TOKEN_ARRAY:
        write_literal(out, "[");
        return TRP_OK;
    case TOKEN_MAP:
        write_literal(out, "{");
        return TRP_OK;
    case TOKEN_EXTENSION:
    case TOKEN_NONE:
    default:
        return TRP_PAYLOAD;
    }
}

static void write_ends(trp_writer_t *out, const msgpack_scan_t *scan)
{
    for (size_t i = scan->closed; i > 0; i--) {
        write_literal(out, scan->levels[scan->depth + i - 1].is_map ? "}" : "]");
    }
}

/* Item by item, with no tree between: a parse tree may be far deeper than a body from outside. */
static trp_status_t write_value(trp_writer_t *out, msgpack_scan_t *scan)
{
    while (!msgpack_scan_is_done(scan)) {
        token_t token;
        trp_status_t status = msgpack_scan_next(scan, &token);
        if (status != TRP_OK) {
            return status;
        }
        if (token.is_inside && !token.is_first) {
            write_literal(out, token.is_value ? ":" : ",");
        }
        status = write_token(out, &token);
        if (status != TRP_OK) {
            return status;
        }
        write_ends(out, scan);
    }
    return scan->at == scan->size ? TRP_OK : TRP_PAYLOAD;
}

trp_status_t trp_json_from_msgpack(const void *data, size_t size, char **json, size_t *json_size)
{
    trp_fault_t fault;
    msgpack_scan_t scan;
    trp_writer_t out;
    msgpack_scan_init(&scan, data, size, &fault);
    scan.depth_max = TRP_REPLY_DEPTH_MAX;
    scan.items_max = UINT64_MAX;
    trp_writer_init(&out);
    trp_status_t status = write_value(&out, &scan);
    msgpack_scan_fini(&scan);
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

trp_status_t trp_json_from_object(const msgpack_object *object, char **json, size_t *json_size)
{
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_write_object(&writer, object);
    trp_status_t status =
        writer.failed
            ? TRP_NO_MEMORY
            : trp_json_from_msgpack(writer.buffer.data, writer.buffer.size, json, json_size);
    trp_writer_fini(&writer);
    return status;
}

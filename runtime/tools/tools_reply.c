/* SPDX-License-Identifier: MIT */
#include "runtime/tools/tools_reply.h"

#include <stdlib.h>
#include <string.h>

/* Where a reader is; `at` NULL: what was read is not well-formed. */
typedef struct cursor {
    const unsigned char *at, *end;
} cursor_t;

static cursor_t fail(void)
{
    return (cursor_t){NULL, NULL};
}

static size_t left(const cursor_t *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* ---- MessagePack ---- */

static uint64_t big_endian(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* One value's head: what follows it are `bytes` of its own, then `values` that it holds. */
typedef struct head {
    uint64_t bytes, values;
    bool is_string, is_map;
} head_t;

/* For the types 0xc4 to 0xdf: bytes of a length or of the value; then what a length counts. */
typedef struct head_rule {
    unsigned char length, bytes, each;
} head_rule_t;

static const head_rule_t head_rules[] = {
    {1, 0, 0}, {2, 0, 0}, {4, 0, 0},                        /* c4: bin */
    {1, 1, 0}, {2, 1, 0}, {4, 1, 0},                        /* c7: ext, and its type */
    {0, 4, 0}, {0, 8, 0},                                   /* ca: float */
    {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},             /* cc: uint */
    {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},             /* d0: int */
    {0, 2, 0}, {0, 3, 0}, {0, 5, 0}, {0, 9, 0}, {0, 17, 0}, /* d4: fixext */
    {1, 0, 0}, {2, 0, 0}, {4, 0, 0},                        /* d9: str */
    {2, 0, 1}, {4, 0, 1},                                   /* dc: array */
    {2, 0, 2}, {4, 0, 2},                                   /* de: map */
};

static cursor_t packed_head(cursor_t cursor, head_t *head)
{
    if (left(&cursor) < 1) {
        return fail();
    }
    const unsigned char type = *cursor.at++;
    *head = (head_t){.is_string = (type & 0xe0) == 0xa0 || (type >= 0xd9 && type <= 0xdb),
                     .is_map = (type & 0xf0) == 0x80 || type >= 0xde};
    head->is_map = head->is_map && type < 0xe0;
    if ((type & 0xe0) == 0xa0) {
        head->bytes = type & 0x1f;
    } else if ((type & 0xf0) == 0x80 || (type & 0xf0) == 0x90) {
        head->values = (uint64_t)(type & 0x0f) * (head->is_map ? 2 : 1);
    } else if (type == 0xc1) {
        return fail();
    } else if (type >= 0xc4 && type <= 0xdf) {
        const head_rule_t *rule = &head_rules[type - 0xc4];
        if (left(&cursor) < rule->length) {
            return fail();
        }
        const uint64_t length = big_endian(cursor.at, rule->length);
        cursor.at += rule->length;
        head->bytes = rule->bytes + (rule->each == 0 ? length : 0);
        head->values = length * rule->each;
    }
    return head->bytes > left(&cursor) || head->values > left(&cursor) ? fail() : cursor;
}

/* Behind one value: each that is open needs a byte at least, so the count is bounded. */
static cursor_t packed_skip(cursor_t cursor)
{
    for (uint64_t wanted = 1; cursor.at != NULL && wanted > 0; wanted--) {
        head_t head;
        cursor = packed_head(cursor, &head);
        if (cursor.at != NULL) {
            cursor.at += head.bytes;
            wanted += head.values;
        }
    }
    return cursor;
}

static bool packed_find(cursor_t cursor, const char *name, tools_span_t *value)
{
    head_t map;
    cursor = packed_head(cursor, &map);
    for (uint64_t i = 0; cursor.at != NULL && map.is_map && i < map.values / 2; i++) {
        head_t key;
        cursor_t inside = packed_head(cursor, &key);
        const bool is_it = inside.at != NULL && key.is_string && key.bytes == strlen(name) &&
                           memcmp(inside.at, name, key.bytes) == 0;
        cursor = packed_skip(cursor);
        if (cursor.at == NULL) {
            break;
        }
        const unsigned char *begin = cursor.at;
        cursor = packed_skip(cursor);
        if (is_it && cursor.at != NULL) {
            *value = (tools_span_t){(const char *)begin, (size_t)(cursor.at - begin)};
            return true;
        }
    }
    return false;
}

/* ---- JSON ---- */

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static cursor_t blanks(cursor_t cursor)
{
    while (cursor.at != NULL && cursor.at < cursor.end && is_blank(*cursor.at)) {
        cursor.at++;
    }
    return cursor.at == cursor.end ? fail() : cursor;
}

/* Behind a string, which begins here. */
static cursor_t json_string(cursor_t cursor)
{
    for (cursor.at++; cursor.at < cursor.end && *cursor.at != '"'; cursor.at++) {
        cursor.at += *cursor.at == '\\' && left(&cursor) > 1; /* the escaped one as well */
    }
    if (cursor.at >= cursor.end) {
        return fail();
    }
    cursor.at++;
    return cursor;
}

static bool ends_word(unsigned char c)
{
    return c == ',' || c == '}' || c == ']' || is_blank(c);
}

/* Behind one value: brackets are only counted. */
static cursor_t json_skip(cursor_t cursor)
{
    size_t depth = 0;
    do {
        cursor = blanks(cursor);
        if (cursor.at == NULL) {
            return cursor;
        }
        const unsigned char c = *cursor.at;
        if (c == '"') {
            cursor = json_string(cursor);
        } else if (c == '{' || c == '[') {
            depth++;
            cursor.at++;
        } else if (c == '}' || c == ']') {
            if (depth == 0) {
                return fail();
            }
            depth--;
            cursor.at++;
        } else if (depth > 0 && (c == ',' || c == ':')) {
            cursor.at++;
        } else {
            const unsigned char *begin = cursor.at;
            while (cursor.at < cursor.end && !ends_word(*cursor.at)) {
                cursor.at++;
            }
            if (cursor.at == begin) {
                return fail();
            }
        }
    } while (cursor.at != NULL && depth > 0);
    return cursor;
}

/* The character that a JSON map goes on with, which is taken; 0: none */
static unsigned char json_sign(cursor_t *cursor)
{
    *cursor = blanks(*cursor);
    return cursor->at == NULL ? 0 : *cursor->at++;
}

static bool json_find(cursor_t cursor, const char *name, tools_span_t *value)
{
    unsigned char sign = json_sign(&cursor) == '{' ? ',' : 0;
    while (sign == ',') {
        cursor = blanks(cursor);
        if (cursor.at == NULL || *cursor.at != '"') {
            return false;
        }
        const unsigned char *key = cursor.at + 1;
        cursor = json_string(cursor);
        if (cursor.at == NULL) {
            return false;
        }
        const size_t size = (size_t)(cursor.at - key) - 1;
        const bool is_it = size == strlen(name) && memcmp(key, name, size) == 0;
        if (json_sign(&cursor) != ':') {
            return false;
        }
        cursor = blanks(cursor);
        const unsigned char *begin = cursor.at;
        cursor = cursor.at == NULL ? cursor : json_skip(cursor);
        if (cursor.at == NULL) {
            return false;
        }
        if (is_it) {
            *value = (tools_span_t){(const char *)begin, (size_t)(cursor.at - begin)};
            return true;
        }
        sign = json_sign(&cursor);
    }
    return false;
}

/* ---- text ---- */

/* Bytes of UTF-8 that a character begins with `lead` has; what is none counts as one byte. */
static size_t character_size(unsigned char lead)
{
    return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
}

static size_t put_character(uint32_t code, char bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (char)code;
        return 1;
    }
    const size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, code >>= 6) {
        bytes[i] = (char)(0x80 | (code & 0x3f));
    }
    bytes[0] = (char)((0xf00 >> size & 0xf0) | code);
    return size;
}

/* The four digits of \uXXXX. False: there are none. */
static bool read_hex(cursor_t *cursor, uint32_t *code)
{
    *code = 0;
    for (size_t i = 0; i < 4; i++) {
        const unsigned char c = left(cursor) > 0 ? *cursor->at++ : 0;
        const unsigned char low = c | 0x20;
        if (c >= '0' && c <= '9') {
            *code = *code << 4 | (uint32_t)(c - '0');
        } else if (low >= 'a' && low <= 'f') {
            *code = *code << 4 | (uint32_t)(low - 'a' + 10);
        } else {
            return false;
        }
    }
    return true;
}

/* What stands for a character after \u; half a pair of surrogates is U+FFFD. */
static uint32_t read_escaped(cursor_t *cursor)
{
    uint32_t code = 0, low = 0;
    if (!read_hex(cursor, &code) || (code >= 0xdc00 && code < 0xe000)) {
        return 0xfffd;
    }
    if (code < 0xd800 || code >= 0xdc00) {
        return code;
    }
    if (left(cursor) < 6 || cursor->at[0] != '\\' || cursor->at[1] != 'u') {
        return 0xfffd;
    }
    cursor->at += 2;
    const bool is_pair = read_hex(cursor, &low) && low >= 0xdc00 && low < 0xe000;
    return is_pair ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
}

/* The next character, with the escapes of JSON undone. Returns its size. */
static size_t next_character(cursor_t *cursor, bool is_json, char bytes[4])
{
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    if (is_json && *cursor->at == '\\' && left(cursor) > 1) {
        const char escape = (char)cursor->at[1];
        const char *found = strchr(escapes, escape);
        cursor->at += 2;
        if (escape == 'u') {
            return put_character(read_escaped(cursor), bytes);
        }
        bytes[0] = escape != '\0' && found != NULL ? found[1] : escape;
        return 1;
    }
    size_t size = character_size(*cursor->at);
    size = size < left(cursor) ? size : left(cursor);
    memcpy(bytes, cursor->at, size);
    cursor->at += size;
    return size;
}

bool tools_text(tools_span_t value, char *text, size_t size)
{
    cursor_t cursor = {(const unsigned char *)value.data,
                       (const unsigned char *)value.data + value.size};
    const bool is_json = value.size >= 2 && value.data[0] == '"';
    size_t used = 0;
    text[0] = '\0';
    if (is_json) {
        cursor.at++;
        cursor.end--;
    } else {
        head_t head = {.bytes = 0};
        cursor = packed_head(cursor, &head);
        if (cursor.at == NULL || !head.is_string) {
            return false;
        }
        cursor.end = cursor.at + head.bytes;
    }
    while (cursor.at < cursor.end) {
        char bytes[4];
        const size_t more = next_character(&cursor, is_json, bytes);
        if (used + more >= size) {
            break;
        }
        memcpy(text + used, bytes, more);
        used += more;
    }
    text[used] = '\0';
    return true;
}

/* ---- replies ---- */

bool tools_find(tools_span_t map, const char *name, tools_span_t *value)
{
    cursor_t cursor = {(const unsigned char *)map.data, (const unsigned char *)map.data + map.size};
    if (map.size == 0) {
        return false;
    }
    return *cursor.at >= 0x80 ? packed_find(cursor, name, value) : json_find(cursor, name, value);
}

/* A boolean: 1 or 0; -1: none. */
static int truth(tools_span_t value)
{
    const unsigned char first = (unsigned char)value.data[0];
    if (value.size == 1) {
        return first == 0xc3 ? 1 : first == 0xc2 ? 0 : -1;
    }
    return value.size == 4 && memcmp(value.data, "true", 4) == 0    ? 1
           : value.size == 5 && memcmp(value.data, "false", 5) == 0 ? 0
                                                                    : -1;
}

/* A whole number that is not negative; what is none counts as 0. */
static int64_t number(tools_span_t value, bool is_json)
{
    const unsigned char *bytes = (const unsigned char *)value.data;
    const unsigned char first = bytes[0];
    if (is_json) {
        char digits[16] = "";
        memcpy(digits, value.data, value.size < 15 ? value.size : 15);
        const long long read = strtoll(digits, NULL, 10);
        return read > 0 ? read : 0;
    }
    if (first >= 0xcc && first <= 0xcf && value.size == (size_t)1 + ((size_t)1 << (first - 0xcc))) {
        const uint64_t read = big_endian(bytes + 1, value.size - 1);
        return read > INT64_MAX ? INT64_MAX : (int64_t)read;
    }
    return first < 0x80 ? first : 0;
}

int64_t tools_find_number(tools_span_t map, const char *name)
{
    tools_span_t value;
    return tools_find(map, name, &value) ? number(value, (unsigned char)map.data[0] < 0x80) : 0;
}

bool tools_reply_read(const void *data, size_t size, tools_reply_t *reply)
{
    const tools_span_t map = {data, size};
    tools_span_t value;
    const int success = size > 0 && tools_find(map, "success", &value) ? truth(value) : -1;
    *reply = (tools_reply_t){.success = success == 1};
    if (success < 0 || !tools_find(map, success == 1 ? "result" : "error", &reply->value)) {
        return false;
    }
    if (success == 1) {
        return true;
    }
    if (!tools_find(reply->value, "code", &value) ||
        !tools_text(value, reply->code, sizeof(reply->code))) {
        return false;
    }
    if (tools_find(reply->value, "message", &value)) {
        (void)tools_text(value, reply->message, sizeof(reply->message));
    }
    reply->retry_after_ms = tools_find_number(reply->value, "retry_after_ms");
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "messages/msgpack_scan.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "messages/fault.h"

/* The bytes of an item: its tag, a length or count field, a payload. */
typedef struct shape {
    token_kind_t kind;
    unsigned char length; /* bytes of the length or count field */
    unsigned char fixed;  /* bytes of payload whatever the length says */
} shape_t;

static const shape_t shapes[32] = {
    /* 0xc0 */
    {TOKEN_NIL, 0, 0},
    {TOKEN_NONE, 0, 0},
    {TOKEN_BOOL, 0, 0},
    {TOKEN_BOOL, 0, 0},
    {TOKEN_BYTES, 1, 0},
    {TOKEN_BYTES, 2, 0},
    {TOKEN_BYTES, 4, 0},
    {TOKEN_EXTENSION, 1, 1}, /* a type byte, then as many as the length says */
    {TOKEN_EXTENSION, 2, 1},
    {TOKEN_EXTENSION, 4, 1},
    {TOKEN_REAL, 0, 4},
    {TOKEN_REAL, 0, 8},
    {TOKEN_UINT, 0, 1},
    {TOKEN_UINT, 0, 2},
    {TOKEN_UINT, 0, 4},
    {TOKEN_UINT, 0, 8},
    /* 0xd0 */
    {TOKEN_INT, 0, 1},
    {TOKEN_INT, 0, 2},
    {TOKEN_INT, 0, 4},
    {TOKEN_INT, 0, 8},
    {TOKEN_EXTENSION, 0, 2},
    {TOKEN_EXTENSION, 0, 3},
    {TOKEN_EXTENSION, 0, 5},
    {TOKEN_EXTENSION, 0, 9},
    {TOKEN_EXTENSION, 0, 17},
    {TOKEN_STRING, 1, 0},
    {TOKEN_STRING, 2, 0},
    {TOKEN_STRING, 4, 0},
    {TOKEN_ARRAY, 2, 0},
    {TOKEN_ARRAY, 4, 0},
    {TOKEN_MAP, 2, 0},
    {TOKEN_MAP, 4, 0},
};

static uint64_t big_endian(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* What a tag says by itself; `count` gets the length or count that it holds in its low bits. */
static shape_t shape_of(unsigned char tag, uint64_t *count)
{
    *count = 0;
    if (tag < 0x80) {
        return (shape_t){TOKEN_UINT, 0, 0};
    }
    if (tag < 0x90) {
        *count = tag & 0x0fu;
        return (shape_t){TOKEN_MAP, 0, 0};
    }
    if (tag < 0xa0) {
        *count = tag & 0x0fu;
        return (shape_t){TOKEN_ARRAY, 0, 0};
    }
    if (tag < 0xc0) {
        *count = tag & 0x1fu;
        return (shape_t){TOKEN_STRING, 0, 0};
    }
    return tag < 0xe0 ? shapes[tag - 0xc0] : (shape_t){TOKEN_INT, 0, 0};
}

static double real_of(const unsigned char *bytes, size_t size)
{
    uint64_t bits = big_endian(bytes, size);
    if (size == sizeof(float)) {
        uint32_t narrow = (uint32_t)bits;
        float value;
        memcpy(&value, &narrow, sizeof(value));
        return (double)value;
    }
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint64_t sign_extend(uint64_t value, size_t bytes)
{
    unsigned int shift = 8 * (unsigned int)(sizeof(value) - bytes);
    return (uint64_t)((int64_t)(value << shift) >> shift);
}

static void read_scalar(token_t *token, unsigned char tag, const unsigned char *payload)
{
    switch (token->kind) {
    case TOKEN_BOOL:
        token->integer = tag & 1u;
        break;
    case TOKEN_UINT:
        token->integer = token->size == 0 ? tag : big_endian(payload, token->size);
        break;
    case TOKEN_INT:
        token->integer = token->size == 0
                             ? sign_extend(tag, 1)
                             : sign_extend(big_endian(payload, token->size), token->size);
        break;
    case TOKEN_REAL:
        token->real = real_of(payload, token->size);
        break;
    default:
        break;
    }
}

static trp_status_t truncated(msgpack_scan_t *scan)
{
    return fault_body(scan->fault, true, "a whole MessagePack map", scan->at);
}

/* Reads the item at `at`; `end` gets the offset behind it. */
static trp_status_t read_token(msgpack_scan_t *scan, token_t *token, size_t *end)
{
    size_t left = scan->size - scan->at;
    if (left == 0) {
        return truncated(scan);
    }
    const unsigned char *bytes = scan->data + scan->at;
    uint64_t count;
    shape_t shape = shape_of(bytes[0], &count);
    size_t head = 1 + (size_t)shape.length;
    if (shape.kind == TOKEN_NONE) {
        return fault_body(scan->fault, true, "well-formed MessagePack", scan->at);
    }
    if (left < head) {
        return truncated(scan);
    }
    if (shape.length > 0) {
        count = big_endian(bytes + 1, shape.length);
    }
    uint64_t payload = shape.fixed;
    token->kind = shape.kind;
    token->items = 0;
    if (shape.kind == TOKEN_ARRAY || shape.kind == TOKEN_MAP) {
        token->items = shape.kind == TOKEN_MAP ? 2 * count : count;
    } else {
        payload += count;
    }
    if (left - head < payload) {
        return truncated(scan);
    }
    token->data = (const char *)bytes + head;
    token->size = (size_t)payload;
    read_scalar(token, bytes[0], bytes + head);
    *end = scan->at + head + (size_t)payload;
    return TRP_OK;
}

static trp_status_t check_token(const msgpack_scan_t *scan, const token_t *token, size_t end)
{
    bool opens = token->kind == TOKEN_ARRAY || token->kind == TOKEN_MAP;
    if (token->is_name && token->kind != TOKEN_STRING) {
        return fault_body(scan->fault, false, "names of members are strings", scan->at);
    }
    if (token->kind == TOKEN_REAL && !isfinite(token->real)) {
        return fault_body(scan->fault, false, "numbers are finite", scan->at);
    }
    if (opens && scan->depth >= scan->depth_max) {
        return fault_body(scan->fault, false, TRP_DEPTH_RULE, scan->at);
    }
    uint64_t owed = scan->owed + token->items - (token->is_inside ? 1 : 0);
    if (scan->size - end < owed) {
        return fault_body(scan->fault, true, "a whole MessagePack map", scan->at);
    }
    if (scan->items + 1 + owed > scan->items_max) {
        return fault_body(scan->fault, false, TRP_ITEMS_RULE, scan->at);
    }
    return TRP_OK;
}

static trp_status_t open_level(msgpack_scan_t *scan, const token_t *token)
{
    if (scan->depth == scan->capacity) {
        scan_level_t *levels = malloc(2 * scan->capacity * sizeof(*levels));
        if (levels == NULL) {
            return TRP_NO_MEMORY;
        }
        memcpy(levels, scan->levels, scan->depth * sizeof(*levels));
        if (scan->levels != scan->few) {
            free(scan->levels);
        }
        scan->levels = levels;
        scan->capacity *= 2;
    }
    scan->levels[scan->depth++] = (scan_level_t){
        .left = token->items, .items = token->items, .is_map = token->kind == TOKEN_MAP};
    return TRP_OK;
}

trp_status_t msgpack_scan_next(msgpack_scan_t *scan, token_t *token)
{
    size_t end = 0;
    assert(scan->levels != NULL);
    trp_status_t status = read_token(scan, token, &end);
    if (status != TRP_OK) {
        return status;
    }
    scan_level_t *level = scan->depth > 0 ? &scan->levels[scan->depth - 1] : NULL;
    token->is_inside = level != NULL;
    token->is_name = level != NULL && level->is_map && level->left % 2 == 0;
    token->is_value = level != NULL && level->is_map && !token->is_name;
    token->is_first = level != NULL && level->left == level->items;
    status = check_token(scan, token, end);
    if (status != TRP_OK) {
        return status;
    }
    scan->at = end;
    scan->items++;
    scan->owed += token->items;
    if (level != NULL) {
        level->left--;
        scan->owed--;
    }
    if (token->kind == TOKEN_ARRAY || token->kind == TOKEN_MAP) {
        status = open_level(scan, token);
    }
    scan->closed = 0;
    while (scan->depth > 0 && scan->levels[scan->depth - 1].left == 0) {
        scan->depth--;
        scan->closed++;
    }
    return status;
}

void msgpack_scan_init(msgpack_scan_t *scan, const void *data, size_t size, trp_fault_t *fault)
{
    scan->data = data;
    scan->size = size;
    scan->at = 0;
    scan->depth_max = TRP_DEPTH_MAX;
    scan->items_max = TRP_ITEMS_MAX;
    scan->items = 0;
    scan->owed = 0;
    scan->depth = 0;
    scan->closed = 0;
    scan->levels = scan->few;
    scan->capacity = TRP_DEPTH_MAX;
    scan->fault = fault;
}

void msgpack_scan_fini(msgpack_scan_t *scan)
{
    if (scan->levels != scan->few) {
        free(scan->levels);
    }
}

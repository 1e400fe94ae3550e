/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "messages/codec_internal.h"
#include "messages/fault.h"
#include "messages/msgpack_token.h"

#define SORT_MIN 12 /* members from which a map is sorted to find doubles */

/* ---- the scan: nothing is reserved before all counts are known to be true ---- */

typedef struct scan {
    const unsigned char *data;
    size_t size;
    size_t at;
    uint64_t items;               /* seen so far */
    uint64_t owed;                /* announced and not seen yet, on all levels */
    size_t depth;                 /* open maps and arrays */
    uint64_t left[TRP_DEPTH_MAX]; /* items that each still lacks */
    bool is_map[TRP_DEPTH_MAX];
    trp_fault_t *fault;
} scan_t;

static trp_status_t truncated(scan_t *scan)
{
    return fault_body(scan->fault, true, MSGPACK_WHOLE, scan->at);
}

static trp_status_t read_token(scan_t *scan, token_t *token)
{
    const char *rule = msgpack_token_read(scan->data + scan->at, scan->size - scan->at, token);
    return rule == NULL ? TRP_OK : fault_body(scan->fault, true, rule, scan->at);
}

static bool is_finite(const unsigned char *bytes, size_t size)
{
    uint64_t bits = msgpack_big_endian(bytes, size);
    if (size == 4) {
        return (bits & 0x7f800000u) != 0x7f800000u;
    }
    return (bits & 0x7ff0000000000000u) != 0x7ff0000000000000u;
}

/* A value is in its place: a name where a map wants one, a finite number, levels and counts in
 * their bounds. Each item takes a byte at least, so what is owed can't exceed what is left. */
static trp_status_t check_token(scan_t *scan, const token_t *token)
{
    bool is_name =
        scan->depth > 0 && scan->is_map[scan->depth - 1] && scan->left[scan->depth - 1] % 2 == 0;
    if (is_name && token->kind != TOKEN_STRING) {
        return fault_body(scan->fault, false, "names of members are strings", scan->at);
    }
    if (token->kind == TOKEN_REAL &&
        !is_finite(scan->data + scan->at + token->head, (size_t)token->body)) {
        return fault_body(scan->fault, false, "numbers are finite", scan->at);
    }
    bool opens = token->kind == TOKEN_ARRAY || token->kind == TOKEN_MAP;
    if (opens && scan->depth == TRP_DEPTH_MAX) {
        return fault_body(scan->fault, false, "at most 32 levels of maps and arrays", scan->at);
    }
    uint64_t after =
        scan->owed - (scan->depth > 0 ? 1 : 0) + token->items; /* owed after this one */
    if (scan->size - scan->at - token->head - token->body < after) {
        return truncated(scan);
    }
    if (scan->items + after > TRP_ITEMS_MAX) {
        return fault_body(scan->fault, false, "at most 524288 values and names", scan->at);
    }
    return TRP_OK;
}

static void take_token(scan_t *scan, const token_t *token)
{
    scan->at += token->head + (size_t)token->body;
    scan->items++;
    scan->owed += token->items;
    if (scan->depth > 0) {
        scan->left[scan->depth - 1]--;
        scan->owed--;
    }
    if (token->kind == TOKEN_ARRAY || token->kind == TOKEN_MAP) {
        scan->left[scan->depth] = token->items;
        scan->is_map[scan->depth] = token->kind == TOKEN_MAP;
        scan->depth++;
    }
    while (scan->depth > 0 && scan->left[scan->depth - 1] == 0) {
        scan->depth--;
    }
}

static trp_status_t scan_value(const void *data, size_t size, trp_fault_t *fault)
{
    scan_t scan = {.data = data, .size = size, .fault = fault};
    do {
        token_t token = {0};
        trp_status_t status = read_token(&scan, &token);
        if (status == TRP_OK) {
            status = check_token(&scan, &token);
        }
        if (status != TRP_OK) {
            return status;
        }
        take_token(&scan, &token);
    } while (scan.depth > 0);
    if (scan.at != size) {
        return fault_body(fault, false, "nothing after the map", scan.at);
    }
    return TRP_OK;
}

trp_status_t trp_msgpack_check(const void *data, size_t size, size_t *bad)
{
    trp_fault_t fault;
    trp_status_t status = scan_value(data, size, &fault);
    if (status != TRP_OK) {
        *bad = fault.offset;
    }
    return status;
}

/* ---- members that occur twice ---- */

static int compare_names(const msgpack_object_str *a, const msgpack_object_str *b)
{
    if (a->size != b->size) {
        return a->size < b->size ? -1 : 1;
    }
    return a->size == 0 ? 0 : memcmp(a->ptr, b->ptr, a->size);
}

static int compare_sorted(const void *a, const void *b)
{
    const msgpack_object_str *const *left = a;
    const msgpack_object_str *const *right = b;
    return compare_names(*left, *right);
}

static const char *find_double_small(const msgpack_object_map *map)
{
    for (uint32_t i = 1; i < map->size; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (compare_names(&map->ptr[i].key.via.str, &map->ptr[k].key.via.str) == 0) {
                return map->ptr[i].key.via.str.ptr;
            }
        }
    }
    return NULL;
}

/* Sets `*twice` to the name of a member that occurs again, or to NULL. */
static trp_status_t find_double(const msgpack_object_map *map, const char **twice)
{
    *twice = NULL;
    if (map->size < SORT_MIN) {
        *twice = find_double_small(map);
        return TRP_OK;
    }
    const msgpack_object_str **names = calloc(map->size, sizeof(*names));
    if (names == NULL) {
        return TRP_NO_MEMORY;
    }
    for (uint32_t i = 0; i < map->size; i++) {
        names[i] = &map->ptr[i].key.via.str;
    }
    qsort(names, map->size, sizeof(names[0]), compare_sorted);
    for (uint32_t i = 1; i < map->size && *twice == NULL; i++) {
        if (compare_names(names[i - 1], names[i]) == 0) {
            const char *a = names[i - 1]->ptr;
            const char *b = names[i]->ptr;
            *twice = a > b ? a : b;
        }
    }
    free(names);
    return TRP_OK;
}

/* Recursion is bounded: the scan has refused more than TRP_DEPTH_MAX levels. */
static trp_status_t check_doubles(const msgpack_object *object, const char *data,
                                  trp_fault_t *fault)
{
    trp_status_t status = TRP_OK;
    if (object->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < object->via.array.size && status == TRP_OK; i++) {
            status = check_doubles(&object->via.array.ptr[i], data, fault);
        }
    } else if (object->type == MSGPACK_OBJECT_MAP) {
        const char *twice;
        status = find_double(&object->via.map, &twice);
        if (status == TRP_OK && twice != NULL) {
            return fault_body(fault, false, "each member once", (size_t)(twice - data));
        }
        for (uint32_t i = 0; i < object->via.map.size && status == TRP_OK; i++) {
            status = check_doubles(&object->via.map.ptr[i].val, data, fault);
        }
    }
    return status;
}

trp_status_t msgpack_decode(const void *data, size_t size, msgpack_zone *zone, msgpack_object *root,
                            trp_fault_t *fault)
{
    trp_status_t status = scan_value(data, size, fault);
    if (status != TRP_OK) {
        return status;
    }
    size_t offset = 0;
    msgpack_unpack_return result = msgpack_unpack(data, size, &offset, zone, root);
    if (result == MSGPACK_UNPACK_NOMEM_ERROR) {
        return TRP_NO_MEMORY;
    }
    if (result != MSGPACK_UNPACK_SUCCESS || offset != size) {
        return fault_body(fault, true, MSGPACK_WELL_FORMED, offset);
    }
    return check_doubles(root, data, fault);
}

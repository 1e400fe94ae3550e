/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "messages/codec_internal.h"
#include "messages/fault.h"
#include "messages/msgpack_scan.h"

#define SORT_MIN 12 /* members from which a map is sorted to find doubles */

static trp_status_t scan_value(msgpack_scan_t *scan)
{
    trp_status_t status = TRP_OK;
    while (status == TRP_OK && !msgpack_scan_is_done(scan)) {
        token_t token;
        status = msgpack_scan_next(scan, &token);
    }
    if (status == TRP_OK && scan->at != scan->size) {
        status = fault_body(scan->fault, false, "nothing after the map", scan->at);
    }
    return status;
}

trp_status_t trp_msgpack_check(const void *data, size_t size, size_t *bad)
{
    trp_fault_t fault;
    msgpack_scan_t scan;
    msgpack_scan_init(&scan, data, size, &fault);
    trp_status_t status = scan_value(&scan);
    if (status != TRP_OK) {
        *bad = fault.offset;
    }
    msgpack_scan_fini(&scan);
    return status;
}

bool trp_msgpack_is_value(const void *data, size_t size)
{
    trp_fault_t fault;
    msgpack_scan_t scan;
    msgpack_scan_init(&scan, data, size, &fault);
    scan.depth_max = TRP_REPLY_DEPTH_MAX;
    scan.items_max = UINT64_MAX;
    trp_status_t status = scan_value(&scan);
    msgpack_scan_fini(&scan);
    return status == TRP_OK;
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

/* ---- the tree ---- */

/* Room for what a map or array holds. A member is two objects in a row, its name and its value. The
 * scan has seen that there are as many bytes left as items, so a length that lies reserves no more
 * than 24 times those. */
static trp_status_t make_room(const token_t *token, msgpack_zone *zone, msgpack_object *object,
                              msgpack_object **items)
{
    _Static_assert(sizeof(msgpack_object_kv) == 2 * sizeof(msgpack_object), "name and value");
    *items = token->items == 0
                 ? NULL
                 : msgpack_zone_malloc(zone, (size_t)token->items * sizeof(msgpack_object));
    if (token->kind == TOKEN_MAP) {
        object->via.map.size = (uint32_t)(token->items / 2);
        object->via.map.ptr = (msgpack_object_kv *)(void *)*items;
    } else {
        object->via.array.size = (uint32_t)token->items;
        object->via.array.ptr = *items;
    }
    return token->items == 0 || *items != NULL ? TRP_OK : TRP_NO_MEMORY;
}

static void set_number(const token_t *token, msgpack_object *object)
{
    if (token->kind == TOKEN_REAL) {
        object->type =
            token->size == sizeof(float) ? MSGPACK_OBJECT_FLOAT32 : MSGPACK_OBJECT_FLOAT64;
        object->via.f64 = token->real;
    } else if (token->kind == TOKEN_INT && (int64_t)token->integer < 0) {
        object->type = MSGPACK_OBJECT_NEGATIVE_INTEGER;
        object->via.i64 = (int64_t)token->integer;
    } else {
        object->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
        object->via.u64 = token->integer;
    }
}

static void set_bytes(const token_t *token, msgpack_object *object)
{
    if (token->kind == TOKEN_STRING) {
        object->via.str.size = (uint32_t)token->size;
        object->via.str.ptr = token->data;
    } else if (token->kind == TOKEN_BYTES) {
        object->via.bin.size = (uint32_t)token->size;
        object->via.bin.ptr = token->data;
    } else { /* an extension: its type, then its bytes */
        object->via.ext.type = token->data[0];
        object->via.ext.size = (uint32_t)token->size - 1;
        object->via.ext.ptr = token->data + 1;
    }
}

/* One item as an object; `items` gets the room for those in it. */
static trp_status_t set_object(const token_t *token, msgpack_zone *zone, msgpack_object *object,
                               msgpack_object **items)
{
    static const msgpack_object_type types[] = {
        [TOKEN_NIL] = MSGPACK_OBJECT_NIL,       [TOKEN_BOOL] = MSGPACK_OBJECT_BOOLEAN,
        [TOKEN_STRING] = MSGPACK_OBJECT_STR,    [TOKEN_BYTES] = MSGPACK_OBJECT_BIN,
        [TOKEN_EXTENSION] = MSGPACK_OBJECT_EXT, [TOKEN_ARRAY] = MSGPACK_OBJECT_ARRAY,
        [TOKEN_MAP] = MSGPACK_OBJECT_MAP,       [TOKEN_NONE] = MSGPACK_OBJECT_NIL};
    object->type = types[token->kind];
    switch (token->kind) {
    case TOKEN_BOOL:
        object->via.boolean = token->integer != 0;
        break;
    case TOKEN_UINT:
    case TOKEN_INT:
    case TOKEN_REAL:
        set_number(token, object);
        break;
    case TOKEN_STRING:
    case TOKEN_BYTES:
    case TOKEN_EXTENSION:
        set_bytes(token, object);
        break;
    case TOKEN_ARRAY:
    case TOKEN_MAP:
        return make_room(token, zone, object, items);
    default:
        break;
    }
    return TRP_OK;
}

/* One pass that checks and builds: an item is believed when the scan has seen it. */
static trp_status_t build(msgpack_scan_t *scan, msgpack_zone *zone, msgpack_object *root)
{
    msgpack_object *next[TRP_DEPTH_MAX + 1]; /* place of the next item, on each level */
    next[0] = root;
    while (!msgpack_scan_is_done(scan)) {
        const size_t depth = scan->depth;
        token_t token;
        msgpack_object *items = NULL;
        trp_status_t status = msgpack_scan_next(scan, &token);
        if (status == TRP_OK) {
            status = set_object(&token, zone, next[depth]++, &items);
        }
        if (status != TRP_OK) {
            return status;
        }
        if (items != NULL) {
            next[depth + 1] = items;
        }
    }
    return scan->at == scan->size
               ? TRP_OK
               : fault_body(scan->fault, false, "nothing after the map", scan->at);
}

trp_status_t msgpack_decode(const void *data, size_t size, msgpack_zone *zone, msgpack_object *root,
                            trp_fault_t *fault)
{
    msgpack_scan_t scan;
    msgpack_scan_init(&scan, data, size, fault);
    trp_status_t status = build(&scan, zone, root);
    msgpack_scan_fini(&scan);
    return status == TRP_OK ? check_doubles(root, data, fault) : status;
}

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

trp_status_t msgpack_decode(const void *data, size_t size, msgpack_zone *zone, msgpack_object *root,
                            trp_fault_t *fault)
{
    msgpack_scan_t scan;
    msgpack_scan_init(&scan, data, size, fault);
    trp_status_t status = scan_value(&scan);
    msgpack_scan_fini(&scan);
    if (status != TRP_OK) {
        return status;
    }
    size_t offset = 0;
    msgpack_unpack_return result = msgpack_unpack(data, size, &offset, zone, root);
    if (result == MSGPACK_UNPACK_NOMEM_ERROR) {
        return TRP_NO_MEMORY;
    }
    if (result != MSGPACK_UNPACK_SUCCESS || offset != size) {
        return fault_body(fault, true, "well-formed MessagePack", offset);
    }
    return check_doubles(root, data, fault);
}

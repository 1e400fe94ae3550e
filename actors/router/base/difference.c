/* SPDX-License-Identifier: MIT */
#include "actors/router/base/difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

/* A walk over two values at once; its depth is the codec's. */
typedef struct walk {
    const char *ignore;
    difference_t *difference;
} walk_t;

static bool is_ignored(const walk_t *walk, const msgpack_object_str *name)
{
    for (const char *at = walk->ignore; *(at += strspn(at, BLANKS)) != '\0';) {
        size_t length = strcspn(at, BLANKS);
        if (length == name->size && memcmp(at, name->ptr, length) == 0) {
            return true;
        }
        at += length;
    }
    return false;
}

static bool compare(walk_t *walk, const msgpack_object *one, const msgpack_object *other);

/* ---- scalars ---- */

static bool is_number(const msgpack_object *object)
{
    return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
           object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ||
           object->type == MSGPACK_OBJECT_FLOAT32 || object->type == MSGPACK_OBJECT_FLOAT64;
}

static double real_of(const msgpack_object *object)
{
    switch (object->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return (double)object->via.u64;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return (double)object->via.i64;
    default:
        return object->via.f64;
    }
}

/* Integers exactly, the others as doubles: 1 and 1.0 are the same. */
static bool same_number(const msgpack_object *one, const msgpack_object *other)
{
    if (one->type == other->type && (one->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
                                     one->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)) {
        return one->via.u64 == other->via.u64;
    }
    double a = real_of(one), b = real_of(other);
    return a <= b && a >= b;
}

static bool same_bytes(const msgpack_object *one, const msgpack_object *other)
{
    return one->via.str.size == other->via.str.size &&
           (one->via.str.size == 0 ||
            memcmp(one->via.str.ptr, other->via.str.ptr, one->via.str.size) == 0);
}

/* ---- maps and arrays ---- */

/* Where the walk is: names are appended on the way down and stay where a difference was found.
 * Both give the length to go back to. */
static size_t enter_member(const walk_t *walk, const msgpack_object_str *name)
{
    char *path = walk->difference->path;
    size_t mark = strlen(path);
    snprintf(path + mark, DIFFERENCE_PATH_MAX - mark, "%s%.*s", mark > 0 ? "." : "",
             (int)(name->size < 64 ? name->size : 64), name->ptr);
    return mark;
}

static size_t enter_item(const walk_t *walk, size_t index)
{
    char *path = walk->difference->path;
    size_t mark = strlen(path);
    snprintf(path + mark, DIFFERENCE_PATH_MAX - mark, "[%zu]", index);
    return mark;
}

static int by_name(const void *a, const void *b)
{
    const msgpack_object_str *one = &((const msgpack_object_kv *)a)->key.via.str;
    const msgpack_object_str *other = &((const msgpack_object_kv *)b)->key.via.str;
    uint32_t size = one->size < other->size ? one->size : other->size;
    int order = size == 0 ? 0 : memcmp(one->ptr, other->ptr, size);
    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

/* Sorts its members; those that are ignored are left out. Names are texts: the codec saw to it. */
static uint32_t sort(const walk_t *walk, const msgpack_object_map *map)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < map->size; i++) {
        if (!is_ignored(walk, &map->ptr[i].key.via.str)) {
            msgpack_object_kv member = map->ptr[i];
            map->ptr[i] = map->ptr[count];
            map->ptr[count++] = member;
        }
    }
    if (count > 1) {
        qsort(map->ptr, count, sizeof(*map->ptr), by_name);
    }
    return count;
}

static bool compare_maps(walk_t *walk, const msgpack_object_map *one,
                         const msgpack_object_map *other)
{
    uint32_t ones = sort(walk, one), others = sort(walk, other);
    for (uint32_t i = 0; i < ones || i < others; i++) {
        int order = i >= ones ? 1 : i >= others ? -1 : by_name(&one->ptr[i], &other->ptr[i]);
        const msgpack_object_str *name =
            order <= 0 ? &one->ptr[i].key.via.str : &other->ptr[i].key.via.str;
        size_t mark = enter_member(walk, name);
        if (order != 0 || !compare(walk, &one->ptr[i].val, &other->ptr[i].val)) {
            return false;
        }
        walk->difference->path[mark] = '\0';
    }
    return true;
}

static bool compare_arrays(walk_t *walk, const msgpack_object_array *one,
                           const msgpack_object_array *other)
{
    for (uint32_t i = 0; i < one->size || i < other->size; i++) {
        size_t mark = enter_item(walk, i);
        if (i >= one->size || i >= other->size || !compare(walk, &one->ptr[i], &other->ptr[i])) {
            return false;
        }
        walk->difference->path[mark] = '\0';
    }
    return true;
}

static bool compare(walk_t *walk, const msgpack_object *one, const msgpack_object *other)
{
    if (is_number(one) && is_number(other)) {
        return same_number(one, other);
    }
    if (one->type != other->type) {
        return false;
    }
    switch (one->type) {
    case MSGPACK_OBJECT_MAP:
        return compare_maps(walk, &one->via.map, &other->via.map);
    case MSGPACK_OBJECT_ARRAY:
        return compare_arrays(walk, &one->via.array, &other->via.array);
    case MSGPACK_OBJECT_STR:
    case MSGPACK_OBJECT_BIN:
        return same_bytes(one, other);
    case MSGPACK_OBJECT_BOOLEAN:
        return one->via.boolean == other->via.boolean;
    case MSGPACK_OBJECT_NIL:
        return true;
    default:
        return false; /* the codec lets no other kind in */
    }
}

/* ---- documents ---- */

/* What is no map by itself is read as the one member of one. */
typedef struct value {
    char *text;
    trp_document_t document;
    const msgpack_object *root;
} value_t;

#define JSON_HEAD    "{\"v\":"
#define MSGPACK_HEAD "\x81\xa1v"

static trp_status_t wrap(value_t *value, trp_text_t bytes, trp_text_t head, trp_text_t tail)
{
    trp_fault_t fault;
    size_t size = head.size + bytes.size + tail.size;
    value->text = malloc(size + 1);
    if (value->text == NULL) {
        return TRP_NO_MEMORY;
    }
    memcpy(value->text, head.data, head.size);
    memcpy(value->text + head.size, bytes.data, bytes.size);
    memcpy(value->text + head.size + bytes.size, tail.data, tail.size);
    trp_status_t status = trp_document_init(&value->document, value->text, size, &fault);
    if (status != TRP_OK) {
        free(value->text);
        return status;
    }
    value->root = &value->document.root.via.map.ptr[0].val;
    return TRP_OK;
}

static void value_fini(value_t *value)
{
    trp_document_fini(&value->document);
    free(value->text);
}

/* errors: TRP_PAYLOAD (not readable), TRP_NO_MEMORY */
static trp_status_t value_init(value_t *value, trp_text_t bytes)
{
    trp_status_t status =
        wrap(value, bytes, (trp_text_t){JSON_HEAD, sizeof(JSON_HEAD) - 1}, (trp_text_t){"}", 1});
    if (status == TRP_PAYLOAD) {
        status = wrap(value, bytes, (trp_text_t){MSGPACK_HEAD, sizeof(MSGPACK_HEAD) - 1},
                      (trp_text_t){"", 0});
    }
    return status;
}

trp_status_t difference_find(trp_text_t first, trp_text_t second, const char *ignore,
                             difference_t *difference)
{
    value_t one, other;
    walk_t walk = {.ignore = ignore, .difference = difference};
    *difference = (difference_t){
        .is_equal = first.size == second.size &&
                    (first.size == 0 || memcmp(first.data, second.data, first.size) == 0)};
    if (difference->is_equal) {
        return TRP_OK;
    }
    trp_status_t status = value_init(&one, first);
    if (status != TRP_OK) {
        return status == TRP_PAYLOAD ? TRP_OK : status;
    }
    status = value_init(&other, second);
    if (status == TRP_OK) {
        difference->is_equal = compare(&walk, one.root, other.root);
        value_fini(&other);
    }
    value_fini(&one);
    return status == TRP_PAYLOAD ? TRP_OK : status;
}

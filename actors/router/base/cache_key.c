/* SPDX-License-Identifier: MIT */
#include "actors/router/base/cache_key.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(CACHE_KEY_SIZE == crypto_generichash_BYTES_MAX, "BLAKE2b-512");

static int compare_members(const void *a, const void *b)
{
    const msgpack_object_str *one = &((const msgpack_object_kv *)a)->key.via.str;
    const msgpack_object_str *other = &((const msgpack_object_kv *)b)->key.via.str;
    uint32_t size = one->size < other->size ? one->size : other->size;
    int order = memcmp(one->ptr, other->ptr, size);
    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

/* Sorts the members of all maps in it. False: a key that is no text. The codec bounds its depth. */
static bool sort(msgpack_object *object)
{
    if (object->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < object->via.array.size; i++) {
            if (!sort(&object->via.array.ptr[i])) {
                return false;
            }
        }
        return true;
    }
    if (object->type != MSGPACK_OBJECT_MAP) {
        return true;
    }
    msgpack_object_map *map = &object->via.map;
    for (uint32_t i = 0; i < map->size; i++) {
        if (map->ptr[i].key.type != MSGPACK_OBJECT_STR || !sort(&map->ptr[i].val)) {
            return false;
        }
    }
    if (map->size > 1) {
        qsort(map->ptr, map->size, sizeof(*map->ptr), compare_members);
    }
    return true;
}

static msgpack_object text_object(const char *data, size_t size)
{
    return (msgpack_object){.type = MSGPACK_OBJECT_STR,
                            .via.str = {.size = (uint32_t)size, .ptr = data}};
}

static void digest(const void *data, size_t size, cache_key_t *key)
{
    (void)!sodium_init(); /* picks the processor's fastest form; once */
    (void)crypto_generichash(key->bytes, sizeof(key->bytes), data, size, NULL, 0);
}

static trp_status_t digest_object(const msgpack_object *object, cache_key_t *key)
{
    char *json = NULL;
    size_t size = 0;
    trp_status_t status = trp_json_from_object(object, &json, &size);
    if (status == TRP_OK) {
        digest(json, size, key);
        free(json);
    }
    return status;
}

trp_status_t cache_key_of_call(trp_text_t tool, uint32_t version, trp_text_t body, cache_key_t *key)
{
    trp_document_t document;
    trp_fault_t fault;
    trp_status_t status = trp_document_init(&document, body.data, body.size, &fault);
    if (status != TRP_OK) {
        return status == TRP_NO_MEMORY ? status : TRP_PAYLOAD;
    }
    if (document.root.type != MSGPACK_OBJECT_MAP || !sort(&document.root)) {
        trp_document_fini(&document);
        return TRP_PAYLOAD;
    }
    msgpack_object_kv members[] = {
        {text_object("params", 6), document.root},
        {text_object("tool", 4), text_object(tool.data, tool.size)},
        {text_object("version", 7), {.type = MSGPACK_OBJECT_POSITIVE_INTEGER, .via.u64 = version}},
    };
    msgpack_object call = {.type = MSGPACK_OBJECT_MAP,
                           .via.map = {.size = version == 0 ? 2 : 3, .ptr = members}};
    status = digest_object(&call, key);
    trp_document_fini(&document);
    return status;
}

/* What a text is hashed behind: its kind and the tool, which hold no zero themselves. */
static void begin(crypto_generichash_state *state, const char *space, trp_text_t tool)
{
    const unsigned char zero = 0;
    (void)!sodium_init();
    (void)crypto_generichash_init(state, NULL, 0, CACHE_KEY_SIZE);
    (void)crypto_generichash_update(state, (const unsigned char *)space, strlen(space));
    (void)crypto_generichash_update(state, &zero, 1);
    (void)crypto_generichash_update(state, (const unsigned char *)tool.data, tool.size);
    (void)crypto_generichash_update(state, &zero, 1);
}

void cache_key_of_text(const char *space, trp_text_t tool, trp_text_t text, cache_key_t *key)
{
    crypto_generichash_state state;
    begin(&state, space, tool);
    (void)crypto_generichash_update(&state, (const unsigned char *)text.data, text.size);
    (void)crypto_generichash_final(&state, key->bytes, sizeof(key->bytes));
}

void cache_key_of_foreign(trp_text_t tool, trp_text_t body, cache_key_t *key)
{
    trp_form_t form = TRP_FORM_JSON;
    if (trp_form_detect(body.data, body.size, &form) != TRP_OK ||
        cache_key_of_call(tool, form == TRP_FORM_MSGPACK, body, key) != TRP_OK) {
        cache_key_of_text("bytes", tool, body, key);
    }
}

void cache_key_of_frames(trp_text_t tool, trp_text_t packed, cache_key_t *key)
{
    cache_key_of_text("frames", tool, packed, key);
}

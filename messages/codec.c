/* SPDX-License-Identifier: MIT */
#include "messages/codec.h"

#include <stddef.h>
#include <string.h>

#include "messages/codec_internal.h"
#include "messages/fault.h"

/* Bytes of the chunks of a document's memory. Those of small documents are of a size that malloc
 * keeps for each thread, so that they wait for nobody. */
#define CHUNK_SMALL 960
#define CHUNK_LARGE 4096
#define SMALL_MAX   256 /* bytes of a small document */

static size_t chunk_size(size_t size)
{
    return size <= SMALL_MAX ? CHUNK_SMALL : CHUNK_LARGE;
}

static bool is_msgpack_map(unsigned char byte)
{
    return (byte >= 0x80 && byte <= 0x8f) || byte == 0xde || byte == 0xdf;
}

trp_status_t trp_form_detect(const void *data, size_t size, trp_form_t *form)
{
    const char *text = data;
    if (size == 0) {
        return TRP_PAYLOAD;
    }
    if (is_msgpack_map((unsigned char)text[0])) {
        *form = TRP_FORM_MSGPACK;
        return TRP_OK;
    }
    size_t lead = json_lead(text, size);
    if (lead < size && text[lead] == '{') {
        *form = TRP_FORM_JSON;
        return TRP_OK;
    }
    return TRP_PAYLOAD;
}

trp_status_t trp_document_init(trp_document_t *document, const void *data, size_t size,
                               trp_fault_t *fault)
{
    if (trp_form_detect(data, size, &document->form) != TRP_OK) {
        return fault_body(fault, true, "one map, as JSON or MessagePack", 0);
    }
    if (!msgpack_zone_init(&document->zone, chunk_size(size))) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status = document->form == TRP_FORM_JSON
                              ? json_decode(data, size, &document->zone, &document->root, fault)
                              : msgpack_decode(data, size, &document->zone, &document->root, fault);
    if (status != TRP_OK) {
        msgpack_zone_destroy(&document->zone);
    }
    return status;
}

void document_init_empty(trp_document_t *document)
{
    static _Alignas(max_align_t) char nowhere[1]; /* a zone counts from where it is, if only 0 */
    *document =
        (trp_document_t){.form = TRP_FORM_MSGPACK,
                         .root = {.type = MSGPACK_OBJECT_MAP},
                         .zone = {.chunk_list = {.ptr = nowhere}, .chunk_size = CHUNK_SMALL}};
}

void trp_document_fini(trp_document_t *document)
{
    if (document->zone.chunk_list.head != NULL) { /* else it was never used */
        msgpack_zone_destroy(&document->zone);
    }
}

const msgpack_object *trp_member(const msgpack_object *map, const char *name)
{
    if (map->type != MSGPACK_OBJECT_MAP) {
        return NULL;
    }
    size_t size = strlen(name);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *member = &map->via.map.ptr[i];
        if (member->key.type == MSGPACK_OBJECT_STR && member->key.via.str.size == size &&
            memcmp(member->key.via.str.ptr, name, size) == 0) {
            return &member->val;
        }
    }
    return NULL;
}

trp_status_t trp_json_to_msgpack(const char *json, size_t size, trp_writer_t *writer,
                                 trp_fault_t *fault)
{
    msgpack_zone zone;
    msgpack_object root;
    if (!msgpack_zone_init(&zone, chunk_size(size))) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status = json_decode(json, size, &zone, &root, fault);
    if (status == TRP_OK) {
        trp_write_object(writer, &root);
    }
    msgpack_zone_destroy(&zone);
    return status;
}

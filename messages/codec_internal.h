/* SPDX-License-Identifier: MIT */
/* What the two readers offer to messages/codec.c. */
#ifndef TRP_MESSAGES_CODEC_INTERNAL_H
#define TRP_MESSAGES_CODEC_INTERNAL_H

#include "messages/codec.h"

/** Decodes one MessagePack value; strings point into `data`. errors: TRP_PAYLOAD, TRP_NO_MEMORY */
trp_status_t msgpack_decode(const void *data, size_t size, msgpack_zone *zone, msgpack_object *root,
                            trp_fault_t *fault);

/** Decodes one JSON value of any kind; the zone holds all of it. errors: TRP_PAYLOAD,
 * TRP_NO_MEMORY */
trp_status_t json_decode(const char *text, size_t size, msgpack_zone *zone, msgpack_object *root,
                         trp_fault_t *fault);

/** A document with nothing in it, which has no memory until somebody takes some of its zone. */
void document_init_empty(trp_document_t *document);

/** Bytes of a UTF-8 byte order mark and white space before a JSON text. */
size_t json_lead(const char *text, size_t size);

/** A pass over a JSON text that sees what stands outside of its strings. */
typedef struct json_scan {
    const char *text;
    size_t size;
    size_t at;
} json_scan_t;

/** The next byte outside of strings that is no white space, or -1 at the end; a string counts as
 * its opening quote. `at` is behind it (behind the whole string). */
int json_scan_next(json_scan_t *scan);

/** A copy of a JSON text with `.0` behind each integer outside of int64_t, so that it reads as a
 * real and the schema names the member. malloc'd; NULL: no memory */
char *json_widen(const char *text, size_t size, size_t *widened);

#endif
